/**
 * Arrow IPC streams of few points whose like was read before. The messages of a subscription differ
 * in nothing but their points: to read all about their columns anew costs many times as much as to
 * copy these.
 *
 * @module
 */

import type { Table } from "@uwdata/flechette";
import { allocRaw, type RawColumns } from "../core/columns.ts";
import { viewsOfRaw } from "./table.ts";

/** Longest stream that is kept, bytes: some 1,000 points. */
const MOST_BYTES = 20_000;

/** Lengths of streams that are kept; the one that came first makes room. */
const MOST_LAYOUTS = 64;

/** First bytes of a stream. The batches of a file may lie anywhere in it, also in each other. */
const STREAM = 0xff;

/** Columns are views into the bytes where these begin at a multiple of this. */
const ALIGNMENT = 8;

/** A stream that was read, and where its columns are. */
interface Layout {
  readonly bytes: Uint8Array;
  /** Number of points. */
  readonly points: number;
  /** Offset of the times, bytes. */
  readonly times: number;
  /** Offset of the values, bytes. */
  readonly values: number;
}

/** The layouts of streams that were read. */
export class IpcLayouts {
  readonly #layouts = new Map<number, Layout>();

  /**
   * The points of a stream that is, but for its points, as one that was read.
   *
   * @returns Columns of their own; undefined if no such stream is known.
   */
  read(bytes: Uint8Array): RawColumns | undefined {
    const layout = this.#layouts.get(bytes.length);
    if (layout === undefined || !isLike(layout, bytes)) return undefined;
    const { points, times, values } = layout;
    const columns = allocRaw(points);
    new Uint8Array(columns.times.buffer).set(bytes.subarray(times, times + 8 * points));
    new Uint8Array(columns.values.buffer).set(bytes.subarray(values, values + 8 * points));
    return columns;
  }

  /**
   * Takes note of a stream, if it is short and its columns are in it as they are.
   *
   * @param bytes The stream.
   * @param table Its table.
   */
  keep(bytes: Uint8Array, table: Table): void {
    const isShort = bytes.length <= MOST_BYTES && bytes[0] === STREAM;
    if (!isShort || bytes.byteOffset % ALIGNMENT !== 0) return;
    const views = viewsOfRaw(table);
    if (views === undefined || views.times.buffer !== bytes.buffer) return;
    if (views.values.buffer !== bytes.buffer) return;
    if (this.#layouts.size === MOST_LAYOUTS && !this.#layouts.has(bytes.length)) {
      this.#layouts.delete(this.#layouts.keys().next().value!);
    }
    this.#layouts.set(bytes.length, {
      bytes: bytes.slice(),
      points: views.times.length,
      times: views.times.byteOffset - bytes.byteOffset,
      values: views.values.byteOffset - bytes.byteOffset,
    });
  }
}

/** Tells whether all bytes are the same that are neither times nor values. */
function isLike({ bytes, points, times, values }: Layout, others: Uint8Array): boolean {
  const first = Math.min(times, values), second = Math.max(times, values);
  return isSame(bytes, others, 0, first) && isSame(bytes, others, first + 8 * points, second) &&
    isSame(bytes, others, second + 8 * points, bytes.length);
}

function isSame(a: Uint8Array, b: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (a[i] !== b[i]) return false;
  return true;
}
