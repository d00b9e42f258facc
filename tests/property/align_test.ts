/**
 * `align` gives the rows that looking at every point gives, however the points arrive.
 *
 * @module
 */

import { align, type AlignOptions, MAX_TIME, MIN_TIME, type RawColumns } from "@btrdb/btrdb";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { loopAlign } from "../support/align_loop.ts";
import { plainAlign } from "../support/align_reference.ts";
import { Random } from "../support/random.ts";

const SECOND = 1_000_000_000n;

function points(random: Random, start: bigint): RawColumns {
  const n = random.int(0, 200);
  const step = random.pick([1_000_000, 16_666_667, 33_333_333, 400_000_000]);
  const jitter = random.pick([0, 1, 400_000, step]);
  const times: bigint[] = [];
  let time = start - BigInt(random.int(0, 3 * step));
  for (let i = 0; i < n; i++) {
    if (random.chance(0.05)) time += BigInt(step * random.int(1, 20));
    times.push(time + BigInt(random.int(-jitter, jitter)));
    if (random.chance(0.05)) times.push(times.at(-1)!);
    time += BigInt(step);
  }
  times.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return {
    times: BigInt64Array.from(times),
    values: Float64Array.from(times, () => random.next()),
  };
}

/** The same points in batches of any size, empty ones too. */
async function* batches(random: Random, { times, values }: RawColumns): AsyncGenerator<RawColumns> {
  for (let at = 0; at < times.length;) {
    const n = random.int(0, 40);
    yield { times: times.slice(at, at + n), values: values.slice(at, at + n) };
    at += n;
  }
}

Deno.test("align: rows of random points, as columns and in batches", async () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = new Random(seed);
    const start = random.pick([0n, -5n * SECOND, 1_700_000_000n * SECOND + 1n]);
    const rate = random.pick([1, 3, 7, 30, 60, 1000]);
    const tolerance = BigInt(random.int(0, Math.floor(0.499e9 / rate)));
    const fill = random.pick(["none", "previous", "linear"] as const);
    const maxGap = BigInt(random.int(1, 1_000_000_000));
    const end = start + BigInt(random.int(1, 2_000_000_000));
    const [a, b] = [points(random, start), points(random, start)];
    const filled = fill === "none" ? {} : { maxGap };
    const rows = align([a, batches(random, b)], { start, end, rate, tolerance, fill, ...filled });
    const got = await rows.collect();
    const plain = [a, b].map((one) =>
      plainAlign(one, { start, end, rate, tolerance, fill, maxGap })
    );
    assertEquals([...got.times], plain[0]!.times, `seed ${seed}`);
    assertEquals(
      got.values.map((column) => [...column]),
      plain.map(({ values }) => values),
      `seed ${seed}`,
    );
    assertEquals(rows.counts, plain.map(({ count }) => count), `seed ${seed}`);
  }
});

Deno.test("align: many rows and many points, the last row is where its index says", async () => {
  const n = 200_000;
  const at = (i: number): bigint => (BigInt(i) * 1_000_000_000n) / 120n;
  const columns = {
    times: BigInt64Array.from({ length: n }, (_, i) => at(i)),
    values: Float64Array.from({ length: n }, (_, i) => i),
  };
  const rows = align([columns], { start: 0n, end: at(n), rate: 30, tolerance: 1n });
  const { times, values } = await rows.collect();
  assertEquals(times.length, n / 4);
  assert(values[0]!.every((value, i) => value === 4 * i));
  assertEquals(rows.counts, [{ matched: 50_000n, filled: 0n, missing: 0n, unused: 150_000n }]);
  // 29.97 rows a second for a year: the index decides, nothing adds up.
  const year = 31_536_000n * SECOND;
  let last = 0n, count = 0n;
  for await (const batch of align([], { start: 5n, end: 5n + year / 100n, rate: 29.97 })) {
    count += BigInt(batch.times.length);
    last = batch.times.at(-1)!;
  }
  assertEquals(count, (year / 100n * 2997n + 10n ** 11n - 1n) / 10n ** 11n);
  const parts = (count - 1n) * 10n ** 11n;
  assertEquals(last, 5n + (2n * parts + 2997n) / (2n * 2997n));
});

Deno.test("align: without an end up to the last point, without a longest gap over any", async () => {
  const a = { times: BigInt64Array.of(0n, 5n * SECOND), values: Float64Array.of(1, 6) };
  const b = { times: BigInt64Array.of(SECOND), values: Float64Array.of(2) };
  const query = align([a, b], { start: 0n, rate: 1, fill: "linear" });
  const { times, values } = await query.collect();
  assertEquals([...times], [0n, 1n, 2n, 3n, 4n, 5n].map((i) => i * SECOND));
  assertEquals(values.map((column) => [...column].map((value) => Number(value.toFixed(9)))), [
    [1, 2, 3, 4, 5, 6],
    [NaN, 2, NaN, NaN, NaN, NaN],
  ]);
  const previous = await align([b], { start: 0n, rate: 1, fill: "previous", end: 4n * SECOND })
    .collect();
  assertEquals([...previous.values[0]!], [NaN, 2, 2, 2]);
  assertEquals((await align([], { start: 0n, rate: 1 }).collect()).times.length, 0);
});

