/**
 * Messages with points, wire bytes to columns (docs/protocol.md, "Messages"). Runs of points go
 * through the kernel, whatever stands around them through {@linkcode WireReader}.
 *
 * Malformed bytes are a `BTrDBError` of code 0 and status `INTERNAL`.
 *
 * @module
 */

import {
  allocStat,
  concatRaw,
  concatStat,
  emptyRaw,
  type RawColumns,
  sliceRaw,
  type StatColumns,
} from "../core/columns.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { atOnce } from "../core/pacer.ts";
import { type Arena, arena, columnBytes } from "./arena.ts";
import { BLOCKS, POINTS_IN_BLOCKS, readBlocks } from "./wire_blocks.ts";
import { Wire, WireReader } from "./wire_reader.ts";

/** Status and version of a response. */
export interface ResponseHead {
  /** BTrDB code of `stat`; 0 without one. */
  code: number;
  /** Text of `stat`; empty without one. */
  message: string;
  /** Major version. */
  major: bigint;
  /** Minor version. */
  minor: bigint;
}

/** A `RawValuesResponse`. */
export interface RawResponse extends ResponseHead {
  columns: RawColumns;
}

/** An `AlignedWindowsResponse` or `WindowsResponse`. */
export interface StatResponse extends ResponseHead {
  columns: StatColumns;
}

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

/** `[points, status, …]` as the kernel leaves it. */
const RESULT_BYTES = 64;
/** Points per call: outputs and the window of the message stay in the second-level cache. */
const RAW_POINTS = 32_768;
const STAT_POINTS = 8_192;
/** Largest usual size of a point with tag and length. */
const RAW_POINT_BYTES = 20;
const STAT_POINT_BYTES = 56;

/** One call of the kernel on a window of the message; the bytes it consumed. */
interface Run<Columns> {
  readonly points: number;
  readonly pointBytes: number;
  readonly columns: number;
  call(a: Arena, src: number, length: number, tag: number): number;
  take(a: Arena, points: number): Columns;
}

const RAW_RUN: Run<RawColumns> = {
  points: RAW_POINTS,
  pointBytes: RAW_POINT_BYTES,
  columns: 2,
  call(a, src, length, tag) {
    const times = a.base + RESULT_BYTES;
    const values = times + columnBytes(RAW_POINTS);
    return a.exports.decodeRaw(src, length, tag, times, values, RAW_POINTS, a.base);
  },
  take(a, points) {
    const times = (a.base + RESULT_BYTES) >>> 3;
    const values = times + (columnBytes(RAW_POINTS) >>> 3);
    return {
      times: a.i64.slice(times, times + points),
      values: a.f64.slice(values, values + points),
    };
  },
};

/** @param stddev True to keep that column; `undefined`: when any point had it. */
function statRun(stddev: boolean | undefined): Run<StatColumns> {
  const column = columnBytes(STAT_POINTS);
  return {
    points: STAT_POINTS,
    pointBytes: STAT_POINT_BYTES,
    columns: 6,
    call(a, src, length, tag) {
      const to = a.base + RESULT_BYTES;
      return a.exports.decodeStat(src, length, tag, to, column, STAT_POINTS, a.base);
    },
    take(a, points) {
      const at = (k: number) => (a.base + RESULT_BYTES + k * column) >>> 3;
      const doubles = (k: number) => a.f64.slice(at(k), at(k) + points);
      const columns: StatColumns = {
        times: a.i64.slice(at(0), at(0) + points),
        min: doubles(1),
        mean: doubles(2),
        max: doubles(3),
        count: a.u64.slice(at(4), at(4) + points),
      };
      if (stddev ?? a.u32[(a.base >>> 2) + 2] === 1) columns.stddev = doubles(5);
      return columns;
    },
  };
}

/** Bytes that are looked at for points at first where the runs before were short. */
const SHORT_WINDOW = 4_096;

/** Bytes that are looked at in one step while most of them are no points but fields that nobody knows. */
const SPARSE_WINDOW = 131_072;

/** Times as long as points are, from which on they are sparse. */
const SPARSE = 4;

