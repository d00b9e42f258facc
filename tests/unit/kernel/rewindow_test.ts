import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { concatStat, type RawColumns, sliceRaw } from "../../../src/core/columns.ts";
import { alignedRewindow, rewindow, Rewindower } from "../../../src/kernel/mod.ts";
import { toRaw } from "../../support/columns_arbitrary.ts";

/** Points one ns apart from `start` on. */
function every(n: number, value: (i: number) => number, start = 0n): RawColumns {
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => start + BigInt(i)),
    values: Float64Array.from({ length: n }, (_, i) => value(i)),
  };
}

Deno.test("rewindow: min, mean, max, count and stddev of each window", () => {
  const columns = toRaw([[0n, 1], [1n, 3], [9n, 5], [10n, -2], [25n, 7], [30n, 100]]);
  const windows = rewindow(columns, { start: 0n, end: 30n, width: 10n, stddev: true });
  assertEquals(windows.times, BigInt64Array.of(0n, 10n, 20n));
  assertEquals(windows.min, Float64Array.of(1, -2, 7));
  assertEquals(windows.mean, Float64Array.of(3, -2, 7));
  assertEquals(windows.max, Float64Array.of(5, -2, 7));
  assertEquals(windows.count, BigUint64Array.of(3n, 1n, 1n));
  assertAlmostEquals(windows.stddev![0]!, Math.sqrt(8 / 3), 1e-15);
  assertEquals(windows.stddev!.slice(1), Float64Array.of(0, 0));
});

Deno.test("rewindow: the end is rounded down to a whole window", () => {
  const columns = every(30, (i) => i);
  assertEquals(rewindow(columns, { start: 0n, end: 29n, width: 10n }).times.length, 2);
  assertEquals(rewindow(columns, { start: 0n, end: 9n, width: 10n }).times.length, 0);
});

Deno.test("rewindow: dense has every window of the grid, sparse only those with points", () => {
  const columns = toRaw([[-5n, 1], [12n, 2]]);
  const grid = { start: -10n, end: 30n, width: 10n };
  assertEquals(rewindow(columns, grid).times, BigInt64Array.of(-10n, 10n));
  const dense = rewindow(columns, { ...grid, mode: "dense", stddev: true });
  assertEquals(dense.times, BigInt64Array.of(-10n, 0n, 10n, 20n));
  assertEquals(dense.count, BigUint64Array.of(1n, 0n, 1n, 0n));
  assertEquals(dense.mean, Float64Array.of(1, 0, 2, 0));
  assertEquals(dense.stddev, new Float64Array(4));
  const none = rewindow(toRaw([]), { ...grid, mode: "dense" });
  assertEquals(none.times, dense.times);
});

Deno.test("rewindow: a million points of 1e9 ± 1e-3 have the right mean and deviation", () => {
  const n = 1_000_000;
  const columns = every(n, (i) => 1e9 + (i % 2 === 0 ? 1e-3 : -1e-3));
  const [low, high] = [1e9 - 1e-3, 1e9 + 1e-3];
  const windows = rewindow(columns, { start: 0n, end: BigInt(n), width: BigInt(n), stddev: true });
  assertEquals(windows.mean[0], 1e9);
  assertAlmostEquals(windows.stddev![0]!, (high - low) / 2, 1e-12);
  const parts = rewindow(columns, { start: 0n, end: BigInt(n), width: 1000n, stddev: true });
  const whole = rewindow(parts, { start: 0n, end: BigInt(n), width: BigInt(n), stddev: true });
  assertEquals(whole.count[0], BigInt(n));
  assertAlmostEquals(whole.stddev![0]!, (high - low) / 2, 1e-12);
});

Deno.test("rewindow: an outlier in front does not spoil the deviation of what follows", () => {
  const columns = every(60_000, (i) => i === 0 ? 1e9 : i % 2);
  const windows = rewindow(columns, { start: 0n, end: 60_000n, width: 60_000n, stddev: true });
  let mean = 0, squares = 0;
  for (const v of columns.values) mean += v / 60_000;
  for (const v of columns.values) squares += (v - mean) ** 2;
  const expected = Math.sqrt(squares / 60_000);
  assert(Math.abs(windows.stddev![0]! / expected - 1) < 1e-10);
});

