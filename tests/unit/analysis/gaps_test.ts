import { connect, DAY, type GapOptions, gaps, SECOND, type Stream, StreamSet } from "@btrdb/btrdb";
import { assert, assertEquals, assertRejects } from "@std/assert";

async function streamOf(times: readonly bigint[], value = 1): Promise<Stream & AsyncDisposable> {
  const db = await connect("memory:");
  const stream = await db.create(crypto.randomUUID(), "demo");
  await stream.insert(times.map((time) => [time, value] as const));
  return Object.assign(stream, { [Symbol.asyncDispose]: () => db.close() });
}

Deno.test("gaps: a day of 120 Hz takes some hundred windows and the points around the gaps", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await using db = await connect(`file:${folder}/day.btrdb`);
    const stream = await db.create(crypto.randomUUID(), "pmu", { tags: { name: "L1MAG" } });
    const start = 1_700_000_000n * SECOND;
    const missing = [[1_000, 1_001], [3_000_000, 3_000_050], [7_777_777, 8_123_456]] as const;
    const times: bigint[] = [];
    for (let i = 0; i < 120 * 86_400; i++) {
      if (missing.some(([from, to]) => i >= from && i < to)) continue;
      times.push(start + BigInt(i) * 1_000_000_000n / 120n);
    }
    const columns = { times: BigInt64Array.from(times), values: new Float64Array(times.length) };
    await stream.insert({ ...columns, values: columns.values.fill(1) });
    const began = performance.now();
    const report = await gaps(stream, { start, end: start + DAY });
    const searchedMs = performance.now() - began;
    assertEquals(report.gaps.list.map(({ points }) => points), [1n, 50n, 345_679n]);
    assertEquals(report.gaps.list[2]!.start, times[7_777_777 - 51 - 1]);
    assertEquals([report.rate, report.expected], [120, 120n * 86_400n]);
    const { windows, points, requests } = report.cost;
    assert(windows < 1000, `${windows} windows`);
    assert(points < 30_000, `${points} points of ${times.length}`);
    assert(requests < 60, `${requests} requests`);
    const again = performance.now();
    const exact = await gaps(stream, { start, end: start + DAY, exact: true });
    const readMs = performance.now() - again;
    assertEquals(exact.gaps, report.gaps);
    console.log(
      `a day of 120 Hz: ${windows} windows, ${points} points, ${requests} requests, ` +
        `${Math.round(searchedMs)} ms; all ${exact.cost.points} points ${Math.round(readMs)} ms`,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("gaps: nothing there, one point, only duplicates", async () => {
  await using none = await streamOf([]);
  const empty = await gaps(none);
  assertEquals([empty.start, empty.rate, empty.points, empty.availability], [null, null, 0n, 100]);
  const asked = await gaps(none, { start: 0n, end: 10n * SECOND, rate: 1 });
  assertEquals(asked.gaps.list, [{ start: 0n, end: 10n * SECOND, points: 10n }]);
  assertEquals([asked.expected, asked.availability], [10n, 0]);
  await using one = await streamOf([5n]);
  assertEquals((await gaps(one)).points, 1n);
  assertEquals((await gaps(one)).rate, null);
  await using same = await streamOf([5n, 5n, 5n]);
  const twice = await gaps(same, { rate: 1 });
  assertEquals(twice.duplicates, {
    points: 2n,
    runs: 1n,
    list: [{ start: 5n, end: 5n, points: 2n }],
  });
  assertEquals([twice.points, twice.expected, twice.availability], [3n, 1n, 100]);
});

Deno.test("gaps: edges count where they are given, and a limit bounds the lists only", async () => {
  const times = [0n, 1n, 2n, 4n, 5n, 7n].map((i) => i * SECOND);
  await using stream = await streamOf(times);
  assertEquals((await gaps(stream, { rate: 1 })).gaps.runs, 2n);
  const wide = await gaps(stream, { start: -3n * SECOND, end: 10n * SECOND, rate: 1 });
  assertEquals(wide.gaps.list.map(({ start, end }) => [start / SECOND, end / SECOND]), [
    [-3n, 0n],
    [2n, 4n],
    [5n, 7n],
    [7n, 10n],
  ]);
  const cut = await gaps(stream, { rate: 1, limit: 1 });
  assertEquals([cut.gaps.list.length, cut.gaps.runs, cut.gaps.points], [1, 2n, 2n]);
  assertEquals((await gaps(stream, { rate: 1, over: 2n * SECOND })).gaps.runs, 0n);
});

Deno.test("gaps: a set is looked at in its pinned versions", async () => {
  await using db = await connect("memory:");
  const stream = await db.create(crypto.randomUUID(), "demo");
  await stream.insert([0n, 1n, 3n].map((i) => [i * SECOND, 1] as const));
  const set = await new StreamSet([stream]).pinVersions({ flush: true });
  await stream.insert([[2n * SECOND, 1]]);
  const [pinned] = await gaps(set, { rate: 1 });
  const [latest] = await gaps(new StreamSet([stream]), { rate: 1 });
  assertEquals([pinned!.gaps.runs, latest!.gaps.runs], [1n, 0n]);
});

Deno.test("gaps: options that are wrong are named", async () => {
  await using stream = await streamOf([0n, SECOND]);
  const cases: [GapOptions, string][] = [
    [{ rate: 0 }, "rate is 0, expected a number of points a second from 0.000001"],
    [{ rate: NaN }, "rate is NaN"],
    [{ rate: "120" as never }, 'rate is "120"'],
    [{ over: 0 }, "over is 0, expected whole ns from 1"],
    [{ over: 1.5 }, "over is 1.5"],
    [{ over: 5n }, "over is 5, expected at least 1000000000, the period at 1 points a second"],
    [{ repeats: 1 }, "repeats is 1, expected an integer from 2"],
    [{ low: 2, high: 1 }, "low is 2, expected at most high, which is 1"],
    [{ low: NaN }, "low is NaN"],
    [{ limit: -1 }, "limit is -1"],
    [{ exact: 1 as never }, "exact is 1, expected true or false"],
    [{ start: 5n, end: 5n }, "start is 5"],
  ];
  for (const [options, text] of cases) {
    await assertRejects(() => gaps(stream, options), RangeError, text);
  }
  await assertRejects(
    () => gaps("demo" as never),
    TypeError,
    'source is "demo", expected a Stream',
  );
});
