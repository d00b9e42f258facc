/**
 * Responses with points, wire bytes to columns (docs/protocol.md, "Messages"). Runs of points go
 * through the kernel, whatever stands around them through {@linkcode WireReader}.
 *
 * Malformed bytes are a `BTrDBError` of code 0 and status `INTERNAL`.
 *
 * @module
 */

import { allocStat, concatRaw, concatStat, emptyRaw } from "../core/columns.ts";
import type { RawColumns, StatColumns } from "../core/columns.ts";
import { columnBytes } from "./arena.ts";
import { BLOCKS, POINTS_IN_BLOCKS, readBlocks } from "./wire_blocks.ts";
import { Wire, WireReader } from "./wire_reader.ts";
import { RAW_RUN, RESULT_BYTES, type Run, RunReader } from "./wire_runs.ts";

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

/** Points per call: outputs and the window of the message stay in the second-level cache. */
const STAT_POINTS = 8_192;
/** Largest usual size of a point with tag and length. */
const STAT_POINT_BYTES = 56;

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
