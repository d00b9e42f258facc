/**
 * Columns to messages with points, in protobuf wire format (docs/protocol.md, "Messages"), byte for
 * byte as proto3 encoders write them: fields in order, zero fields left out.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { type Arena, arena, columnBytes } from "./arena.ts";
import { MERGE_POLICIES, type WireMergePolicy } from "./decode_insert.ts";
import { outOfRange } from "../core/argument_error.ts";

/** Fields of an `InsertParams`. */
export interface InsertFields {
  /** 16 bytes. */
  uuid: Uint8Array;
  columns: RawColumns;
  /** First point to be sent. @default {0} */
  from?: number | undefined;
  /** End of the points to be sent, exclusive. Absent: all. */
  to?: number | undefined;
  protocol: "v4" | "v5";
  /** v5 only. @default {"never"} */
  mergePolicy?: WireMergePolicy | undefined;
  /** Mantissa bits to keep, v5 only. Absent: all. */
  roundBits?: number | undefined;
}

/** Points per call of the kernel. */
const RAW_POINTS = 32_768;
/** Tags of the repeated points. */
const INSERT_VALUES = 0x1a;
export const RESPONSE_VALUES = 0x22;
const UPDATE_VALUES = 0x12;
/** Most bytes the fields around the points take. */
export const AROUND_BYTES = 64;

/** A cursor over a buffer that is large enough. */
export interface Writer {
  readonly bytes: Uint8Array;
  pos: number;
}

function byte(writer: Writer, value: number): void {
  writer.bytes[writer.pos++] = value;
}

