/**
 * Runs of points in a message, wire bytes to columns: the kernel reads them, a window of the message
 * at a time.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { type Arena, arena, columnBytes } from "./arena.ts";
import type { WireReader } from "./wire_reader.ts";

/** `[points, status, …]` as the kernel leaves it. */
export const RESULT_BYTES = 64;
/** Points per call: outputs and the window of the message stay in the second-level cache. */
export const RAW_POINTS = 32_768;
/** Largest usual size of a raw point with tag and length. */
export const RAW_POINT_BYTES = 20;

/** A kind of points, and how the kernel reads them. */
export interface Run<Columns> {
  /** Points per call. */
  readonly points: number;
  /** Largest usual size of a point with tag and length. */
  readonly pointBytes: number;
  readonly columns: number;
  /** One call of the kernel on a window of the message; the bytes it consumed. */
  call(a: Arena, src: number, length: number, tag: number): number;
  /** A copy of the points that it left in the arena. */
  take(a: Arena, points: number): Columns;
}

/** Offsets of the raw points that the kernel left, in elements of the arena's columns. */
export function rawOffsets(a: Arena): { times: number; values: number } {
  const times = (a.base + RESULT_BYTES) >>> 3;
  return { times, values: times + (columnBytes(RAW_POINTS) >>> 3) };
}

/** Raw points. */
export const RAW_RUN: Run<RawColumns> = {
  points: RAW_POINTS,
  pointBytes: RAW_POINT_BYTES,
  columns: 2,
  call(a, src, length, tag) {
    const times = a.base + RESULT_BYTES;
    const values = times + columnBytes(RAW_POINTS);
    return a.exports.decodeRaw(src, length, tag, times, values, RAW_POINTS, a.base);
  },
  take(a, points) {
    const { times, values } = rawOffsets(a);
    return {
      times: a.i64.slice(times, times + points),
      values: a.f64.slice(values, values + points),
    };
  },
};

/** Bytes that are looked at for points at first where the runs before were short. */
const SHORT_WINDOW = 4_096;

/** Bytes that are looked at in one step while most of them are no points but fields that nobody knows. */
const SPARSE_WINDOW = 131_072;

/** Times as long as points are, from which on they are sparse. */
const SPARSE = 4;

/** Reads the runs of points of one message, with a window on it as long as the runs are. */
export class RunReader<Columns> {
  readonly #reader: WireReader;
  readonly #run: Run<Columns>;
  readonly #mostBytes: number;
  #window: number;

  /** @param mostBytes Longest point that is taken. */
  constructor(reader: WireReader, run: Run<Columns>, mostBytes: number = Infinity) {
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
