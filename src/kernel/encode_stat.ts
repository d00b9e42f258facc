/**
 * Windows to messages, as servers send them. Pages do without it.
 *
 * @module
 */

import type { StatColumns } from "../core/columns.ts";
import { columnBytes } from "./arena.ts";
import {
  append,
  AROUND_BYTES,
  type MessageMemory,
  newMemory,
  range,
  RESPONSE_VALUES,
  varintField,
  type Writer,
  written,
} from "./encode.ts";
import { extendedArena } from "./extended_arena.ts";

/** Windows per call of the kernel. */
const STAT_POINTS = 8_192;

/** Appends the windows `[from, to)`. */
function statPoints(
  writer: Writer,
  columns: StatColumns,
  from: number,
  to: number,
  fields: number,
): void {
  const column = columnBytes(STAT_POINTS);
  const a = extendedArena(6 * column + 56 * Math.min(to - from, STAT_POINTS));
  const dst = a.base + 6 * column;
  const at = (k: number) => (a.base + k * column) >>> 3;
  for (let row = from; row < to; row += STAT_POINTS) {
    const n = Math.min(to - row, STAT_POINTS);
    a.i64.set(columns.times.subarray(row, row + n), at(0));
    a.f64.set(columns.min.subarray(row, row + n), at(1));
    a.f64.set(columns.mean.subarray(row, row + n), at(2));
    a.f64.set(columns.max.subarray(row, row + n), at(3));
    a.u64.set(columns.count.subarray(row, row + n), at(4));
    if (fields === 6) {
      if (columns.stddev === undefined) a.f64.fill(NaN, at(5), at(5) + n);
      else a.f64.set(columns.stddev.subarray(row, row + n), at(5));
    }
    append(writer, a, dst, a.exports.encodeStat(a.base, column, n, fields, RESPONSE_VALUES, dst));
  }
}

/**
 * Encodes an `AlignedWindowsResponse` or a `WindowsResponse`.
 *
 * @param columns Windows.
 * @param from First window to be sent.
 * @param to End of the windows to be sent, exclusive.
 * @param major Major version.
 * @param minor Minor version.
 * @param withStddev True to send `stddev`, as v5 does; NaN where the columns have none.
 * @param memory Gives the memory of the message. Absent: a buffer of its own.
 * @returns The message.
 * @throws {RangeError} If the range is not within the columns.
 */
export function encodeStatResponse(
  columns: StatColumns,
  from: number,
  to: number,
  major: bigint,
  minor: bigint,
  withStddev: boolean,
  memory: MessageMemory = newMemory,
): Uint8Array {
  range(columns.times.length, from, to);
  const pointBytes = withStddev ? 56 : 47;
  const writer: Writer = { bytes: memory(pointBytes * (to - from) + AROUND_BYTES), pos: 0 };
  varintField(writer, 2, major);
  varintField(writer, 3, minor);
  statPoints(writer, columns, from, to, withStddev ? 6 : 5);
  return written(writer);
}
