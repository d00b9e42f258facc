/**
 * Converts data frames to columns: the streams of a station, their names, and their points.
 *
 * @module
 */

import { allocRaw, type RawColumns } from "../../core/columns.ts";
import type { SourceColumn } from "../source.ts";
import { isInvalid } from "./data_frame.ts";
import type { DataLayout, StationLayout } from "./data_layout.ts";
import type { PhasorChannel, StationConfiguration } from "./configuration.ts";

/**
 * Names of streams: `btrdb` as BTrDB's own ingress gave them (`PH0MAG VA`, `AN0 P1`), so that what reads
 * its streams reads these, `plain` for people (`VA magnitude`, `P1`).
 */
export type ChannelNames = "btrdb" | "plain";

/** Sources of the values of a column in a station's values. */
type Extract = "value" | "magnitude" | "angle" | "quality";

/** A column and where its values come from. */
interface Channel {
  readonly column: SourceColumn;
  readonly extract: Extract;
  /** Place of the value among those of the frame. */
  readonly slot: number;
  /** Place of the station among those of the frame. */
  readonly station: number;
  /** True if the value is stored even when the station marks its values as invalid. */
  readonly isAlways: boolean;
}

const DEGREES = 180 / Math.PI;

/** Name of a stream in one of the two ways, and its unit. */
interface Naming {
  btrdb: readonly [name: string, unit: string];
  plain: readonly [name: string, unit: string];
}

/** Longest tag value, bytes. */
const MAX_NAME_BYTES = 255;
/** Longest part of a collection, bytes: a prefix comes before it, and all is 255 at most. */
const MAX_STATION_BYTES = 150;

/** A text that a server takes as a tag: without NUL, and not longer than so many bytes. */
function legal(text: string, most: number = MAX_NAME_BYTES): string {
  const clean = text.replaceAll("\0", "").toWellFormed();
  const { read } = new TextEncoder().encodeInto(clean, new Uint8Array(most));
  return clean === "" ? "unnamed" : clean.slice(0, read);
}

/** A name that is not taken, with ` #2` and so on behind it if it is; from now on it is. */
function freeName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let n = 2; taken.has(name); n++) name = `${legal(wanted, MAX_NAME_BYTES - 8)} #${n}`;
  taken.add(name);
  return name;
}

/** A column with its unit behind the name, where the stream of the name has another quantity. */
export function namedByUnit(column: SourceColumn): SourceColumn {
  return { ...column, name: `${legal(column.name, MAX_NAME_BYTES - 8)} ${column.unit}` };
}

/** Collection of a station: its number and name. */
export function stationCollection({ idcode, name }: StationConfiguration): string {
  return legal(name === "" ? String(idcode) : `${idcode}_${name}`, MAX_STATION_BYTES);
}

function phasorNaming(i: number, { name, quantity }: PhasorChannel, what: "MAG" | "ANG"): Naming {
  const isVoltage = quantity === "voltage";
  const fallback = name === "" ? (isVoltage ? "VOL" : "CUR") : name;
  const plain = name === "" ? `phasor ${i}` : name;
  return what === "MAG"
    ? {
      btrdb: [`PH${i}MAG ${fallback}`, isVoltage ? "Volt" : "Amp"],
      plain: [`${plain} magnitude`, isVoltage ? "V" : "A"],
    }
    : { btrdb: [`PH${i}ANG ${fallback}`, "degrees"], plain: [`${plain} angle`, "degrees"] };
}

/** Columns of a station, in the order of its data. */
function channelsOf(
  { station, slot }: StationLayout,
  index: number,
  names: ChannelNames,
  collection: string,
): Channel[] {
  const channels: Channel[] = [];
  const { phasors, analogs, digitals } = station;
  const seen = new Set<string>();
  const add = (
    naming: Naming,
    extract: Extract,
    at: number,
    annotations: Record<string, string> = {},
    isAlways = false,
  ): void => {
    const [text, unit] = naming[names];
    // Names repeat within a station too; the streams must not.
    const name = freeName(legal(text), seen);
    const column: SourceColumn = {
      name,
      collection,
      unit,
      annotations: { station: station.name, idcode: String(station.idcode), ...annotations },
    };
    channels.push({ column, extract, slot: at, station: index, isAlways });
  };
  add({ btrdb: ["STAT", "STAT"], plain: ["status", "bits"] }, "value", slot, {}, true);
  const quality: Naming = { btrdb: ["TIMEQUAL", "TQ"], plain: ["time quality", "bits"] };
  add(quality, "quality", slot, {}, true);
  const frequency = slot + 1 + 2 * phasors.length;
  add({ btrdb: ["FREQ", "Hz"], plain: ["frequency", "Hz"] }, "value", frequency);
  add({ btrdb: ["DFREQ", "ROCOF"], plain: ["rocof", "Hz/s"] }, "value", frequency + 1);
  for (const [i, phasor] of phasors.entries()) {
    const at = slot + 1 + 2 * i;
    add(phasorNaming(i, phasor, "MAG"), "magnitude", at);
    add(phasorNaming(i, phasor, "ANG"), "angle", at);
  }
  for (const [i, { name, scale }] of analogs.entries()) {
    const text = name === "" ? `AN${i}` : `AN${i} ${name}`;
    const naming: Naming = {
      btrdb: [text, "analog"],
      plain: [name === "" ? `analog ${i}` : name, "analog"],
    };
    add(naming, "value", frequency + 2 + i, { scale: String(scale) });
  }
  for (const i of digitals.keys()) {
    const naming: Naming = { btrdb: [`DG${i}`, "digital"], plain: [`digital ${i}`, "bits"] };
    add(naming, "value", frequency + 2 + analogs.length + i);
  }
  return channels;
}