function varint(writer: Writer, value: bigint): void {
  let rest = BigInt.asUintN(64, value);
  while (rest > 127n) {
    byte(writer, Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  byte(writer, Number(rest));
}

/** A varint field, left out when it is zero. */
export function varintField(writer: Writer, field: number, value: bigint): void {
  if (value === 0n) return;
  byte(writer, field << 3);
  varint(writer, value);
}

/** Appends the points `[from, to)`. */
function rawPoints(
  writer: Writer,
  columns: RawColumns,
  from: number,
  to: number,
  tag: number,
): void {
  const times = columnBytes(RAW_POINTS);
  const a = arena(2 * times + 20 * Math.min(to - from, RAW_POINTS));
  const dst = a.base + 2 * times;
  for (let at = from; at < to; at += RAW_POINTS) {
    const n = Math.min(to - at, RAW_POINTS);
    a.i64.set(columns.times.subarray(at, at + n), a.base >>> 3);
    a.f64.set(columns.values.subarray(at, at + n), (a.base + times) >>> 3);
    append(writer, a, dst, a.exports.encodeRaw(a.base, a.base + times, n, tag, dst));
  }
}

/** Copies `length` bytes out of the arena. */
export function append(writer: Writer, a: Pick<Arena, "u8">, src: number, length: number): void {
  writer.bytes.set(a.u8.subarray(src, src + length), writer.pos);
  writer.pos += length;
}

/** Memory for a message of at most so many bytes; what is in it does not matter. */
export type MessageMemory = (bytes: number) => Uint8Array;

/** Memory of a message's own. */
export function newMemory(bytes: number): Uint8Array {
  return new Uint8Array(bytes);
}

/** The written bytes, without the rest of the buffer. */
export function written(writer: Writer): Uint8Array {
  return writer.pos === writer.bytes.length ? writer.bytes : writer.bytes.subarray(0, writer.pos);
}

/**
 * Bytes that an `InsertParams` of `points` points may take.
 *
 * @param points Number of points.
 */
export function insertBytes(points: number): number {
  return 20 * points + AROUND_BYTES;
}

/**
 * Encodes an `InsertParams` into a buffer that may be used again: a fresh one costs more than the
 * encoding.
 *
 * @param fields Fields of the request.
 * @param target At least {@linkcode insertBytes} of the number of points.
 * @returns The part of `target` that holds the message.
 * @throws {RangeError} If `target` is too small, the uuid too long, or the range not within the
 * columns.
 */
export function encodeInsertInto(fields: InsertFields, target: Uint8Array): Uint8Array {
  const { uuid, columns } = fields;
  const { from, to } = range(columns.times.length, fields.from, fields.to);
  if (target.length < insertBytes(to - from)) {
    throw outOfRange(
      `Cannot encode insert: the target has ${target.length} bytes, expected at least ` +
        `${insertBytes(to - from)}`,
    );
  }
  const writer: Writer = { bytes: target, pos: 0 };
  if (uuid.length > 0) {
    byte(writer, 0x0a);
    byte(writer, uuid.length);
    target.set(uuid, writer.pos);
    writer.pos += uuid.length;
  }
  rawPoints(writer, columns, from, to, INSERT_VALUES);
  if (fields.protocol === "v5") insertTail(writer, fields);
  return written(writer);
}

/** Merge policy and rounding. */
function insertTail(writer: Writer, { mergePolicy = "never", roundBits }: InsertFields): void {
  varintField(writer, 4, BigInt(MERGE_POLICIES.indexOf(mergePolicy)));
  if (roundBits === undefined) return;
  byte(writer, 0x2a);
  const length = writer.pos++;
  byte(writer, 0x10);
  varint(writer, BigInt(roundBits));
  writer.bytes[length] = writer.pos - length - 1;
}

/**
 * Encodes an `InsertParams`.
 *
 * @param fields Fields of the request.
 * @returns The message, in a buffer of its own.
 * @throws {RangeError} If the range is not within the columns.
 */
export function encodeInsert(fields: InsertFields): Uint8Array {
  const { from, to } = range(fields.columns.times.length, fields.from, fields.to);
  return encodeInsertInto(fields, new Uint8Array(insertBytes(to - from)));
}

/**
 * Encodes a `RawValuesResponse`.
 *
 * @param columns Points.
 * @param from First point to be sent.
 * @param to End of the points to be sent, exclusive.
 * @param major Major version.
 * @param minor Minor version.
 * @param memory Gives the memory of the message. Absent: a buffer of its own.
 * @returns The message.
 * @throws {RangeError} If the range is not within the columns.
 */
export function encodeRawResponse(
  columns: RawColumns,
  from: number,
  to: number,
  major: bigint,
  minor: bigint,
  memory: MessageMemory = newMemory,
): Uint8Array {
  range(columns.times.length, from, to);
  const writer: Writer = { bytes: memory(20 * (to - from) + AROUND_BYTES), pos: 0 };
  varintField(writer, 2, major);
  varintField(writer, 3, minor);
  rawPoints(writer, columns, from, to, RESPONSE_VALUES);
  return written(writer);
}

/**
 * Encodes a `SubscribeResponse`.
 *
 * @param uuid 16 bytes.
 * @param columns Points.
 * @param from First point to be sent.
 * @param to End of the points to be sent, exclusive.
 * @returns The message, in a buffer of its own.
 * @throws {RangeError} If the range is not within the columns.
 */
export function encodeSubscribeResponse(
  uuid: Uint8Array,
  columns: RawColumns,
  from: number,
  to: number,
): Uint8Array {
  range(columns.times.length, from, to);
  const writer: Writer = { bytes: new Uint8Array(20 * (to - from) + AROUND_BYTES), pos: 0 };
  rawPoints(writer, columns, from, to, UPDATE_VALUES);
  byte(writer, 0x1a);
  byte(writer, uuid.length);
  writer.bytes.set(uuid, writer.pos);
  writer.pos += uuid.length;
  return written(writer);
}

/** The range of points to be sent, checked. */
export function range(n: number, from = 0, to: number = n): { from: number; to: number } {
  if (!(from >= 0 && from <= to && to <= n)) {
    throw outOfRange(
      `Cannot encode points ${from} to ${to}: expected a range within 0 to ${n}`,
    );
  }
  return { from, to };
}
