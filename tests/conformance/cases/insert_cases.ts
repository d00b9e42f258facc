import { MAX_TIME, MIN_TIME, type RawColumns } from "@btrdb/btrdb";
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { type Case, columns, ramp, read, rejectsWith } from "../support.ts";

export const INSERT_CASES: Case[] = [
  {
    name: "insert: columns, pairs and columns over time store the same points",
    async run(t) {
      const points: [bigint, number][] = [[5n, 0.5], [-7n, 1], [0n, -0]];
      const sorted: [bigint, number][] = [[-7n, 1], [0n, -0], [5n, 0.5]];
      async function* batches(): AsyncIterable<RawColumns> {
        await Promise.resolve();
        for (const point of points) yield columns([point]);
      }
      for (const form of [points, columns(points), new Map(points), batches()]) {
        const stream = await t.stream();
        await stream.insert(form);
        assertEquals(await read(stream, -100n, 100n), sorted);
      }
    },
  },
  {
    name: "insert: a query of one stream is the points of another",
    async run(t) {
      const source = await t.stream();
      await source.insert(ramp(-5_000n, 3n, 12_000));
      const copy = await t.stream();
      await copy.insert(source.rawValues(MIN_TIME, MAX_TIME));
      assertEquals(await read(copy, MIN_TIME, MAX_TIME), await read(source, MIN_TIME, MAX_TIME));
    },
  },
  {
    name: "insert: every form of a time",
    async run(t) {
      const stream = await t.stream();
      await stream.insert([
        ["1970-01-01T00:00:01.000000001Z", 1],
        [new Date(2000), 2],
        [3, 3],
        [Temporal.Instant.fromEpochNanoseconds(4n), 4],
      ]);
      const times = (await read(stream, 0n, 10n ** 10n)).map(([time]) => time);
      assertEquals(times, [3n, 4n, 1_000_000_001n, 2_000_000_000n]);
    },
  },
  {
    name: "insert: points of equal time all stay, in the order they came in a small commit",
    async run(t) {
      // Real servers sort commits of more than 12 points unstably: no order is promised for those.
      const stream = await t.stream();
      await stream.insert([[1n, 3], [1n, 1], [0n, 9], [1n, 2]]);
      await stream.insert([[1n, 0]]);
      await stream.flush();
      assertEquals(await read(stream, 0n, 2n), [[0n, 9], [1n, 3], [1n, 1], [1n, 2], [1n, 0]]);
    },
  },
  {
    name: "insert: every bit of a value survives",
    async run(t) {
      const values = [0, -0, 5e-324, -5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, 0.1, 1 / 3];
      const points = values.map((value, i): [bigint, number] => [BigInt(i - 3), value]);
      const stream = await t.stream(points);
      assertEquals(await read(stream, -10n, 10n), points);
      const version = await stream.flush();
      assertEquals(await read(stream, -10n, 10n, version), points);
    },
  },
  {
    name: "insert: more than a request takes is cut, with progress to the last point",
    async run(t) {
      const stream = await t.stream();
      const points = ramp(1_500_000_000_000_000_000n, 8_333_333n, 60_001);
      const stored: number[] = [];
      const version = await stream.insert(points, {
        maxPoints: 20_000,
        onProgress: (progress) => {
          assertEquals(progress.total, 60_001);
          stored.push(progress.stored);
        },
      });
      assertEquals([stored.length, stored.at(-1)], [4, 60_001]);
      assertEquals(stored, stored.toSorted((a, b) => a - b));
      assertEquals(await stream.version(), version);
      const result = await stream.rawValues(MIN_TIME, MAX_TIME).collect();
      assertEquals(result.times, points.times);
      assertEquals(result.values, points.values);
    },
  },
  {
    name: "insert: a pointwidth cuts at its multiples",
    async run(t) {
      const stream = await t.stream();
      let requests = 0;
      const points = ramp(-50n, 10n, 10);
      await stream.insert(points, { pointwidth: 5, onProgress: () => requests++ });
      assertEquals(requests, 4);
      assertEquals(await stream.count(), 10n);
    },
  },
  {
    name: "insert: nothing to insert answers the version",
    async run(t) {
      const stream = await t.stream();
      assertEquals(await stream.insert([]), 10n);
      await stream.insert([[1n, 1]]);
      await stream.flush();
      assertEquals(await stream.insert([]), 11n);
      assertEquals(
        await stream.insert((async function* () {
          yield* await Promise.resolve([]);
        })()),
        11n,
      );
    },
  },
  {
    name: "insert: the first and the last moment, and not one further",
    async run(t) {
      const stream = await t.stream([[MIN_TIME, 1], [MAX_TIME - 2n, 2]]);
      assertEquals(await read(stream, MIN_TIME, MAX_TIME), [[MIN_TIME, 1], [MAX_TIME - 2n, 2]]);
      for (const time of [MIN_TIME - 1n, MAX_TIME - 1n, MAX_TIME]) {
        await assertRejects(
          () => stream.insert([[0n, 0], [time, 1]]),
          RangeError,
          `time of point 1 is ${time}`,
        );
      }
      assertEquals(await stream.count(), 2n);
    },
  },
  {
    name: "insert: a value that is not finite is named by its index, and nothing is stored",
    async run(t) {
      const stream = await t.stream();
      for (const bad of [NaN, Infinity, -Infinity]) {
        await assertRejects(
          () => stream.insert([[3n, 0], [2n, 1], [1n, bad]]),
          RangeError,
          `Cannot insert: value of point 2 is ${bad}, expected a finite number`,
        );
      }
      assertEquals(await stream.count(), 0n);
    },
  },
  {
    name: "insert: a bad batch among several is named, those before it are stored",
    async run(t) {
      const stream = await t.stream();
      async function* batches(): AsyncIterable<RawColumns> {
        await Promise.resolve();
        yield columns([[1n, 1]]);
        yield columns([[2n, 2], [3n, NaN]]);
      }
      await assertRejects(() => stream.insert(batches()), RangeError, "point 1 of batch 1 is NaN");
      assertEquals(await read(stream, 0n, 10n), [[1n, 1]]);
    },
  },
  {
    name: "insert: what is not points is refused by type",
    async run(t) {
      const stream = await t.stream();
      const wrong: [unknown, string][] = [
        [5, "points is 5"],
        [null, "points is null"],
        ["ab", 'points is "ab"'],
        [[[1n]], "point 0 is not a pair"],
        [[[1n, "2"]], "point 0 is not a pair"],
        [{ times: [1n], values: [1] }, "expected a BigInt64Array"],
        [{ times: new BigInt64Array(1), values: [1] }, "expected a Float64Array"],
        [
          { times: new BigInt64Array(2), values: new Float64Array(1) },
          "times has 2 elements and values 1",
        ],
      ];
      for (const [points, message] of wrong) {
        await assertRejects(() => stream.insert(points as never), TypeError, message);
      }
    },
  },
  {
    name: "insert: merge policies, where there are any",
    async run(t) {
      const stream = await t.stream([[1n, 1], [2n, 2]]);
      const again: [bigint, number][] = [[1n, 1], [2n, 20], [3n, 3]];
      if (t.features === "v4") {
        await rejectsWith(501, () => stream.insert(again, { mergePolicy: "equal" }));
        return assertEquals(await stream.count(), 2n);
      }
      await stream.insert(again, { mergePolicy: "retain" });
      assertEquals(await read(stream, 0n, 9n), [[1n, 1], [2n, 2], [3n, 3]]);
      await stream.insert(again, { mergePolicy: "equal" });
      assertEquals(await read(stream, 0n, 9n), [[1n, 1], [2n, 2], [2n, 20], [3n, 3]]);
      await stream.insert([[2n, 7]], { mergePolicy: "replace" });
      assertEquals(await read(stream, 0n, 9n), [[1n, 1], [2n, 7], [3n, 3]]);
    },
  },
  {
    name: "insert: rounding, where there is any",
    async run(t) {
      const stream = await t.stream();
      const insert = () => stream.insert([[1n, Math.PI], [2n, -1e300], [3n, 0]], { roundBits: 10 });
      if (t.features === "v4") return void await rejectsWith(501, insert);
      await insert();
      const [[, pi], [, huge], [, zero]] = await read(stream, 0n, 9n) as [
        [bigint, number],
        [bigint, number],
        [bigint, number],
      ];
      for (const [stored, given] of [[pi, Math.PI], [huge, -1e300]] as const) {
        assertNotEquals(stored, given);
        assert(Math.abs(stored / given - 1) <= 2 ** -10, `${stored}`);
      }
      assertEquals(zero, 0);
    },
  },
  {
    name: "insert: requests that overlap store the same points",
    async run(t) {
      const stream = await t.stream();
      const points = ramp(0n, 1n, 5_000);
      await stream.insert(points, { maxPoints: 100 });
      const result = await stream.rawValues(0n, 10_000n).collect();
      assertEquals([result.times, result.values], [points.times, points.values]);
    },
  },
];