/** Values that memory is taken for at first, and beyond which it is given back. */
const FIRST_VALUES = 512;
const MOST_VALUES = 1 << 20;

/** Points of one column. */
export interface ColumnPoints {
  column: SourceColumn;
  points: RawColumns;
}

/** Collects the data frames of one configuration as columns. */
export class ChannelColumns {
  readonly layout: DataLayout;
  readonly columns: readonly SourceColumn[];
  readonly #channels: readonly Channel[];
  readonly #names: ChannelNames;
  #times: BigInt64Array = new BigInt64Array(0);
  #qualities: Uint8Array = new Uint8Array(0);
  #values: Float64Array = new Float64Array(0);
  #rows = 0;

  /**
   * @param layout Layout of the frames.
   * @param names Way of naming the streams.
   * @param collections Collection of each station.
   */
  constructor(layout: DataLayout, names: ChannelNames, collections: readonly string[]) {
    this.layout = layout;
    this.#names = names;
    this.#channels = layout.stations.flatMap((station, i) =>
      channelsOf(station, i, this.#names, collections[i]!)
    );
    this.columns = this.#channels.map(({ column }) => column);
  }

  /** Number of frames collected. */
  get rows(): number {
    return this.#rows;
  }

  /** Number of values of the frames collected. */
  get size(): number {
    return this.#rows * this.layout.slots;
  }

  /**
   * A row to be filled.
   *
   * @param time ns since the Unix epoch.
   * @param quality Byte of time quality.
   * @returns Array to fill with the values of the row.
   */
  addRow(time: bigint, quality: number): Float64Array {
    const { slots } = this.layout;
    if (this.#rows === this.#times.length) this.#grow();
    const row = this.#rows++;
    this.#times[row] = time;
    this.#qualities[row] = quality;
    return this.#values.subarray(row * slots, (row + 1) * slots);
  }

  #grow(): void {
    const first = Math.ceil(FIRST_VALUES / this.layout.slots);
    const rows = Math.max(first, 2 * this.#times.length);
    const times = new BigInt64Array(rows);
    times.set(this.#times);
    const qualities = new Uint8Array(rows);
    qualities.set(this.#qualities);
    const values = new Float64Array(rows * this.layout.slots);
    values.set(this.#values);
    [this.#times, this.#qualities, this.#values] = [times, qualities, values];
  }

  /**
   * Takes the points collected, and begins anew. Values that are absent, not finite, or of a station
   * that says they are not valid, give no point.
   *
   * @returns Points of each column, and how many values gave none.
   */
  take(): { columns: ColumnPoints[]; absent: number } {
    const rows = this.#rows;
    const times = this.#times.slice(0, rows);
    let absent = 0;
    const columns = this.#channels.map((channel) => {
      const points = this.#pointsOf(channel, times);
      absent += rows - points.times.length;
      return { column: channel.column, points };
    });
    this.#rows = 0;
    if (this.#values.length > MOST_VALUES) {
      this.#times = new BigInt64Array(0);
      this.#qualities = new Uint8Array(0);
      this.#values = new Float64Array(0);
    }
    return { columns, absent };
  }

  #pointsOf(channel: Channel, times: BigInt64Array): RawColumns {
    const { slots, stations } = this.layout;
    const { slot: statSlot, station } = stations[channel.station]!;
    const rows = times.length;
    const values = new Float64Array(rows);
    const cells = this.#values;
    const { extract, slot, isAlways } = channel;
    let good = 0;
    for (let row = 0; row < rows; row++) {
      const at = row * slots + slot;
      let value: number;
      if (extract === "value") value = cells[at]!;
      else if (extract === "quality") value = this.#qualities[row]!;
      else if (station.polar) {
        value = extract === "magnitude" ? cells[at]! : cells[at + 1]! * DEGREES;
      } else {
        const [re, im] = [cells[at]!, cells[at + 1]!];
        // An infinite part has no angle, though one can be computed.
        if (!Number.isFinite(re + im)) value = NaN;
        else value = extract === "magnitude" ? Math.hypot(re, im) : Math.atan2(im, re) * DEGREES;
      }
      if (!isAlways && isInvalid(cells[row * slots + statSlot]!)) value = NaN;
      values[row] = value;
      if (Number.isFinite(value)) good++;
    }
    if (good === rows) return { times, values };
    const kept: RawColumns = allocRaw(good);
    for (let row = 0, to = 0; row < rows; row++) {
      if (!Number.isFinite(values[row])) continue;
      kept.times[to] = times[row]!;
      kept.values[to++] = values[row]!;
    }
    return kept;
  }
}
