/**
 * Data frames of one configuration: sizes, scales, and the loops that read and write them.
 *
 * @module
 */

import { checkConfiguration } from "./options.ts";
import { type Configuration, stationBytes, type StationConfiguration } from "./configuration.ts";
import type { FrequencyForm } from "./data_frame.ts";
import { CHECKSUM_BYTES, HEADER_BYTES, MAX_FRAME_BYTES } from "./frame_header.ts";
import { outOfRange } from "../../core/argument_error.ts";

/** Integer that stands for absent data (6.3.1). */
const ABSENT = -32_768;
/** Integer angles are counted in 1e-4 rad. */
const ANGLES_PER_RAD = 1e4;
/** Floats below are taken as deviations from nominal by `auto`, Hz. */
const LARGEST_DEVIATION = 10;

/** Values of one PMU: STAT, two numbers a phasor, FREQ, DFREQ, analogs, digitals, in this order. */
export interface StationLayout {
  /** Its configuration. */
  readonly station: StationConfiguration;
  /** Size of its part of a frame, bytes. */
  readonly bytes: number;
  /** Place of its first value among those of the frame. */
  readonly slot: number;
  /** Number of its values. */
  readonly slots: number;
  /** Integer phasors times `factors[i]`, divided by `divisor`, are V or A; NaN where unknown. */
  readonly factors: Float64Array;
  /** See `factors`. */
  readonly divisor: number;
  /** Integer analogs times `gains[i]` plus `offsets[i]`; NaN where unknown. */
  readonly gains: Float64Array;
  /** See `gains`. */
  readonly offsets: Float64Array;
  /** True if an integer phasor has an angle to subtract. */
  readonly isRotated: boolean;
}

/** Reads and writes the data frames of a configuration. */
export class DataLayout {
  /** Configuration that describes the frames. */
  readonly configuration: Configuration;
  /** Places and scales of each station's values. */
  readonly stations: readonly StationLayout[];
  /** Size of a data frame, bytes. */
  readonly frameBytes: number;
  /** Number of values of a data frame. */
  readonly slots: number;

  /**
   * The layout of a configuration's frames.
   *
   * @param configuration Configuration that describes the frames.
   * @throws {RangeError} If no frame can hold them.
   */
  constructor(configuration: Configuration) {
    checkConfiguration("use the configuration", configuration);
    this.configuration = configuration;
    const stations: StationLayout[] = [];
    let [bytes, slot] = [HEADER_BYTES, 0];
    for (const station of configuration.stations) {
      const layout = layoutOf(station, configuration.kind, slot);
      stations.push(layout);
      bytes += layout.bytes;
      slot += layout.slots;
    }
    this.stations = stations;
    this.frameBytes = bytes + CHECKSUM_BYTES;
    this.slots = slot;
    if (this.frameBytes > MAX_FRAME_BYTES) {
      throw outOfRange(
        `Cannot use the configuration: its data frames have ${this.frameBytes} bytes, ` +
          `expected at most ${MAX_FRAME_BYTES}`,
      );
    }
  }

  /** Names of integer channels without a scale, whose values cannot be known. */
  unscaled(): string[] {
    return this.stations.flatMap(({ station, factors, gains }) =>
      [
        ...station.phasors.filter((_, i) => !station.floatPhasors && Number.isNaN(factors[i])),
        ...station.analogs.filter((_, i) => !station.floatAnalogs && Number.isNaN(gains[i])),
      ].map(({ name }) => `${station.name}: ${name}`)
    );
  }

  /**
   * Reads the values of a frame.
   *
   * @param view Bytes that contain the frame.
   * @param start Its first byte.
   * @param values Receives {@linkcode DataLayout.slots} values; NaN where one is absent.
   * @param form Reading of the frequency.
   */
  read(view: DataView, start: number, values: Float64Array, form: FrequencyForm): void {
    let at = start + HEADER_BYTES;
    for (const layout of this.stations) {
      readStation(layout, view, at, values, form);
      at += layout.bytes;
    }
  }

