/**
 * The WebAssembly functions on plain columns, without any database.
 *
 *     deno run examples/kernel_only.ts
 */

import { mergeTimes, rewindow, sortPoints } from "@btrdb/btrdb/kernel";

// Points in any order, sorted by time; points of equal time keep their order.
const points = sortPoints({
  times: BigInt64Array.of(30n, 10n, 20n, 10n),
  values: Float64Array.of(3, 1, 2, 1.5),
});
console.log(points.times.join(" "), "|", points.values.join(" "));

// A million points, reduced to windows of 1000 ns.
const n = 1_000_000;
const windows = rewindow({
  times: BigInt64Array.from({ length: n }, (_, i) => BigInt(i) * 10n),
  values: Float64Array.from({ length: n }, (_, i) => i % 7),
}, { start: 0n, end: 10_000_000n, width: 1000n });
console.log(`${windows.times.length} windows, first mean ${windows.mean[0]!.toFixed(3)}`);

// Two streams on one time axis: for each row, which point of each stream, or -1.
const { times, rows } = mergeTimes([BigInt64Array.of(1n, 2n, 4n), BigInt64Array.of(2n, 3n)]);
console.log(times.join(" "), "|", rows.map((row) => row.join(" ")).join(" | "));