Deno.test("rewindow: windows longer than a chunk and many batches of windows", () => {
  const n = 300_000;
  const columns = every(n, (i) => i);
  const long = rewindow(columns, { start: 0n, end: BigInt(n), width: 150_000n });
  assertEquals(long.count, BigUint64Array.of(150_000n, 150_000n));
  assertEquals(long.min, Float64Array.of(0, 150_000));
  assertEquals(long.mean, Float64Array.of(74_999.5, 224_999.5));
  const short = rewindow(columns, { start: 0n, end: BigInt(n), width: 3n });
  assertEquals(short.times.length, 100_000);
  assert(short.times.every((time, i) => time === 3n * BigInt(i)));
  assert(short.mean.every((mean, i) => mean === 3 * i + 1));
});

Deno.test("rewindow: windows without points count for nothing, whatever stands in them", () => {
  const windows = rewindow({
    times: BigInt64Array.of(0n, 1n, 2n),
    min: Float64Array.of(NaN, 1, -Infinity),
    mean: Float64Array.of(NaN, 2, Infinity),
    max: Float64Array.of(NaN, 3, Infinity),
    count: BigUint64Array.of(0n, 4n, 0n),
    stddev: Float64Array.of(NaN, 0.5, Infinity),
  }, { start: 0n, end: 10n, width: 10n, stddev: true });
  assertEquals([windows.min[0], windows.mean[0], windows.max[0]], [1, 2, 3]);
  assertEquals([windows.count[0], windows.stddev![0]], [4n, 0.5]);
});

Deno.test("rewindow: counts beyond 2^53 stay exact", () => {
  const large = (1n << 60n) + 1n;
  const windows = rewindow({
    times: BigInt64Array.of(0n, 1n),
    min: Float64Array.of(1, 1),
    mean: Float64Array.of(1, 3),
    max: Float64Array.of(3, 3),
    count: BigUint64Array.of(large, large),
  }, { start: 0n, end: 2n, width: 2n });
  assertEquals(windows.count[0], 2n * large);
  assertEquals(windows.mean[0], 2);
});

Deno.test("rewindow: NaN is passed over by min and max and shows in mean and stddev", () => {
  const windows = rewindow(every(3, (i) => i === 0 ? NaN : i), {
    start: 0n,
    end: 3n,
    width: 3n,
    stddev: true,
  });
  assertEquals([windows.min[0], windows.max[0]], [1, 2]);
  assert(Number.isNaN(windows.mean[0]) && Number.isNaN(windows.stddev![0]));
});

Deno.test("rewindow: values whose squares overflow have an infinite deviation", () => {
  const windows = rewindow(every(2, (i) => i === 0 ? 1e200 : 3e200), {
    start: 0n,
    end: 2n,
    width: 2n,
    stddev: true,
  });
  assertEquals([windows.mean[0], windows.stddev![0]], [2e200, Infinity]);
});

Deno.test("rewindow: the whole axis in windows of 2^63 ns", () => {
  const columns = toRaw([[-(1n << 63n), 1], [-1n, 2], [0n, 3], [(1n << 63n) - 1n, 4]]);
  const windows = alignedRewindow(columns, { pointwidth: 63 });
  assertEquals(windows.times, BigInt64Array.of(-(1n << 63n), 0n));
  assertEquals(windows.count, BigUint64Array.of(2n, 2n));
  assertEquals(windows.mean, Float64Array.of(1.5, 3.5));
});

Deno.test("alignedRewindow: windows begin at multiples of their width, before 1970 too", () => {
  const columns = toRaw([[-9n, 1], [-8n, 2], [-1n, 3], [0n, 4], [7n, 5], [8n, 6]]);
  const windows = alignedRewindow(columns, { pointwidth: 3 });
  assertEquals(windows.times, BigInt64Array.of(-16n, -8n, 0n, 8n));
  assertEquals(windows.count, BigUint64Array.of(1n, 2n, 2n, 1n));
  const part = alignedRewindow(columns, { pointwidth: 3, start: -3n, end: 15n });
  assertEquals(part.times, BigInt64Array.of(-8n, 0n));
});