  /**
   * Writes the values of a frame, the reverse of `read` with the form `auto`.
   *
   * @param view Bytes that contain the frame.
   * @param start Its first byte.
   * @param values As `read` gives them.
   * @throws {RangeError} If a value does not fit into its format.
   */
  write(view: DataView, start: number, values: Float64Array): void {
    let at = start + HEADER_BYTES;
    for (const layout of this.stations) {
      writeStation(layout, view, at, values);
      at += layout.bytes;
    }
  }
}

function layoutOf(
  station: StationConfiguration,
  kind: Configuration["kind"],
  slot: number,
): StationLayout {
  const { phasors, analogs, digitals } = station;
  // Integers first and one division last, so that a value is the double next to the decimal one.
  const divisor = kind === 3 ? 1 : 1e5;
  const factor = (scale: number): number => {
    const value = kind === 3 ? scale : Math.round(scale * 1e5);
    return value === 0 || !Number.isFinite(value) ? NaN : value;
  };
  const isLinear = kind === 3;
  return {
    station,
    bytes: stationBytes(station),
    slot,
    slots: 3 + 2 * phasors.length + analogs.length + digitals.length,
    factors: numbersOf(
      phasors,
      ({ scale, angleOffset }) => Number.isFinite(angleOffset) ? factor(scale) : NaN,
    ),
    divisor,
    gains: numbersOf(
      analogs,
      ({ scale, offset }) =>
        !isLinear ? 1 : scale === 0 || !Number.isFinite(scale + offset) ? NaN : scale,
    ),
    offsets: numbersOf(analogs, ({ offset }) => isLinear ? offset : 0),
    isRotated: kind === 3 && phasors.some(({ angleOffset }) => angleOffset !== 0),
  };
}

const NO_NUMBERS = new Float64Array(0);

/** A number of each item. A frame may have thousands of stations without any. */
function numbersOf<T>(items: readonly T[], numberOf: (item: T) => number): Float64Array {
  return items.length === 0 ? NO_NUMBERS : Float64Array.from(items, numberOf);
}

function readStation(
  layout: StationLayout,
  view: DataView,
  start: number,
  values: Float64Array,
  form: FrequencyForm,
): void {
  const { station, factors, divisor, gains, offsets } = layout;
  let [at, slot] = [start, layout.slot];
  values[slot++] = view.getUint16(at);
  at += 2;
  const phasors = station.phasors.length;
  for (let i = 0; i < phasors; i++, slot += 2) {
    let first: number, second: number;
    if (station.floatPhasors) {
      first = view.getFloat32(at);
      second = view.getFloat32(at + 4);
      at += 8;
    } else {
      second = view.getInt16(at + 2);
      if (station.polar) {
        first = second === ABSENT ? NaN : view.getUint16(at) * factors[i]! / divisor;
        second = second / ANGLES_PER_RAD;
      } else {
        first = view.getInt16(at);
        first = first === ABSENT || second === ABSENT ? NaN : first * factors[i]! / divisor;
        second = second * factors[i]! / divisor;
      }
      at += 4;
    }
    const isAbsent = Number.isNaN(first) || Number.isNaN(second);
    values[slot] = isAbsent ? NaN : first;
    values[slot + 1] = isAbsent ? NaN : second;
  }
  if (layout.isRotated && !station.floatPhasors) rotate(layout, values, -1);
  if (station.floatFrequency) {
    values[slot] = frequencyOf(view.getFloat32(at), station.nominalFrequency, form);
    values[slot + 1] = view.getFloat32(at + 4);
    at += 8;
  } else {
    values[slot] = integerFrequency(view, at, station.nominalFrequency, form);
    const rocof = view.getInt16(at + 2);
    values[slot + 1] = rocof === ABSENT ? NaN : rocof / 100;
    at += 4;
  }
  slot += 2;
  const analogs = station.analogs.length;
  for (let i = 0; i < analogs; i++, slot++) {
    if (station.floatAnalogs) {
      values[slot] = view.getFloat32(at);
      at += 4;
    } else {
      const raw = view.getInt16(at);
      values[slot] = raw === ABSENT ? NaN : raw * gains[i]! + offsets[i]!;
      at += 2;
    }
  }
  const digitals = station.digitals.length;
  for (let i = 0; i < digitals; i++, at += 2) values[slot++] = view.getUint16(at);
}

