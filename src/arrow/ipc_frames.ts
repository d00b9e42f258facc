/**
 * Arrow IPC streams of few points. All streams of as many points have the same bytes around them, so
 * these are made once: making them costs ten times as much as copying the points.
 *
 * @module
 */

import { allocRaw, type RawColumns } from "../core/columns.ts";

/** Most points of a stream whose frame is kept. */
const MOST_POINTS = 1024;

/** Numbers of points whose frames are kept; the one that was made first makes room. */
const MOST_FRAMES = 64;

/** Eight bytes that stand for a time or a value while a frame is made. */
const TIME_MARK = 0x5a5a_5a5a_5a5a_5a5an;
const VALUE_MARK = 0x3535_3535_3535_3535n;

/** A stream without its points. */
interface Frame {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Offsets of the columns, in units of eight bytes. */
  readonly times: number;
  readonly values: number;
}

/** Makes streams of one schema. */
export class IpcFrames {
  readonly #make: (columns: RawColumns) => Uint8Array<ArrayBuffer>;
  readonly #frames = new Map<number, Frame>();

  /** @param make Makes a stream of any length. */
  constructor(make: (columns: RawColumns) => Uint8Array<ArrayBuffer>) {
    this.#make = make;
  }

  /** The stream of some points. */
  fill(columns: RawColumns): Uint8Array<ArrayBuffer> {
    const n = columns.times.length;
    const isShort = n > 0 && n <= MOST_POINTS && columns.values.length === n;
    if (!isShort) return this.#make(columns);
    const { bytes, times, values } = this.#frames.get(n) ?? this.#keep(n);
    const stream = bytes.slice();
    new BigInt64Array(stream.buffer, 8 * times, n).set(columns.times);
    new Float64Array(stream.buffer, 8 * values, n).set(columns.values);
    return stream;
  }

  #keep(n: number): Frame {
    const marks = allocRaw(n);
    marks.times.fill(TIME_MARK);
    new BigInt64Array(marks.values.buffer).fill(VALUE_MARK);
    const made = this.#make(marks);
    // Of their own, and a multiple of eight bytes, which messages of Arrow are.
    const bytes = new Uint8Array(made.length);
    bytes.set(made);
    const words = new BigInt64Array(bytes.buffer);
    const frame = { bytes, times: runOf(TIME_MARK, n, words), values: runOf(VALUE_MARK, n, words) };
    if (this.#frames.size === MOST_FRAMES) {
      this.#frames.delete(this.#frames.keys().next().value!);
    }
    this.#frames.set(n, frame);
    return frame;
  }
}

/** The beginning of `n` marks in a row, which are there once. */
function runOf(mark: bigint, n: number, words: BigInt64Array): number {
  const at = words.indexOf(mark);
  if (at < 0 || words.lastIndexOf(mark) !== at + n - 1) {
    throw new Error("Cannot write Arrow: the columns are not in one piece each");
  }
  return at;
}
