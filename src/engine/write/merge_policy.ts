/**
 * The merge policies of protocol v5 (docs/protocol.md, "Merge policies"). After an insert
 * with `retain` or `replace` no time of the batch has gained a second point; with `equal` no point
 * of the batch stands twice.
 *
 * @module
 */

import { allocRaw, type RawColumns } from "../../core/columns.ts";
import type { MergePolicy } from "../../endpoint/endpoint.ts";
import { gallop } from "../../core/search.ts";

/** Points after which work may pause. */
const PAUSE_POINTS = 8192;

/** Values at one time above which they are looked up in a set. */
const FEW = 16;

/** Points in order of time, and how far they were looked at. */
class Cursor {
  readonly #points: RawColumns;
  #from = 0;
  #to = 0;

  constructor(points: RawColumns) {
    this.#points = points;
  }

  /** Goes on to the points at a time, which must not be before the last one. */
  moveTo(time: bigint): void {
    const { times } = this.#points;
    this.#from = gallop(times, time, this.#to, times.length);
    this.#to = this.#from;
    while (this.#to < times.length && times[this.#to] === time) this.#to++;
  }

  /** The values at the time it is at. */
  get values(): Float64Array {
    return this.#points.values.subarray(this.#from, this.#to);
  }

  /** Number of points. */
  get count(): number {
    return this.#to - this.#from;
  }
}

/**
 * The points of a batch that remain under a policy. Yields where it may pause.
 *
 * @param batch In order of time.
 * @param existing Stored points at the times of the batch, in order of time.
 */
export function* applyPolicy(
  batch: RawColumns,
  existing: readonly RawColumns[],
  policy: Exclude<MergePolicy, "never">,
): Generator<undefined, RawColumns> {
  const { times, values } = batch;
  const n = times.length;
  const stored = existing.filter((points) => points.times.length > 0)
    .map((points) => new Cursor(points));
  // What collectors send is short and has every time once.
  const isShort = n <= PAUSE_POINTS;
  if (isShort && (policy === "replace" || stored.length === 0) && isAscending(times)) return batch;
  const keep = new Uint32Array(n);
  let kept = 0;
  let pauseAt = PAUSE_POINTS;
  for (let from = 0, to: number; from < n; from = to) {
    to = from + 1;
    while (to < n && times[to] === times[from]) to++;
    if (policy === "replace") {
      keep[kept++] = to - 1;
    } else {
      let inUse = 0;
      for (const cursor of stored) {
        cursor.moveTo(times[from]!);
        inUse += cursor.count;
      }
      if (policy === "equal") kept = keepNew(values, from, to, stored, inUse, keep, kept);
      else if (inUse === 0) keep[kept++] = from;
    }
    if (to < pauseAt) continue;
    pauseAt = to + PAUSE_POINTS;
    yield;
  }
  return kept === n ? batch : yield* pick(batch, keep.subarray(0, kept));
}

/** Tells whether every time is after the one before. */
function isAscending(times: BigInt64Array): boolean {
  for (let i = 1; i < times.length; i++) if (times[i]! <= times[i - 1]!) return false;
  return true;
}

/** Keeps those of the values `[from, to)` of one time that neither are stored nor came before. */
function keepNew(
  values: Float64Array,
  from: number,
  to: number,
  stored: readonly Cursor[],
  inUse: number,
  keep: Uint32Array,
  kept: number,
): number {
  if (inUse === 0 && to - from === 1) {
    keep[kept++] = from;
    return kept;
  }
  if (inUse + to - from <= FEW) {
    for (let i = from; i < to; i++) {
      const isThere = stored.some((cursor) => cursor.count > 0 && has(cursor.values, values[i]!));
      if (!isThere && !has(values.subarray(from, i), values[i]!)) keep[kept++] = i;
    }
    return kept;
  }
  const seen = new Set<number>();
  for (const cursor of stored) for (const value of cursor.values) seen.add(value);
  for (let i = from; i < to; i++) {
    if (!seen.has(values[i]!)) keep[kept++] = i;
    seen.add(values[i]!);
  }
  return kept;
}

function has(values: Float64Array, value: number): boolean {
  for (let i = 0; i < values.length; i++) if (values[i] === value) return true;
  return false;
}

function* pick(
  { times, values }: RawColumns,
  keep: Uint32Array,
): Generator<undefined, RawColumns> {
  const picked = allocRaw(keep.length);
  for (let i = 0; i < keep.length; i++) {
    picked.times[i] = times[keep[i]!]!;
    picked.values[i] = values[keep[i]!]!;
    if (i % PAUSE_POINTS === PAUSE_POINTS - 1) yield;
  }
  return picked;
}

/**
 * Values with their mantissas rounded to `bits` bits, half to even. Yields where it may pause.
 */
export function* roundValues(
  values: Float64Array,
  bits: number,
): Generator<undefined, Float64Array> {
  const rounded = values.slice();
  const drop = BigInt(52 - bits);
  if (drop <= 0n) return rounded;
  const words = new BigUint64Array(rounded.buffer);
  const half = (1n << (drop - 1n)) - 1n;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    words[i] = ((word + half + ((word >> drop) & 1n)) >> drop) << drop;
    if (!Number.isFinite(rounded[i]!)) words[i] = (word >> drop) << drop;
    if (i % PAUSE_POINTS === PAUSE_POINTS - 1) yield;
  }
  return rounded;
}