Deno.test("align: at the ends of the time axis, and with rates that are no fraction", async () => {
  const point = (time: bigint) => ({ times: BigInt64Array.of(time), values: Float64Array.of(1) });
  const options: AlignOptions = {
    start: MAX_TIME - 3n,
    end: MAX_TIME,
    rate: 1e9,
    fill: "previous",
    maxGap: 1n << 62n,
  };
  const last = await align([point(MIN_TIME), point(MAX_TIME - 3n)], options).collect();
  assertEquals(last.values, [Float64Array.of(1, 1, 1), Float64Array.of(1, 1, 1)]);
  const first = align([point(MIN_TIME)], { start: MIN_TIME, end: MIN_TIME + 2n, rate: 0.000001 });
  assertEquals((await first.collect()).values, [Float64Array.of(1)]);
  for (const rate of [59.94006, 0.123457, 29.97003, 999_999_999.999999]) {
    const { times } = await align([], {
      start: 0n,
      end: 100_000n * BigInt(Math.ceil(1e9 / rate)),
      rate,
    }).collect();
    times.forEach((time, i) => {
      const parts = BigInt(Math.round(rate * 1e6));
      assertEquals(time, (2n * BigInt(i) * 10n ** 15n + parts) / (2n * parts));
    });
  }
});

Deno.test("align: rates that are periods, 1/86400 and 60/1.001, are exact", async () => {
  const day = 86_400n * SECOND;
  const { times } = await align([], { start: 0n, end: 400n * day, rate: 1 / 86_400 }).collect();
  assertEquals([times.length, times[399]], [400, 399n * day]);
  const ntsc = await align([], { start: 0n, end: 1001n * SECOND, rate: 60 / 1.001 }).collect();
  assertEquals(ntsc.times.length, 60_000);
  assertEquals(ntsc.times[59_999], (59_999n * 1001n * SECOND + 30_000n) / 60_000n);
  const odd = await align([], { start: 0n, end: 100n * SECOND, rate: Math.PI }).collect();
  odd.times.forEach((time, i) => assert(Math.abs(Number(time) - i / Math.PI * 1e9) <= 0.51));
});

Deno.test("align: rows are read once, arguments that are wrong are named", async () => {
  const columns = { times: BigInt64Array.of(1n, 0n), values: new Float64Array(2) };
  const good = { start: 0n, end: SECOND, rate: 10 };
  const rows = align([], good);
  await rows.collect();
  await assertRejects(() => rows.collect(), TypeError, "Cannot align streams twice");
  const cases: [Partial<AlignOptions>, string][] = [
    [{ rate: 0 }, "rate is 0, expected a number of rows a second from 0.000001"],
    [{ rate: Infinity }, "rate is Infinity"],
    [{ fill: "nearest" as never }, 'fill is "nearest", expected "none", "previous" or "linear"'],
    [{ tolerance: 50_000_000n }, "tolerance is 50000000, expected less than half of 100000000 ns"],
    [{ tolerance: -1n }, "tolerance is -1"],
    [{ tolerance: 0.5 }, "tolerance is 0.5"],
    [{ maxGap: 5n }, "maxGap is given without fill"],
    [{ fill: "linear", maxGap: 0 }, "maxGap is 0"],
    [{ end: 0n }, "start is 0"],
    [{ timeoutMs: -1 }, "timeoutMs is -1"],
  ];
  for (const [change, text] of cases) {
    assertThrows(() => align([], { ...good, ...change }), Error, text);
  }
  const endless = { start: 0n, rate: 10 };
  assertThrows(() => align([batchesOf([])], endless), TypeError, "end is not given");
  assertThrows(() => align([columns], good), RangeError, "times are not in order");
  assertThrows(() => align(["a" as never], good), TypeError, 'sources[0] is "a"');
  assertThrows(() => align("a" as never, good), TypeError, 'sources is "a"');
  const back = batchesOf([BigInt64Array.of(5n), BigInt64Array.of(4n)]);
  await assertRejects(() => align([back], good).collect(), RangeError, "times are not in order");
});

async function* batchesOf(times: BigInt64Array[]): AsyncGenerator<RawColumns> {
  for (const one of times) yield { times: one, values: new Float64Array(one.length) };
}

Deno.test("align: the loop that it is measured against gives the same values", async () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = new Random(seed);
    const start = BigInt(random.int(0, 1e9)) * 1_000_000n;
    const columns = points(random, start);
    const [tolerance, linear] = [BigInt(random.pick([0, 1, 500_000])), random.chance(0.5)];
    const fill = linear ? "linear" : "none";
    const rows = align([columns], { start, end: start + 4n * SECOND, rate: 30, tolerance, fill });
    const { times, values: [values] } = await rows.collect();
    loopAlign(columns, times, tolerance, linear).forEach((value, r) => {
      const same = Object.is(value, values![r]) || Math.abs(value - values![r]!) < 1e-12;
      assert(same, `seed ${seed}, row ${r}: ${value} and ${values![r]}`);
    });
  }
});
