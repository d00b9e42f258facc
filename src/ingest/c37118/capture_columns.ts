/**
 * Columns of all configurations of a capture.
 *
 * @module
 */

import type { SourceColumn } from "../source.ts";
import {
  ChannelColumns,
  type ChannelNames,
  namedByUnit,
  stationCollection,
} from "./channel_columns.ts";
import type { DataLayout } from "./data_layout.ts";
import type { Received } from "./capture_reader.ts";

/** Most streams of a capture. */
const MAX_COLUMNS = 100_000;
/** Collectors kept; those without rows are made again when they are needed. */
const MAX_COLLECTORS = 1024;

/** Columns of all configurations of a capture, each stream once. */
export class CaptureColumns {
  readonly columns: SourceColumn[] = [];
  readonly notices: Set<string> = new Set();
  readonly #names: ChannelNames;
  /** Names of columns in their collections. */
  readonly #taken = new Set<string>();
  readonly #places = new Map<string, number>();
  /** Device of each collection. */
  readonly #owners = new Map<string, string>();
  #count = 0;
  readonly #collectors = new Map<
    DataLayout,
    Map<string, { to: ChannelColumns; places: number[] }>
  >();

  constructor(names: ChannelNames) {
    this.#names = names;
  }

  /** Collector of a frame, and the places of its columns among all. */
  of({ raw: { layout }, device }: Received): { to: ChannelColumns; places: number[] } {
    let byDevice = this.#collectors.get(layout);
    if (byDevice === undefined) this.#collectors.set(layout, byDevice = new Map());
    let found = byDevice.get(device);
    if (found === undefined) {
      byDevice.set(device, found = this.#collector(layout, device));
      this.#count++;
    }
    return found;
  }

  /** True if there are so many configurations that those used up should be forgotten. */
  get isFull(): boolean {
    return this.#count >= MAX_COLLECTORS;
  }

  /** Forgets the collectors, whose rows must have been taken. */
  forget(): void {
    this.#collectors.clear();
    this.#count = 0;
  }

  *collectors(): Generator<{ to: ChannelColumns; places: number[] }> {
    for (const byDevice of this.#collectors.values()) yield* byDevice.values();
  }

  #collector(layout: DataLayout, device: string): { to: ChannelColumns; places: number[] } {
    const taken = new Set<string>();
    const collections = layout.stations.map(({ station }, i) => {
      const wanted = stationCollection(station);
      const isFree = (name: string): boolean =>
        !taken.has(name) && (this.#owners.get(name) ?? device) === device;
      let collection = wanted;
      if ((this.#owners.get(wanted) ?? device) !== device) collection = `${wanted}@${device}`;
      const apart = collection;
      for (let n = i + 1; !isFree(collection); n++) collection = `${apart}#${n}`;
      taken.add(collection);
      if (!this.#owners.has(collection)) {
        this.#owners.set(collection, device);
        if (collection !== wanted) {
          this.notices.add(`Another station is called ${wanted}: this one goes to ${collection}`);
        }
      }
      return collection;
    });
    for (const name of layout.unscaled()) {
      this.notices.add(`The scale is unknown of ${name}: its values are left out`);
    }
    const to = new ChannelColumns(layout, this.#names, collections);
    return { to, places: to.columns.map((column) => this.#place(column)) };
  }

  #place(column: SourceColumn): number {
    const name = `${column.collection}\0${column.name}`;
    const key = `${name}\0${column.unit}`;
    let place = this.#places.get(key);
    if (place === undefined) {
      // A phasor that was a voltage may be a current now, or the other way round.
      place = this.columns.push(this.#taken.has(name) ? namedByUnit(column) : column) - 1;
      if (place === MAX_COLUMNS) {
        throw new RangeError(`Cannot read the capture: more than ${MAX_COLUMNS} streams`);
      }
      this.#taken.add(name);
      this.#places.set(key, place);
    }
    return place;
  }
}