Deno.test("Rewindower: a window stays open across batches", () => {
  const columns = every(100, (i) => i);
  const windows = new Rewindower({ start: 0n, end: 100n, width: 40n, stddev: true });
  const parts = [0, 10, 39, 40, 81, 100].slice(1).map((to, k) =>
    windows.push(sliceRaw(columns, [0, 10, 39, 40, 81][k]!, to))
  );
  assertEquals(parts.map(({ times }) => times.length), [0, 0, 0, 2, 0]);
  const all = concatStat([...parts, windows.finish()]);
  assertEquals(all.count, BigUint64Array.of(40n, 40n));
  assertEquals(all.mean, Float64Array.of(19.5, 59.5));
});

Deno.test("Rewindower: a gap of a hundred thousand empty windows comes in bounded batches", () => {
  const windows = new Rewindower({ start: 0n, end: 100_002n, width: 1n, mode: "dense" });
  const sizes: number[] = [];
  for (const batch of windows.batches(toRaw([[0n, 1], [100_000n, 2]]))) {
    sizes.push(batch.times.length);
  }
  for (const batch of windows.rest()) sizes.push(batch.times.length);
  assert(sizes.every((size) => size <= 8_192));
  assertEquals(sizes.reduce((a, b) => a + b), 100_002);
});

Deno.test("Rewindower: times must ascend, within and across batches", () => {
  const options = { start: 0n, end: 100n, width: 10n };
  assertThrows(
    () => rewindow(toRaw([[5n, 1], [4n, 2]]), options),
    RangeError,
    "Cannot compute windows: times[1] is 4, expected at least 5, the time before it",
  );
  const windows = new Rewindower(options);
  windows.push(toRaw([[50n, 1], [60n, 1]]));
  assertThrows(
    () => windows.push(toRaw([[59n, 1]])),
    RangeError,
    "times[2] is 59, expected at least 60",
  );
});

Deno.test("Rewindower: mistakes in the arguments are named", () => {
  const columns = toRaw([[0n, 1]]);
  const windows = (start: unknown, end: unknown, width: unknown) => () =>
    rewindow(columns, { start, end, width } as { start: bigint; end: bigint; width: bigint });
  assertThrows(windows(0n, 1n, 0n), RangeError, "width is 0, expected 1 to 2^63");
  assertThrows(windows(0n, 1n, (1n << 63n) + 1n), RangeError, "width is 9223372036854775809");
  assertThrows(windows(2n, 1n, 1n), RangeError, "start is 2, expected at most end, which is 1");
  assertThrows(windows(0, 1n, 1n), TypeError, "start is 0, expected a bigint");
  assertThrows(windows(0n, 1n, 5), TypeError, "width is 5, expected a bigint");
  assertThrows(
    () => alignedRewindow(columns, { pointwidth: 64 }),
    RangeError,
    "pointwidth is 64, expected an integer from 0 to 63",
  );
  const fine = rewindow(columns, { start: 0n, end: 1n, width: 1n });
  assertThrows(
    () => rewindow(fine, { start: 0n, end: 1n, width: 1n, stddev: true }),
    RangeError,
    "stddev is wanted, expected windows that have it",
  );
});

Deno.test("rewindow: dense windows begin and go on with as many empty ones as there are", () => {
  const times = BigInt64Array.of(20_000n, 20_001n, 50_000n, 50_001n);
  const values = Float64Array.of(1, 2, 3, 4);
  const windows = rewindow({ times, values }, {
    start: 0n,
    end: 60_000n,
    width: 1n,
    mode: "dense",
  });
  assertEquals(windows.times.length, 60_000);
  assertEquals(windows.times.at(-1), 59_999n);
  const filled = Array.from(windows.count.keys()).filter((i) => windows.count[i]! > 0n);
  assertEquals(filled, [20_000, 20_001, 50_000, 50_001]);
  assertEquals(filled.map((i) => windows.mean[i]), [1, 2, 3, 4]);
});
