/**
 * Columns of all configurations of a capture.
 *
 * @module
 */

import type { SourceColumn } from "../source.ts";
import { ChannelColumns, type ChannelNames, stationCollection } from "./channel_columns.ts";
import type { DataLayout } from "./data_layout.ts";
import type { Received } from "./capture_reader.ts";

/** Columns of all configurations of a capture, each stream once. */
export class CaptureColumns {
  readonly columns: SourceColumn[] = [];
  readonly notices: string[] = [];
  readonly #names: ChannelNames;
  readonly #places = new Map<string, number>();
  /** Device of each collection. */
  readonly #owners = new Map<string, string>();
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
    if (found === undefined) byDevice.set(device, found = this.#collector(layout, device));
    return found;
  }

  *collectors(): Generator<{ to: ChannelColumns; places: number[] }> {
    for (const byDevice of this.#collectors.values()) yield* byDevice.values();
  }

  #collector(layout: DataLayout, device: string): { to: ChannelColumns; places: number[] } {
    const taken = new Set<string>();
    const collections = layout.stations.map(({ station }, i) => {
      const wanted = stationCollection(station);
      let collection = wanted;
      const owner = this.#owners.get(wanted) ?? device;
      if (owner !== device) collection = `${wanted}@${device}`;
      if (taken.has(collection)) collection = `${collection}#${i + 1}`;
      taken.add(collection);
      if (!this.#owners.has(collection)) {
        this.#owners.set(collection, device);
        if (collection !== wanted) {
          this.notices.push(`Another station is called ${wanted}: this one goes to ${collection}`);
        }
      }
      return collection;
    });
    for (const name of layout.unscaled()) {
      this.notices.push(`The scale is unknown of ${name}: its values are left out`);
    }
    const to = new ChannelColumns(layout, this.#names, collections);
    return { to, places: to.columns.map((column) => this.#place(column)) };
  }

  #place(column: SourceColumn): number {
    const key = `${column.collection}\0${column.name}`;
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.columns.push(column) - 1;
      this.#places.set(key, place);
    }
    return place;
  }
}
