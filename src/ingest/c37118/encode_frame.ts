/**
 * Writes frames: configurations, data, text headers and commands.
 *
 * @module
 */

import { crcCcitt } from "./crc.ts";
import { type Configuration, formatOf, type StationConfiguration } from "./configuration.ts";
import { DataLayout } from "./data_layout.ts";
import type { StationData } from "./data_frame.ts";
import {
  CHECKSUM_BYTES,
  FRAME_TYPES,
  type FrameType,
  HEADER_BYTES,
  MAX_FRAME_BYTES,
} from "./frame_header.ts";
import { outOfRange } from "../../core/argument_error.ts";

/** Time and quality of a frame to write. */
export interface FrameStamp {
  /** Seconds since the Unix epoch. */
  soc: number;
  /** Fraction of the second in units of the configuration's `timeBase`. */
  fraction: number;
  /** Byte of time quality. @default {0} */
  quality?: number | undefined;
}

/** Numbers of the commands to a PMU (6.6, Table 15). */
export const PMU_COMMANDS: Readonly<Record<PmuCommand, number>> = {
  stop: 1,
  start: 2,
  header: 3,
  cfg1: 4,
  cfg2: 5,
  cfg3: 6,
  extended: 8,
};

/** Name of a command to a PMU. */
export type PmuCommand = "stop" | "start" | "header" | "cfg1" | "cfg2" | "cfg3" | "extended";

/** A frame with room for its content; the checksum is written by {@linkcode finish}. */
function blank(
  type: FrameType,
  idcode: number,
  stamp: FrameStamp,
  contentBytes: number,
  version: number,
): Uint8Array<ArrayBuffer> {
  const size = HEADER_BYTES + contentBytes + CHECKSUM_BYTES;
  if (size > MAX_FRAME_BYTES) {
    throw outOfRange(`Cannot write a frame of ${size} bytes, expected at most 65535`);
  }
  const frame = new Uint8Array(size);
  const view = new DataView(frame.buffer);
  frame[0] = 0xaa;
  frame[1] = FRAME_TYPES.indexOf(type) << 4 | version;
  view.setUint16(2, size);
  view.setUint16(4, idcode);
  view.setUint32(6, stamp.soc);
  view.setUint32(10, ((stamp.quality ?? 0) << 24 | stamp.fraction) >>> 0);
  return frame;
}

/** Writes the checksum of a frame into its last two bytes. */
function finish(frame: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const end = frame.length - CHECKSUM_BYTES;
  new DataView(frame.buffer).setUint16(end, crcCcitt(frame, 0, end));
  return frame;
}

function withContent(
  type: FrameType,
  idcode: number,
  stamp: FrameStamp,
  content: Uint8Array,
  version: number,
): Uint8Array<ArrayBuffer> {
  const frame = blank(type, idcode, stamp, content.length, version);
  frame.set(content, HEADER_BYTES);
  return finish(frame);
}

/**
 * Writes a command frame.
 *
 * @param idcode Number of the data stream asked.
 * @param command Name, or number, 0 to 65535.
 * @param stamp Time of it.
 */
export function encodeCommand(
  idcode: number,
  command: PmuCommand | number,
  stamp: FrameStamp,
): Uint8Array<ArrayBuffer> {
  const number = typeof command === "number" ? command : PMU_COMMANDS[command];
  return withContent("command", idcode, stamp, Uint8Array.of(number >> 8, number & 255), 1);
}

/** Writes a frame with text for people. */
export function encodeHeader(
  idcode: number,
  text: string,
  stamp: FrameStamp,
): Uint8Array<ArrayBuffer> {
  return withContent("header", idcode, stamp, new TextEncoder().encode(text), 1);
}

/**
 * Writes a data frame.
 *
 * @param layout Layout of the configuration.
 * @param stations Values of each PMU, in the order of the configuration, phasors in its form.
 * @param stamp Time and quality.
 * @throws {RangeError} If a value does not fit into its format.
 */
export function encodeData(
  layout: DataLayout | Configuration,
  stations: readonly Omit<StationData, "configuration">[],
  stamp: FrameStamp,
): Uint8Array<ArrayBuffer> {
  const compiled = layout instanceof DataLayout ? layout : new DataLayout(layout);
  const { configuration } = compiled;
  if (stations.length !== configuration.stations.length) {
    throw outOfRange(
      `Cannot write ${stations.length} stations: the configuration has ` +
        `${configuration.stations.length}`,
    );
  }
  const values = new Float64Array(compiled.slots);
  for (const [i, { station, slot }] of compiled.stations.entries()) {
    const { stat, phasors, frequency, rocof, analogs, digitals } = stations[i]!;
    checkCount("phasors", phasors.length, 2 * station.phasors.length);
    checkCount("analogs", analogs.length, station.analogs.length);
    checkCount("digitals", digitals.length, station.digitals.length);
    values.set([stat, ...phasors, frequency, rocof, ...analogs, ...digitals], slot);
  }
  return encodeValues(compiled, values, stamp);
}

function checkCount(what: string, given: number, wanted: number): void {
  if (given === wanted) return;
  throw outOfRange(`Cannot write ${given} ${what}: the configuration has ${wanted}`);
}

/** Writes a data frame from the values of {@linkcode DataLayout.read}. */
export function encodeValues(
  layout: DataLayout,
  values: Float64Array,
  stamp: FrameStamp,
): Uint8Array<ArrayBuffer> {
  const { idcode, kind } = layout.configuration;
  const bytes = layout.frameBytes - HEADER_BYTES - CHECKSUM_BYTES;
  const frame = blank("data", idcode, stamp, bytes, kind === 3 ? 2 : 1);
  layout.write(new DataView(frame.buffer), 0, values);
  return finish(frame);
}