/** Reads the runs of points of one message, with a window on it as long as the runs are. */
class RunReader<Columns> {
  readonly #reader: WireReader;
  readonly #run: Run<Columns>;
  readonly #mostBytes: number;
  #window: number;

  /** @param mostBytes Longest point that is taken. */
  constructor(reader: WireReader, run: Run<Columns>, mostBytes = Infinity) {
    this.#reader = reader;
    this.#run = run;
    this.#mostBytes = mostBytes;
    // Longest where points may be of any length: answers, which are decoded at once.
    const most = run.points * run.pointBytes;
    this.#window = mostBytes === Infinity ? most : Math.min(most, SPARSE_WINDOW);
  }

  /** Decodes the run of points whose first tag was just read; stops before anything else. */
  read<T>(tag: number, take: (a: Arena, points: number) => T): T {
    const reader = this.#reader, run = this.#run;
    const start = reader.pos;
    const left = reader.end - start;
    const most = run.points * run.pointBytes;
    const src = RESULT_BYTES + run.columns * columnBytes(run.points);
    for (let length = Math.min(left, this.#window);;) {
      const a = arena(src + 1 + length);
      a.u8[a.base + src] = tag;
      a.u8.set(reader.bytes.subarray(start, start + length), a.base + src + 1);
      const consumed = run.call(a, a.base + src, length + 1, tag);
      const status = a.u32[(a.base >>> 2) + 1]!;
      if (status !== 0) throw reader.malformed("a point is malformed", start + consumed);
      if (consumed > 0) {
        const points = a.u32[a.base >>> 2]!;
        const isSparse = consumed > SPARSE * points * run.pointBytes;
        // What lies behind a short run was copied for nothing.
        this.#window = 4 * consumed < length
          ? Math.max(SHORT_WINDOW, length >>> 2)
          : Math.min(isSparse ? SPARSE_WINDOW : most, 4 * length);
        reader.pos = start + consumed - 1;
        return take(a, points);
      }
      if (length === left) throw reader.malformed("a point is cut short", start);
      if (length >= this.#mostBytes) {
        throw reader.malformed(`a point is longer than ${this.#mostBytes} bytes`, start);
      }
      length = Math.min(left, 4 * length);
    }
  }
}

/** Field numbers of the responses. */
const STAT = 1, MAJOR = 2, MINOR = 3, VALUES = 4;

/**
 * Reads a response; the batches of its points go to `batches`.
 *
 * @param decodeBlocks Reads points that came in blocks; absent where none come so.
 */
function readResponse<C>(
  reader: WireReader,
  run: Run<C>,
  batches: C[],
  decodeBlocks?: (reader: WireReader, points: bigint) => C,
): ResponseHead {
  const head: ResponseHead = { code: 0, message: "", major: 0n, minor: 0n };
  const runs = new RunReader(reader, run);
  let pointsInBlocks: bigint | undefined, hasBlocks = false;
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (tag === (VALUES << 3 | Wire.Bytes)) {
      batches.push(runs.read(tag, run.take));
      continue;
    }
    if (tag === (MAJOR << 3 | Wire.Varint)) head.major = reader.uint64();
    else if (tag === (MINOR << 3 | Wire.Varint)) head.minor = reader.uint64();
    else if (tag === (STAT << 3 | Wire.Bytes)) readStatus(reader.message(), head);
    else if (tag === POINTS_IN_BLOCKS) pointsInBlocks = reader.uint64();
    else if (tag === BLOCKS && decodeBlocks !== undefined) {
      // Few bytes can be many points: those of a message are bounded by this.
      if (hasBlocks) throw reader.malformed("blocks come twice");
      hasBlocks = true;
      batches.push(decodeBlocks(reader, pointsInBlocks ?? 0n));
      pointsInBlocks = undefined;
    } else reader.skip(tag);
  }
  if (pointsInBlocks !== undefined && decodeBlocks !== undefined) {
    throw reader.malformed(`blocks of ${pointsInBlocks} points are missing`);
  }
  return head;
}

/** Reads code and message of a `Status`. */
function readStatus(reader: WireReader, head: ResponseHead): void {
  while (reader.pos < reader.end) {
    const tag = reader.tag();
    if (tag === (1 << 3 | Wire.Varint)) head.code = reader.uint32();
    else if (tag === (2 << 3 | Wire.Bytes)) head.message = reader.text();
    else reader.skip(tag);
  }
}

