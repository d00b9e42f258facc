/**
 * Inserts, wire bytes to columns (docs/protocol.md, "Messages"). Runs of points go through the kernel,
 * whatever stands around them through {@linkcode WireReader}.
 *
 * Malformed bytes are a `BTrDBError` of code 0 and status `INTERNAL`.
 *
 * @module
 */

import { allocRaw, type RawColumns, sharedRaw, sliceRaw } from "../core/columns.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { atOnce } from "../core/pacer.ts";
import type { Arena } from "./arena.ts";
import { Wire, WireReader } from "./wire_reader.ts";
import { RAW_POINTS, RAW_RUN, rawOffsets, RunReader } from "./wire_runs.ts";

/** Merge policy of an `InsertParams`. */
export type WireMergePolicy = "never" | "equal" | "retain" | "replace";

/** Names of the numbers of `MergePolicy`. */
export const MERGE_POLICIES: readonly WireMergePolicy[] = ["never", "equal", "retain", "replace"];

/** An `InsertParams`. */
export interface InsertMessage {
  /** As sent; 16 bytes if the peer is right. */
  uuid: Uint8Array<ArrayBuffer>;
  sync: boolean;
  /** `"never"` when the message has none, as v4 messages have not. */
  mergePolicy: WireMergePolicy;
  /** Mantissa bits to keep; `undefined` without a `RoundSpec`. */
  roundBits: number | undefined;
  columns: RawColumns;
}

/**
 * Decodes an `InsertParams`, v4 or v5.
 *
 * @param bytes The message.
 * @throws {BTrDBError} `INTERNAL` if the bytes are malformed, 438 if the merge policy is unknown.
 */
export function decodeInsert(bytes: Uint8Array): InsertMessage {
  return atOnce(decodeInsertInSteps(bytes));
}

/** Points copied in one step when there has to be more room. */
const STEP_POINTS = 65_536;

/** Points of a message, in columns as long as it takes if all of it is like its first points. */
class PointsOfMessage {
  readonly #reader: WireReader;
  readonly #most: number;
  #columns = sharedRaw(0);
  #pending: RawColumns | undefined;
  length = 0;

  constructor(reader: WireReader, most: number) {
    this.#reader = reader;
    this.#most = most;
  }

  /** The points; views into the columns where these are longer. */
  get columns(): RawColumns {
    if (this.length === this.#columns.times.length) return this.#columns;
    return sliceRaw(this.#columns, 0, this.length);
  }

  /**
   * Takes points out of the arena.
   *
   * @param start Their first byte in the message, of which they are read.
   * @returns False if there is no room: {@linkcode grow} puts them where they belong.
   */
  append(a: Arena, points: number, start: number): boolean {
    if (this.length === 0 && points > 0) this.#columns = sharedRaw(this.#expected(points, start));
    if (this.length + points > this.#columns.times.length) {
      this.#pending = RAW_RUN.take(a, points);
      return false;
    }
    const { times, values } = rawOffsets(a);
    this.#columns.times.set(a.i64.subarray(times, times + points), this.length);
    this.#columns.values.set(a.f64.subarray(values, values + points), this.length);
    this.length += points;
    return true;
  }

  /** Points of the message if the rest is like the first ones, no more than it may have and a run. */
  #expected(points: number, start: number): number {
    const { pos, end } = this.#reader;
    const rest = Math.floor(points * (end - pos) / (pos - start));
    return points + Math.min(rest, Math.max(0, this.#most + RAW_POINTS - points));
  }

  /** Makes more room, in steps. */
  *grow(): Generator<undefined, void> {
    const pending = this.#pending!, old = this.#columns;
    const points = pending.times.length;
    const capacity = Math.max(2 * old.times.length, this.length + points);
    const columns = allocRaw(capacity);
    for (let at = 0; at < this.length; at += STEP_POINTS) {
      const { times, values } = sliceRaw(old, at, Math.min(at + STEP_POINTS, this.length));
      columns.times.set(times, at);
      columns.values.set(values, at);
      yield;
    }
    columns.times.set(pending.times, this.length);
    columns.values.set(pending.values, this.length);
    this.length += points;
    this.#columns = columns;
    this.#pending = undefined;
  }
}

/** The uuid of a message that has none. */
const NO_UUID = new Uint8Array(0);

/** Longest point of an insert, unknown fields included. */
const MAX_POINT_BYTES = 65_536;

/** Longest uuid that is copied: one that is longer than it may be stays so. */
const UUID_BYTES = 17;

/** Fields beside points that are read in one step. */
const STEP_FIELDS = 1_024;

/**
 * As {@linkcode decodeInsert}, in steps of at most 32,768 points.
 *
 * @param bytes The message.
 * @param most Number of points above which the rest of the message is left unread.
 * @returns Yields between steps.
 */
export function* decodeInsertInSteps(
  bytes: Uint8Array,
  most: number = Infinity,
): Generator<undefined, InsertMessage> {
  const reader = new WireReader(bytes, "InsertParams");
  const runs = new RunReader(reader, RAW_RUN, MAX_POINT_BYTES);
  const points = new PointsOfMessage(reader, most);
  let uuid = NO_UUID;
  let sync = false;
  let policy = 0;
  let roundBits: number | undefined;
  let yielded = 0;
  while (reader.pos < reader.end && points.length <= most) {
    const start = reader.pos;
    const tag = reader.tag();
    if (tag === (3 << 3 | Wire.Bytes)) {
      const read = runs.read(tag, (a, n) => points.append(a, n, start));
      if (!read) yield* points.grow();
      yield;
      continue;
    }
    if (tag === (1 << 3 | Wire.Bytes)) uuid = reader.copy(UUID_BYTES);
    else if (tag === (2 << 3 | Wire.Varint)) sync = reader.uint64() !== 0n;
    else if (tag === (4 << 3 | Wire.Varint)) policy = reader.int32();
    else if (tag === (5 << 3 | Wire.Bytes)) roundBits = readRounding(reader.message()) ?? roundBits;
    else reader.skip(tag);
    if (reader.count.fields - yielded >= STEP_FIELDS) {
      yielded = reader.count.fields;
      yield;
    }
  }
  const mergePolicy = MERGE_POLICIES[policy];
  if (mergePolicy === undefined) {
    throw new BTrDBError(`Cannot insert: merge policy is ${policy}, expected 0 to 3`, {
      code: ErrorCode.InvalidParameter,
    });
  }
  return { uuid, sync, mergePolicy, roundBits, columns: points.columns };
}

/** Reads the bits of a `RoundSpec`. */
function readRounding(reader: WireReader): number | undefined {
  let bits: number | undefined;
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (tag === (2 << 3 | Wire.Varint)) bits = reader.int32();
    else reader.skip(tag);
  }
  return bits;
}