/** Collects big-endian fields. */
class FieldWriter {
  readonly #bytes: number[] = [];

  u8(value: number): void {
    this.#bytes.push(value & 255);
  }
  u16(value: number): void {
    this.#bytes.push(value >> 8 & 255, value & 255);
  }
  u32(value: number): void {
    this.u16(value >>> 16);
    this.u16(value & 0xffff);
  }
  f32(value: number): void {
    const view = new DataView(new ArrayBuffer(4));
    view.setFloat32(0, value);
    this.u32(view.getUint32(0));
  }
  raw(bytes: Iterable<number>): void {
    for (const byte of bytes) this.#bytes.push(byte);
  }

  fixedName(name: string): void {
    const bytes = new TextEncoder().encode(name);
    if (bytes.length > 16) {
      throw outOfRange(
        `Cannot write the name ${JSON.stringify(name)}: ${bytes.length} bytes, ` +
          "expected at most 16; CFG-3 takes 255",
      );
    }
    this.raw(bytes);
    for (let i = bytes.length; i < 16; i++) this.u8(32);
  }

  sizedName(name: string): void {
    const bytes = new TextEncoder().encode(name);
    if (bytes.length > 255) {
      throw outOfRange(
        `Cannot write a name of ${bytes.length} bytes, expected at most 255`,
      );
    }
    this.u8(bytes.length);
    this.raw(bytes);
  }

  bytes(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/**
 * Writes a configuration.
 *
 * @param configuration Configuration to write; its `kind` selects the type of frame.
 * @param stamp Time and quality.
 * @param fragmentBytes Most bytes of a frame of CFG-3, which is cut into fragments beyond them.
 * @returns One frame; of CFG-3 as many as it takes.
 * @throws {RangeError} If a name or number does not fit.
 */
export function encodeConfiguration(
  configuration: Configuration,
  stamp: FrameStamp,
  fragmentBytes: number = MAX_FRAME_BYTES,
): Uint8Array<ArrayBuffer>[] {
  const { kind, idcode, timeBase, dataRate, stations } = configuration;
  const writer = new FieldWriter();
  writer.u32(timeBase);
  writer.u16(stations.length);
  for (const station of stations) (kind === 3 ? station3 : station2)(writer, station);
  writer.u16(dataRate);
  const content = writer.bytes();
  if (kind !== 3) return [withContent(kind === 1 ? "cfg1" : "cfg2", idcode, stamp, content, 1)];
  const room = fragmentBytes - HEADER_BYTES - 2 - CHECKSUM_BYTES;
  if (room < 1) throw outOfRange(`Cannot write fragments of ${fragmentBytes} bytes`);
  const count = Math.ceil(content.length / room);
  return Array.from({ length: count }, (_, i) => {
    const index = count === 1 ? 0 : i === count - 1 ? 65_535 : i + 1;
    const part = content.subarray(i * room, (i + 1) * room);
    const body = Uint8Array.of(index >> 8, index & 255, ...part);
    return withContent("cfg3", idcode, stamp, body, 2);
  });
}

function station2(writer: FieldWriter, station: StationConfiguration): void {
  writer.fixedName(station.name);
  writer.u16(station.idcode);
  writeCounts(writer, station);
  for (const name of namesOf(station)) writer.fixedName(name);
  for (const { name, scale, quantity } of station.phasors) {
    const unit = Math.round(scale * 1e5);
    if (!(unit >= 0 && unit <= 0xff_ffff)) {
      throw outOfRange(
        `Cannot write the scale of ${JSON.stringify(name)}: ${scale}, expected 0 to 167.77215`,
      );
    }
    writer.u32((quantity === "current" ? 1 << 24 : 0) | unit);
  }
  for (const { kind, scale } of station.analogs) writer.u32(kind << 24 | scale & 0xff_ffff);
  writeEnding(writer, station);
}

function station3(writer: FieldWriter, station: StationConfiguration): void {
  const { details } = station;
  writer.sizedName(station.name);
  writer.u16(station.idcode);
  writer.raw(details?.globalId ?? new Uint8Array(16));
  writeCounts(writer, station);
  for (const name of namesOf(station)) writer.sizedName(name);
  for (const { flags, quantity, component, user, scale, angleOffset } of station.phasors) {
    writer.u16(flags);
    writer.u8((quantity === "current" ? 8 : 0) | component);
    writer.u8(user);
    writer.f32(scale);
    writer.f32(angleOffset);
  }
  for (const { scale, offset } of station.analogs) {
    writer.f32(scale);
    writer.f32(offset);
  }
  writeEnding(writer, station, () => {
    writer.f32(details?.latitude ?? Infinity);
    writer.f32(details?.longitude ?? Infinity);
    writer.f32(details?.elevation ?? Infinity);
    writer.u8((details?.serviceClass ?? "M").charCodeAt(0));
    writer.u32(details?.window ?? 0);
    writer.u32(details?.groupDelay ?? 0);
  });
}

function namesOf({ phasors, analogs, digitals }: StationConfiguration): string[] {
  const channels = [...phasors, ...analogs].map(({ name }) => name);
  return [...channels, ...digitals.flatMap(({ names }) => names)];
}

function writeCounts(writer: FieldWriter, station: StationConfiguration): void {
  writer.u16(formatOf(station));
  writer.u16(station.phasors.length);
  writer.u16(station.analogs.length);
  writer.u16(station.digitals.length);
}

function writeEnding(
  writer: FieldWriter,
  station: StationConfiguration,
  between: () => void = () => {},
): void {
  for (const { normal, valid } of station.digitals) {
    writer.u16(normal);
    writer.u16(valid);
  }
  between();
  writer.u16(station.nominalFrequency === 50 ? 1 : 0);
  writer.u16(station.changeCount);
}
