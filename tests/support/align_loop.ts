/**
 * Alignment as a plain loop that goes through points and rows once: what a program without the kernel
 * would do, and what the kernel is measured against.
 *
 * @module
 */

import type { RawColumns } from "@btrdb/btrdb";

/**
 * Values of rows: those of the nearest point within `tolerance`, else on the line between the
 * neighbours if `linear`, else NaN.
 */
export function loopAlign(
  { times, values }: RawColumns,
  rows: BigInt64Array,
  tolerance: bigint,
  linear: boolean,
): Float64Array {
  const out = new Float64Array(rows.length);
  const last = times.length - 1;
  let i = 0;
  for (let r = 0; r < rows.length; r++) {
    const row = rows[r]!;
    while (i < last && times[i + 1]! <= row) i++;
    const before = last >= 0 && times[i]! <= row ? i : -1;
    const after = before < 0 ? (last >= 0 ? i : -1) : i < last ? i + 1 : -1;
    const a = before < 0 ? Infinity : Number(row - times[before]!);
    const b = after < 0 ? Infinity : Number(times[after]! - row);
    if (Math.min(a, b) <= Number(tolerance)) out[r] = values[a <= b ? before : after]!;
    else if (linear && a + b < Infinity) {
      const share = a / (a + b);
      out[r] = values[before]! * (1 - share) + values[after]! * share;
    } else out[r] = NaN;
  }
  return out;
}
