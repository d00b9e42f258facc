/**
 * Difference of two lists of points.
 *
 * @module
 */

import type { RawColumns } from "../../../mod.ts";

/** Points that are in only one of two lists. */
export interface PointDifference {
  onlyA: RawColumns;
  onlyB: RawColumns;
}

/**
 * Compares two lists of points as multisets: of equal points each list may have several. The bits of
 * values count, so 0 and −0 differ.
 *
 * @param a Sorted by time.
 * @param b Sorted by time.
 */
export function comparePoints(a: RawColumns, b: RawColumns): PointDifference {
  const onlyA: number[] = [];
  const onlyB: number[] = [];
  const bitsA = bits(a.values);
  const bitsB = bits(b.values);
  for (let i = 0, j = 0; i < a.times.length || j < b.times.length;) {
    const time = earlier(a.times[i], b.times[j]);
    const endA = runEnd(a.times, i, time);
    const endB = runEnd(b.times, j, time);
    compareRun(bitsA, i, endA, bitsB, j, endB, onlyA, onlyB);
    i = endA;
    j = endB;
  }
  return { onlyA: pick(a, onlyA), onlyB: pick(b, onlyB) };
}

function bits(values: Float64Array): BigUint64Array {
  return new BigUint64Array(values.buffer, values.byteOffset, values.length);
}

function earlier(a: bigint | undefined, b: bigint | undefined): bigint {
  if (a === undefined) return b!;
  return b === undefined || a < b ? a : b;
}

function runEnd(times: BigInt64Array, from: number, time: bigint): number {
  let end = from;
  while (end < times.length && times[end] === time) end++;
  return end;
}

/** The points of one time: those of `b` are taken off the first equal ones of `a`. */
function compareRun(
  a: BigUint64Array,
  fromA: number,
  endA: number,
  b: BigUint64Array,
  fromB: number,
  endB: number,
  onlyA: number[],
  onlyB: number[],
): void {
  if (endA - fromA === 1 && endB - fromB === 1 && a[fromA] === b[fromB]) return;
  const left = new Map<bigint, number>();
  for (let j = fromB; j < endB; j++) left.set(b[j]!, (left.get(b[j]!) ?? 0) + 1);
  for (let i = fromA; i < endA; i++) {
    const n = left.get(a[i]!) ?? 0;
    if (n > 0) left.set(a[i]!, n - 1);
    else onlyA.push(i);
  }
  for (let j = endB - 1; j >= fromB; j--) {
    const n = left.get(b[j]!)!;
    if (n > 0) {
      left.set(b[j]!, n - 1);
      onlyB.push(j);
    }
  }
}

function pick({ times, values }: RawColumns, indices: readonly number[]): RawColumns {
  return {
    times: BigInt64Array.from(indices, (i) => times[i]!),
    values: Float64Array.from(indices, (i) => values[i]!),
  };
}
