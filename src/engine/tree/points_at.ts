/**
 * Looking up many exact times in the tree at once.
 *
 * @module
 */

import { allocRaw, emptyRaw, type RawColumns } from "../../core/columns.ts";
import { GrowingColumns } from "../../kernel/growing_columns.ts";
import { ABSENT, INNER, type InnerNode } from "./node.ts";
import { gallop } from "../../core/search.ts";
import type { BlockStore } from "./block_store.ts";

/** Points that are copied in one step. */
const STEP_POINTS = 65_536;

/** Points that were found, in columns of which none grows to more than a step. */
class FoundPoints {
  readonly #whole: RawColumns[] = [];
  readonly #rest = new GrowingColumns();
  #restLength = 0;
  #length = 0;

  /** Number of points. */
  get length(): number {
    return this.#length;
  }

  append(times: BigInt64Array, values: Float64Array): void {
    this.#rest.append(times, values);
    this.#length += times.length;
    this.#restLength += times.length;
    if (this.#restLength < STEP_POINTS) return;
    this.#whole.push(this.#rest.take());
    this.#restLength = 0;
  }

  /** All of them. Yields where it may pause. */
  *take(): Generator<undefined, RawColumns> {
    const rest = this.#rest.take();
    if (this.#whole.length === 0) return rest;
    const n = this.#length;
    const all: RawColumns = allocRaw(n);
    let at = 0;
    for (const { times, values } of [...this.#whole, rest]) {
      yield;
      all.times.set(times, at);
      all.values.set(values, at);
      at += times.length;
    }
    return all;
  }
}

/**
 * The points of the tree that stand at one of the given times, in order of time. Yields where it may
 * pause.
 *
 * @param root Address of the root, 0 for an empty tree.
 * @param times Ascending.
 * @param enough Points after which no more need be found.
 */
export function* pointsAt(
  store: BlockStore,
  root: number,
  times: BigInt64Array,
  enough: number = Infinity,
): Generator<undefined, RawColumns> {
  if (root === 0) return NO_POINTS;
  const found = new FoundPoints();
  yield* matchInner(store, store.readRoot(root), times, 0, times.length, found, enough);
  return yield* found.take();
}

function* matchInner(
  store: BlockStore,
  node: InnerNode,
  times: BigInt64Array,
  from: number,
  to: number,
  found: FoundPoints,
  enough: number,
): Generator<undefined> {
  let at = from;
  while (at < to && found.length < enough) {
    const b = node.clampBucket(times[at]!);
    const next = gallop(times, node.bucketStart(b + 1), at, to);
    const kind = node.kinds[b]!;
    if (kind === INNER) {
      yield* matchInner(store, store.readInner(node, b), times, at, next, found, enough);
    } else if (kind !== ABSENT) {
      matchRun(store.readLeaf(node, b), times, at, next, found);
      yield;
    }
    at = next;
  }
}

/** Times that are looked up in one step. */
const STEP_TIMES = 8_192;

/**
 * The points of a sorted run at one of the times. Yields where it may pause.
 *
 * @param times Ascending. Most come after all that is there, which is seen at once.
 */
export function* pointsOfRun(
  run: RawColumns,
  times: BigInt64Array,
): Generator<undefined, RawColumns> {
  const last = run.times.at(-1);
  if (last === undefined || times.length === 0 || times[0]! > last) return NO_POINTS;
  const found = new FoundPoints();
  for (let from = 0; from < times.length && times[from]! <= last; from += STEP_TIMES) {
    if (from > 0) yield;
    matchRun(run, times, from, Math.min(from + STEP_TIMES, times.length), found);
  }
  return yield* found.take();
}

/** Collects the points of a sorted run at one of the times `[from, to)`, neighbours together. */
function matchRun(
  run: RawColumns,
  times: BigInt64Array,
  from: number,
  to: number,
  found: FoundPoints,
): void {
  let first = 0, low = 0;
  const flush = () => {
    if (first < low) {
      found.append(run.times.subarray(first, low), run.values.subarray(first, low));
    }
  };
  const n = run.times.length;
  for (let i = from; i < to && low < n; i++) {
    const time = times[i]!;
    if (i > 0 && time === times[i - 1]) continue;
    const next = gallop(run.times, time, low, n);
    if (next > low) {
      flush();
      first = low = next;
    }
    while (low < n && run.times[low] === time) low++;
  }
  flush();
}

const NO_POINTS: RawColumns = emptyRaw();