/** Subtracts (-1) or adds (1) the angles of CFG-3: X' = Y X e^(j(phi - theta)) (Table 11). */
function rotate({ station, slot }: StationLayout, values: Float64Array, sign: number): void {
  for (const [i, { angleOffset }] of station.phasors.entries()) {
    const at = slot + 1 + 2 * i;
    if (angleOffset === 0) continue;
    if (station.polar) {
      values[at + 1]! += sign * angleOffset;
      continue;
    }
    const [re, im] = [values[at]!, values[at + 1]!];
    const [cos, sin] = [Math.cos(angleOffset), sign * Math.sin(angleOffset)];
    values[at] = re * cos - im * sin;
    values[at + 1] = re * sin + im * cos;
  }
}

function frequencyOf(value: number, nominal: number, form: FrequencyForm): number {
  if (form === "actual") return value;
  return form === "deviation" || Math.abs(value) < LARGEST_DEVIATION ? nominal + value : value;
}

function integerFrequency(
  view: DataView,
  at: number,
  nominal: number,
  form: FrequencyForm,
): number {
  const deviation = view.getInt16(at);
  if (deviation === ABSENT) return NaN;
  return (form === "actual" ? view.getUint16(at) : nominal * 1000 + deviation) / 1000;
}

function writeStation(
  layout: StationLayout,
  view: DataView,
  start: number,
  given: Float64Array,
): void {
  const { station, factors, divisor, gains, offsets } = layout;
  let values = given;
  if (layout.isRotated && !station.floatPhasors) {
    values = given.slice();
    rotate(layout, values, 1);
  }
  let [at, slot] = [start, layout.slot];
  view.setUint16(at, integer(values[slot++]!, 0, 65_535, "STAT"));
  at += 2;
  for (const [i, { name }] of station.phasors.entries()) {
    const [first, second] = [values[slot]!, values[slot + 1]!];
    slot += 2;
    if (station.floatPhasors) {
      view.setFloat32(at, first);
      view.setFloat32(at + 4, second);
      at += 8;
      continue;
    }
    const isAbsent = Number.isNaN(first) || Number.isNaN(second);
    const unit = factors[i]! / divisor;
    if (station.polar) {
      view.setUint16(at, isAbsent ? 0 : integer(first / unit, 0, 65_535, name));
      view.setInt16(at + 2, isAbsent ? ABSENT : int16(second * ANGLES_PER_RAD, name));
    } else {
      view.setInt16(at, isAbsent ? ABSENT : int16(first / unit, name));
      view.setInt16(at + 2, isAbsent ? ABSENT : int16(second / unit, name));
    }
    at += 4;
  }
  const [frequency, rocof] = [values[slot]!, values[slot + 1]!];
  slot += 2;
  if (station.floatFrequency) {
    view.setFloat32(at, frequency);
    view.setFloat32(at + 4, rocof);
    at += 8;
  } else {
    const deviation = (frequency - station.nominalFrequency) * 1000;
    view.setInt16(at, Number.isNaN(frequency) ? ABSENT : int16(deviation, "FREQ"));
    view.setInt16(at + 2, Number.isNaN(rocof) ? ABSENT : int16(rocof * 100, "DFREQ"));
    at += 4;
  }
  for (const [i, { name }] of station.analogs.entries()) {
    const value = values[slot++]!;
    if (station.floatAnalogs) {
      view.setFloat32(at, value);
      at += 4;
    } else {
      const raw = (value - offsets[i]!) / gains[i]!;
      view.setInt16(at, Number.isNaN(value) ? ABSENT : int16(raw, name));
      at += 2;
    }
  }
  for (let i = 0; i < station.digitals.length; i++, at += 2) {
    view.setUint16(at, integer(values[slot++]!, 0, 65_535, "digital word"));
  }
}

function int16(value: number, name: string): number {
  return integer(value, -32_767, 32_767, name);
}

function integer(value: number, least: number, most: number, name: string): number {
  const rounded = Math.round(value);
  if (rounded >= least && rounded <= most) return rounded;
  throw outOfRange(
    `Cannot write ${JSON.stringify(name)}: ${value} in units of its scale, ` +
      `expected ${least} to ${most}`,
  );
}
