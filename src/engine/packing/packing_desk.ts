/**
 * Memory that a writer and its packer share: points of one insert, and the leaves that are made of
 * them.
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";
import type { Stats } from "../tree/node.ts";
import type { ReadyLeaf } from "../tree/ready_leaves.ts";

/** Most points on a desk. */
export const DESK_POINTS = 1_048_576;

/** Points that are laid down in one step: 4 MiB, which take some milliseconds in memory that is new. */
const LAID_POINTS = 262_144;

/** Most leaves on a desk; the packer stops at them, and at the end of the memory for their bytes. */
const DESK_LEAVES = 16_384;

/** Bytes for leaves, for each point: half as many are usual. */
const POINT_BYTES = 5;

/** Nobody works there. */
const FREE = 0;
/** Points were laid down, and wait. */
const LAID = 1;
/** The packer is at work. */
const TAKEN = 2;

/** Places in the control words. */
const STATE = 0, POINTS = 1, NEEDED = 2, LEAVES = 3, CONTROL_WORDS = 16;

/** Numbers of a leaf: its points `[from, to)`, its first byte, and the end of its bytes. */
const LEAF_INTS = 4;
/** Statistics of a leaf but for the count. */
const LEAF_DOUBLES = 4;

const VALUES = 8 * DESK_POINTS;
const DOUBLES = 2 * VALUES;
const INTS = DOUBLES + 8 * LEAF_DOUBLES * DESK_LEAVES;
const CONTROL = INTS + 4 * LEAF_INTS * DESK_LEAVES;
const BYTES = CONTROL + 4 * CONTROL_WORDS;
const DESK_BYTES = BYTES + POINT_BYTES * DESK_POINTS;

/** One of the two sides of the shared memory. */
export class PackingDesk {
  readonly memory: SharedArrayBuffer;
  readonly #times: BigInt64Array<SharedArrayBuffer>;
  readonly #values: Float64Array<SharedArrayBuffer>;
  readonly #doubles: Float64Array<SharedArrayBuffer>;
  readonly #ints: Int32Array<SharedArrayBuffer>;
  readonly #control: Int32Array<SharedArrayBuffer>;
  readonly #bytes: Uint8Array<SharedArrayBuffer>;

  /** @param memory That of the other side; absent: new. */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(DESK_BYTES)) {
    this.memory = memory;
    this.#times = new BigInt64Array(memory, 0, DESK_POINTS);
    this.#values = new Float64Array(memory, VALUES, DESK_POINTS);
    this.#doubles = new Float64Array(memory, DOUBLES, LEAF_DOUBLES * DESK_LEAVES);
    this.#ints = new Int32Array(memory, INTS, LEAF_INTS * DESK_LEAVES);
    this.#control = new Int32Array(memory, CONTROL, CONTROL_WORDS);
    this.#bytes = new Uint8Array(memory, BYTES);
  }

  // ---- the writer's side ----

  /**
   * Lays down points, at most {@linkcode DESK_POINTS}, and pauses after each part of them; the desk must
   * be free.
   */
  *lay({ times, values }: RawColumns): Generator<undefined, void> {
    for (let from = 0; from < times.length; from += LAID_POINTS) {
      if (from > 0) yield;
      this.#times.set(times.subarray(from, from + LAID_POINTS), from);
      this.#values.set(values.subarray(from, from + LAID_POINTS), from);
    }
    this.#control[POINTS] = times.length;
    this.#control[NEEDED] = 0;
    this.#control[LEAVES] = 0;
    Atomics.store(this.#control, STATE, LAID);
  }

  /** Says that no points before this one are needed any more. */
  pass(point: number): void {
    Atomics.store(this.#control, NEEDED, point);
  }

  /** Takes back what was laid down; it is free once the packer has noticed. */
  clear(): void {
    this.pass(DESK_POINTS);
    Atomics.compareExchange(this.#control, STATE, LAID, FREE);
  }

  /** Tells whether nobody is at work. */
  get isFree(): boolean {
    return Atomics.load(this.#control, STATE) === FREE;
  }

  /** The leaf with the points `[from, to)`, if it is there; its bytes are valid until the desk is used again. */
  find(from: number, to: number): ReadyLeaf | undefined {
    // They come from the last to the first.
    const { leaves } = this;
    let low = 0, high = leaves;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ints[LEAF_INTS * middle]! > from) low = middle + 1;
      else high = middle;
    }
    const i = LEAF_INTS * low;
    if (low === leaves) return undefined;
    if (this.#ints[i] !== from || this.#ints[i + 1] !== to) return undefined;
    const d = LEAF_DOUBLES * low;
    return {
      content: this.#bytes.subarray(this.#ints[i + 2]!, this.#ints[i + 3]!),
      stats: {
        count: to - from,
        min: this.#doubles[d]!,
        mean: this.#doubles[d + 1]!,
        max: this.#doubles[d + 2]!,
        m2: this.#doubles[d + 3]!,
      },
    };
  }

  /** Time of a point that was laid down. */
  timeOf(point: number): bigint {
    return this.#times[point]!;
  }

  /** Leaves that were put down. */
  get leaves(): number {
    return Atomics.load(this.#control, LEAVES);
  }

  // ---- the packer's side ----

  /** Begins with the points that were laid down; `undefined` if they were taken back. */
  take(): RawColumns | undefined {
    if (Atomics.compareExchange(this.#control, STATE, LAID, TAKEN) !== LAID) return undefined;
    const n = this.#control[POINTS]!;
    // Shared memory under the types of one's own: nothing that is done with them tells one from the other.
    return {
      times: this.#times.subarray(0, n) as BigInt64Array,
      values: this.#values.subarray(0, n) as Float64Array,
    };
  }

  /** The point before which none are needed any more. */
  get needed(): number {
    return Atomics.load(this.#control, NEEDED);
  }

  /**
   * Puts down the leaf with the points `[from, to)`.
   *
   * @returns False if there was no room.
   */
  put(from: number, to: number, content: Uint8Array, { min, mean, max, m2 }: Stats): boolean {
    const leaf = this.#control[LEAVES]!;
    const i = LEAF_INTS * leaf, d = LEAF_DOUBLES * leaf;
    const at = leaf === 0 ? 0 : this.#ints[i - 1]!;
    const end = at + content.length;
    if (leaf === DESK_LEAVES || end > this.#bytes.length) return false;
    this.#bytes.set(content, at);
    this.#ints[i] = from;
    this.#ints[i + 1] = to;
    this.#ints[i + 2] = at;
    this.#ints[i + 3] = end;
    this.#doubles[d] = min;
    this.#doubles[d + 1] = mean;
    this.#doubles[d + 2] = max;
    this.#doubles[d + 3] = m2;
    Atomics.store(this.#control, LEAVES, leaf + 1);
    return true;
  }

  /** Leaves the desk. */
  leave(): void {
    Atomics.store(this.#control, STATE, FREE);
  }
}
