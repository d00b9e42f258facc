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
import { oneOf, text as checkText } from "../../client/arguments.ts";
import { invalidType, outOfRange } from "../../core/argument_error.ts";
import { checkBytes } from "../../core/check_bytes.ts";
import { checkObject } from "../../core/check_object.ts";
import { describe } from "../../core/describe.ts";
import { checkList } from "../../core/check_list.ts";
import { CONFIGURATION, FieldWriter } from "./field_writer.ts";
import { checkConfiguration, integerOption } from "./options.ts";

const ACTION = "write the frame";

/** Time and quality of a frame to write. */
export interface FrameStamp {
  /** Seconds since the Unix epoch, 0 to 2^32 - 1. */
  soc: number;
  /** Fraction of the second in units of the configuration's `timeBase`, 0 to 2^24 - 1. */
  fraction: number;
  /** Byte of time quality, 0 to 255. @default {0} */
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
  const { soc, fraction, quality = 0 } = checkedStamp(idcode, stamp);
  const frame = new Uint8Array(size);
  const view = new DataView(frame.buffer);
  frame[0] = 0xaa;
  frame[1] = FRAME_TYPES.indexOf(type) << 4 | version;
  view.setUint16(2, size);
  view.setUint16(4, idcode);
  view.setUint32(6, soc);
  view.setUint32(10, (quality << 24 | fraction) >>> 0);
  return frame;
}