/**
 * Decodes a `RawValuesResponse`, v4 or v5.
 *
 * @param bytes The message.
 * @throws {BTrDBError} `INTERNAL` if the bytes are malformed.
 */
export function decodeRawResponse(bytes: Uint8Array): RawResponse {
  const batches: RawColumns[] = [];
  const reader = new WireReader(bytes, "RawValuesResponse");
  const head = readResponse(reader, RAW_RUN, batches, readBlocks);
  const { code, message, major, minor } = head;
  return { code, message, major, minor, columns: joinRaw(batches) };
}

/**
 * Decodes an `AlignedWindowsResponse` or a `WindowsResponse`, v4 or v5.
 *
 * @param bytes The message.
 * @param stddev True if the columns have `stddev`. Absent: when any point of the message has it;
 * a v5 message whose windows are all of one point has none, so say `true` where v5 is spoken.
 * @throws {BTrDBError} `INTERNAL` if the bytes are malformed.
 */
export function decodeStatResponse(bytes: Uint8Array, stddev?: boolean): StatResponse {
  const batches: StatColumns[] = [];
  const reader = new WireReader(bytes, "windows response");
  const { code, message, major, minor } = readResponse(reader, statRun(stddev), batches);
  return { code, message, major, minor, columns: joinStat(batches, stddev) };
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

/** The points of a message, in columns as long as it takes if all its bytes are full points. */
class PointsOfMessage {
  #columns: RawColumns;
  #pending: RawColumns | undefined;
  length = 0;

  constructor(bytes: number, most: number) {
    // The fields around the points are shorter than one: there is room for these, and no more.
    const capacity = Math.min(Math.floor(bytes / RAW_POINT_BYTES), most + RAW_POINTS);
    this.#columns = { times: new BigInt64Array(capacity), values: new Float64Array(capacity) };
  }

  /** The points; views into the columns where these are longer. */
  get columns(): RawColumns {
    if (this.length === this.#columns.times.length) return this.#columns;
    return sliceRaw(this.#columns, 0, this.length);
  }

  /**
   * Takes points out of the arena.
   *
   * @returns False if there is no room: {@linkcode grow} puts them where they belong.
   */
  append(a: Arena, points: number): boolean {
    if (this.length + points > this.#columns.times.length) {
      this.#pending = RAW_RUN.take(a, points);
      return false;
    }
    const times = (a.base + RESULT_BYTES) >>> 3;
    const values = times + (columnBytes(RAW_POINTS) >>> 3);
    this.#columns.times.set(a.i64.subarray(times, times + points), this.length);
    this.#columns.values.set(a.f64.subarray(values, values + points), this.length);
    this.length += points;
    return true;
  }

  /** Makes more room, in steps. */
  *grow(): Generator<undefined, void> {
    const pending = this.#pending!, old = this.#columns;
    const points = pending.times.length;
    const capacity = Math.max(2 * old.times.length, this.length + points);
    const columns = { times: new BigInt64Array(capacity), values: new Float64Array(capacity) };
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
  const points = new PointsOfMessage(bytes.length, most);
  let uuid = new Uint8Array(0);
  let sync = false;
  let policy = 0;
  let roundBits: number | undefined;
  let yielded = 0;
  while (reader.pos < reader.end && points.length <= most) {
    const tag = reader.tag();
    if (tag === (3 << 3 | Wire.Bytes)) {
      const read = runs.read(tag, (a, n) => points.append(a, n));
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

function joinRaw(batches: RawColumns[]): RawColumns {
  return batches.length === 0
    ? emptyRaw()
    : batches.length === 1
    ? batches[0]!
    : concatRaw(batches);
}

function joinStat(batches: StatColumns[], stddev: boolean | undefined): StatColumns {
  if (batches.length === 0) return allocStat(0, stddev ?? false);
  if (batches.length === 1) return batches[0]!;
  if (batches.some((batch) => batch.stddev !== undefined)) {
    for (const batch of batches) batch.stddev ??= new Float64Array(batch.times.length);
  }
  return concatStat(batches);
}
