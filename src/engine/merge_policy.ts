/**
 * What the merge policies of protocol v5 mean (docs/protocol.md, "Merge policies"). After an insert
 * with `retain` or `replace` no time of the batch has gained a second point; with `equal` no point
 * of the batch stands twice.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import type { MergePolicy } from "../endpoint/endpoint.ts";

/** Times of the batch that are in use, each with its values. */
export type Existing = Map<bigint, Set<number>>;

/** Collects runs of points by time. */
export function collect(runs: readonly RawColumns[]): Existing {
  const existing: Existing = new Map();
  for (const { times, values } of runs) {
    for (let i = 0; i < times.length; i++) {
      const set = existing.get(times[i]!);
      if (set === undefined) existing.set(times[i]!, new Set([values[i]!]));
      else set.add(values[i]!);
    }
  }
  return existing;
}

/**
 * The points of a batch that remain under a policy.
 *
 * @param batch In order of time.
 * @param existing What stands at the times of the batch.
 */
export function applyPolicy(
  batch: RawColumns,
  existing: Existing,
  policy: Exclude<MergePolicy, "never">,
): RawColumns {
  const { times, values } = batch;
  const n = times.length;
  const keep: number[] = [];
  /** Values of the batch at the time under way. */
  const seen = new Set<number>();
  for (let i = 0; i < n; i++) {
    if (i > 0 && times[i] !== times[i - 1]) seen.clear();
    const stored = existing.get(times[i]!);
    if (policy === "equal") {
      if (!stored?.has(values[i]!) && !seen.has(values[i]!)) keep.push(i);
      seen.add(values[i]!);
    } else if (policy === "retain") {
      if (stored === undefined && seen.size === 0) keep.push(i);
      seen.add(values[i]!);
    } else if (i === n - 1 || times[i + 1] !== times[i]) keep.push(i);
  }
  if (keep.length === n) return batch;
  return {
    times: BigInt64Array.from(keep, (i) => times[i]!),
    values: Float64Array.from(keep, (i) => values[i]!),
  };
}

/** Values with their mantissas rounded to `bits` bits, half to even. */
export function roundValues(values: Float64Array, bits: number): Float64Array {
  const rounded = values.slice();
  const drop = BigInt(52 - bits);
  if (drop <= 0n) return rounded;
  const words = new BigUint64Array(rounded.buffer);
  const half = (1n << (drop - 1n)) - 1n;
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    words[i] = ((word + half + ((word >> drop) & 1n)) >> drop) << drop;
    if (!Number.isFinite(rounded[i]!)) words[i] = (word >> drop) << drop;
  }
  return rounded;
}