/** The stamp of a frame, whose numbers fit into their fields. */
function checkedStamp(idcode: number, stamp: FrameStamp): FrameStamp {
  integerOption(ACTION, idcode, "idcode", 0, 65_535);
  checkObject(ACTION, "stamp", stamp);
  integerOption(ACTION, stamp.soc, "stamp.soc", 0, 0xffff_ffff);
  integerOption(ACTION, stamp.fraction, "stamp.fraction", 0, 0xff_ffff);
  integerOption(ACTION, stamp.quality ?? 0, "stamp.quality", 0, 255);
  return stamp;
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
 * @param idcode Number of the data stream asked, 0 to 65535.
 * @param command Name, or number, 0 to 65535.
 * @param stamp Time of it.
 * @throws {RangeError} If there is no such command, or a number does not fit.
 */
export function encodeCommand(
  idcode: number,
  command: PmuCommand | number,
  stamp: FrameStamp,
): Uint8Array<ArrayBuffer> {
  const number = typeof command === "number"
    ? integerOption(ACTION, command, "command", 0, 65_535)
    : PMU_COMMANDS[oneOf(ACTION, command, "command", Object.keys(PMU_COMMANDS) as PmuCommand[])];
  return withContent("command", idcode, stamp, Uint8Array.of(number >> 8, number & 255), 1);
}

/**
 * Writes a frame with text for people.
 *
 * @param idcode Number of the data stream, 0 to 65535.
 * @param text The text, at most 65,519 bytes of UTF-8.
 * @param stamp Time of it.
 * @throws {RangeError} If the text or a number does not fit.
 */
export function encodeHeader(
  idcode: number,
  text: string,
  stamp: FrameStamp,
): Uint8Array<ArrayBuffer> {
  const content = new TextEncoder().encode(checkText(ACTION, text, "text"));
  return withContent("header", idcode, stamp, content, 1);
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
  checkList(ACTION, "stations", stations);
  if (stations.length !== configuration.stations.length) {
    throw outOfRange(
      `Cannot write ${stations.length} stations: the configuration has ` +
        `${configuration.stations.length}`,
    );
  }
  const values = new Float64Array(compiled.slots);
  for (const [i, { station, slot }] of compiled.stations.entries()) {
    checkObject(ACTION, `stations[${i}]`, stations[i]);
    const { stat, phasors, frequency, rocof, analogs, digitals } = stations[i]!;
    checkCount("phasors", phasors?.length, 2 * station.phasors.length);
    checkCount("analogs", analogs?.length, station.analogs.length);
    checkCount("digitals", digitals?.length, station.digitals.length);
    values.set([stat, ...phasors, frequency, rocof, ...analogs, ...digitals], slot);
  }
  return encodeValues(compiled, values, stamp);
}

function checkCount(what: string, given: number, wanted: number): void {
  if (given === wanted) return;
  throw outOfRange(`Cannot write ${describe(given)} ${what}: the configuration has ${wanted}`);
}

/**
 * Writes a data frame from the values of {@linkcode DataLayout.read}.
 *
 * @param layout Layout of the configuration.
 * @param values One for each of its slots.
 * @param stamp Time and quality.
 * @throws {RangeError} If a value does not fit into its format.
 */
export function encodeValues(
  layout: DataLayout,
  values: Float64Array,
  stamp: FrameStamp,
): Uint8Array<ArrayBuffer> {
  if (!(layout instanceof DataLayout)) {
    throw invalidType(`Cannot ${ACTION}: layout is ${describe(layout)}, expected a DataLayout`);
  }
  if (!(values instanceof Float64Array) || values.length !== layout.slots) {
    const given = values instanceof Float64Array ? `${values.length} numbers` : describe(values);
    throw outOfRange(
      `Cannot ${ACTION}: values is ${given}, expected a Float64Array of ${layout.slots} numbers`,
    );
  }
  const { idcode, kind } = layout.configuration;
  const bytes = layout.frameBytes - HEADER_BYTES - CHECKSUM_BYTES;
  const frame = blank("data", idcode, stamp, bytes, kind === 3 ? 2 : 1);
  layout.write(new DataView(frame.buffer), 0, values);
  return finish(frame);
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
  checkConfiguration(CONFIGURATION, configuration);
  const { kind, idcode, timeBase, dataRate, stations } = configuration;
  const writer = new FieldWriter();
  writer.u32("timeBase", integerOption(CONFIGURATION, timeBase, "timeBase", 1, 0xff_ffff));
  writer.u16("number of stations", stations.length);
  for (const station of stations) (kind === 3 ? station3 : station2)(writer, station);
  writer.i16("dataRate", dataRate);
  const content = writer.bytes();
  if (kind !== 3) return [withContent(kind === 1 ? "cfg1" : "cfg2", idcode, stamp, content, 1)];
  integerOption(CONFIGURATION, fragmentBytes, "fragmentBytes", 19, MAX_FRAME_BYTES);
  const room = fragmentBytes - HEADER_BYTES - 2 - CHECKSUM_BYTES;
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
  writer.u16("idcode", station.idcode);
  writeCounts(writer, station);
  for (const name of namesOf(station)) writer.fixedName(name);
  for (const { name, scale, quantity } of station.phasors) {
    const unit = Math.round(scale * 1e5);
    if (!(unit >= 0 && unit <= 0xff_ffff)) {
      throw outOfRange(
        `Cannot write the scale of ${JSON.stringify(name)}: ${scale}, expected 0 to 167.77215`,
      );
    }
    writer.u32("scale", (quantity === "current" ? 1 << 24 : 0) | unit);
  }
  for (const { kind, scale } of station.analogs) {
    writer.u8("kind of an analog", kind);
    integerOption(CONFIGURATION, scale, "scale of an analog", -0x80_0000, 0x7f_ffff);
    writer.raw([scale >> 16 & 255, scale >> 8 & 255, scale & 255]);
  }
  writeEnding(writer, station);
}

function station3(writer: FieldWriter, station: StationConfiguration): void {
  const { details } = station;
  writer.sizedName(station.name);
  writer.u16("idcode", station.idcode);
  const { globalId = new Uint8Array(16) } = details ?? {};
  checkBytes(CONFIGURATION, "details.globalId", globalId);
  integerOption(CONFIGURATION, globalId.length, "number of bytes of details.globalId", 16, 16);
  writer.raw(globalId);
  writeCounts(writer, station);
  for (const name of namesOf(station)) writer.sizedName(name);
  for (const { flags, quantity, component, user, scale, angleOffset } of station.phasors) {
    writer.u16("flags", flags);
    integerOption(CONFIGURATION, component, "component", 0, 7);
    writer.u8("component", (quantity === "current" ? 8 : 0) | component);
    writer.u8("user", user);
    writer.f32("scale", scale);
    writer.f32("angleOffset", angleOffset);
  }
  for (const { scale, offset } of station.analogs) {
    writer.f32("scale of an analog", scale);
    writer.f32("offset", offset);
  }
  writeEnding(writer, station, () => {
    writer.f32("latitude", details?.latitude ?? Infinity);
    writer.f32("longitude", details?.longitude ?? Infinity);
    writer.f32("elevation", details?.elevation ?? Infinity);
    const serviceClass = checkText(CONFIGURATION, details?.serviceClass ?? "M", "serviceClass");
    writer.u8("serviceClass", serviceClass.charCodeAt(0));
    writer.i32("window", details?.window ?? 0);
    writer.i32("groupDelay", details?.groupDelay ?? 0);
  });
}

function namesOf({ phasors, analogs, digitals }: StationConfiguration): string[] {
  const channels = [...phasors, ...analogs].map(({ name }) => name);
  for (const { names } of digitals) {
    integerOption(CONFIGURATION, names.length, "number of names of a digital word", 16, 16);
  }
  return [...channels, ...digitals.flatMap(({ names }) => names)];
}

function writeCounts(writer: FieldWriter, station: StationConfiguration): void {
  writer.u16("format", formatOf(station));
  writer.u16("number of phasors", station.phasors.length);
  writer.u16("number of analogs", station.analogs.length);
  writer.u16("number of digitals", station.digitals.length);
}

function writeEnding(
  writer: FieldWriter,
  station: StationConfiguration,
  between: () => void = () => {},
): void {
  for (const { normal, valid } of station.digitals) {
    writer.u16("normal", normal);
    writer.u16("valid", valid);
  }
  between();
  writer.u16("nominalFrequency", station.nominalFrequency === 50 ? 1 : 0);
  writer.u16("changeCount", station.changeCount);
}
