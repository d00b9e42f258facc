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
export type Existing = Map<bigint, number[]>;

/** Collects runs of points by time. */
export function collect(runs: readonly RawColumns[]): Existing {
  const existing: Existing = new Map();
  for (const { times, values } of runs) {
    for (let i = 0; i < times.length; i++) {
      const list = existing.get(times[i]!);
      if (list === undefined) existing.set(times[i]!, [values[i]!]);
      else list.push(values[i]!);
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
  let run = 0;
  for (let i = 0; i < n; i++) {
    if (i > 0 && times[i] !== times[i - 1]) run = i;
    const stored = existing.get(times[i]!);
    if (policy === "equal") {
      const twice = stored?.includes(values[i]!) || values.subarray(run, i).includes(values[i]!);
      if (!twice) keep.push(i);
    } else if (policy === "retain") {
      if (stored === undefined && run === i) keep.push(i);
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
