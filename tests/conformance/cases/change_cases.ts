import { MAX_TIME, MIN_TIME } from "@btrdb/btrdb";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Case, columns, ramp, read, rejectsWith } from "../support.ts";

export const CHANGE_CASES: Case[] = [
  {
    name: "versions: 10 without commits, one more for each, none without anything to commit",
    async run(t) {
      const stream = await t.stream();
      assertEquals(await stream.version(), 10n);
      assertEquals(await stream.flush(), 10n);
      assertEquals(await stream.insert([[1n, 1], [2n, 2]]), 10n);
      assertEquals(await stream.fullVersion(), { major: 10n, minor: 2n });
      assertEquals(await stream.flush(), 11n);
      assertEquals(await stream.flush(), 11n);
      assertEquals(await stream.fullVersion(), { major: 11n, minor: 0n });
    },
  },
  {
    name: "versions: a full buffer commits by itself",
    async run(t) {
      const stream = await t.stream();
      assertEquals(await stream.insert(ramp(0n, 1n, 20_000)), 10n);
      assertEquals(await stream.insert(ramp(0n, 1n, 12_768)), 11n);
      assertEquals(await stream.fullVersion(), { major: 11n, minor: 0n });
    },
  },
  {
    name: "versions: old ones never change",
    async run(t) {
      const stream = await t.stream([[1n, 1], [2n, 2]]);
      const first = await stream.flush();
      await stream.insert([[3n, 3]]);
      const second = await stream.flush();
      const third = await stream.deleteRange(1n, 3n);
      assertEquals(await read(stream, 0n, 9n, first), [[1n, 1], [2n, 2]]);
      assertEquals(await read(stream, 0n, 9n, second), [[1n, 1], [2n, 2], [3n, 3]]);
      assertEquals(await read(stream, 0n, 9n, third), [[3n, 3]]);
      assertEquals(await stream.count({ version: second }), 3n);
      assertEquals((await stream.nearest(0n, { version: third }))?.time, 3n);
      assertEquals((await stream.nearest(0n))?.version, third);
    },
  },
  {
    name: "delete: half-open, always a new version, buffered points included",
    async run(t) {
      const stream = await t.stream([[1n, 1], [2n, 2], [3n, 3]]);
      assertEquals(await stream.deleteRange(2n, 3n), 12n);
      assertEquals(await read(stream, 0n, 9n), [[1n, 1], [3n, 3]]);
      assertEquals(await stream.deleteRange(100n, 200n), 13n);
      assertEquals(await stream.version(), 13n);
      assertEquals(await stream.deleteRange(MIN_TIME, MAX_TIME), 14n);
      assertEquals(await stream.count(), 0n);
      assertEquals(await stream.earliest(), null);
      await stream.insert([[5n, 5]]);
      assertEquals(await read(stream, 0n, 9n), [[5n, 5]]);
    },
  },
  {
    name: "patch: replaces what stands at exactly those times and inserts the rest",
    async run(t) {
      const stream = await t.stream([[1n, 1], [2n, 2], [2n, 22], [3n, 3], [5n, 5]]);
      await stream.flush();
      await stream.insert([[4n, 4]]);
      await stream.patch([[4n, 40], [2n, 20], [6n, 60], [1n, 1]]);
      const expected: [bigint, number][] = [
        [1n, 1],
        [2n, 20],
        [3n, 3],
        [4n, 40],
        [5n, 5],
        [6n, 60],
      ];
      assertEquals(await read(stream, 0n, 9n), expected);
      const version = await stream.patch([[3n, 30], [3n, 31]]);
      assertEquals((await read(stream, 3n, 4n))[0], [3n, 31]);
      assertEquals(version, await stream.version());
    },
  },
  {
    name: "patch: what stood there stays readable in the version before",
    async run(t) {
      const stream = await t.stream([[1n, 1], [2n, 2]]);
      const before = await stream.flush();
      await stream.patch([[2n, 3]]);
      await stream.flush();
      assertEquals(await read(stream, 0n, 9n), [[1n, 1], [2n, 3]]);
      assertEquals(await read(stream, 0n, 9n, before), [[1n, 1], [2n, 2]]);
    },
  },
  {
    name: "patch: a long one, twice, beside points that it does not name",
    async run(t) {
      const stream = await t.stream();
      await stream.insert(ramp(0n, 2n, 40_000));
      const points = ramp(30_000n, 1n, 30_000);
      const version = await stream.patch(points);
      assertEquals(version, await stream.version());
      for (let again = 0; again < 2; again++) {
        assertEquals(await stream.count(), 15_000n + 30_000n + 10_000n);
        const patched = await stream.rawValues(30_000n, 60_000n).collect();
        assertEquals([patched.times, patched.values], [points.times, points.values]);
        assertEquals(await read(stream, 29_998n, 30_000n), [[29_998n, 14_999]]);
        assertEquals((await read(stream, 60_000n, 60_002n))[0], [60_000n, 30_000]);
        await stream.patch(points);
      }
    },
  },
  {
    name: "patch: columns over time, a bad batch named",
    async run(t) {
      const stream = await t.stream([[1n, 1], [2n, 2]]);
      async function* batches(last: number) {
        await Promise.resolve();
        yield columns([[2n, 20]]);
        yield columns([[1n, 10], [3n, last]]);
      }
      assertEquals(await stream.patch(batches(30)), await stream.version());
      assertEquals(await read(stream, 0n, 9n), [[1n, 10], [2n, 20], [3n, 30]]);
      const bad = () => stream.patch(batches(NaN));
      await assertRejects(bad, RangeError, "Cannot patch: value of point 1 of batch 1 is NaN");
      assertEquals(await stream.patch((async function* () {})()), await stream.version());
      assertEquals(await stream.count(), 3n);
    },
  },
  {
    name: "patch: few points far apart, and none",
    async run(t) {
      const stream = await t.stream([[MIN_TIME, 1], [0n, 2], [MAX_TIME - 2n, 3]]);
      await stream.patch([[MAX_TIME - 2n, 30], [MIN_TIME, 10]]);
      assertEquals(await read(stream, MIN_TIME, MAX_TIME), [
        [MIN_TIME, 10],
        [0n, 2],
        [MAX_TIME - 2n, 30],
      ]);
      assertEquals(await stream.patch([]), await stream.version());
    },
  },
  {
    name: "changes: a range for what was inserted, nothing where nothing was",
    async run(t) {
      const stream = await t.stream([[0n, 1], [1n << 58n, 2]]);
      const first = await stream.flush();
      await stream.insert([[1n << 58n, 3]]);
      const second = await stream.flush();
      const ranges = await Array.fromAsync(stream.changes(first, second, 40));
      assert(ranges.length > 0);
      assert(ranges.some(({ start, end }) => start <= 1n << 58n && end > 1n << 58n));
      assert(ranges.every(({ start }) => start > 0n), "the first point did not change");
      assertEquals(await Array.fromAsync(stream.changes(second, second, 0)), []);
      assertEquals(await Array.fromAsync(stream.changes(second, 0n, 0)), []);
    },
  },
  {
    name: "changes: points in the buffer count when the latest version is asked for",
    async run(t) {
      const stream = await t.stream([[0n, 1]]);
      const version = await stream.flush();
      await stream.insert([[1_000n, 2]]);
      const ranges = await Array.fromAsync(stream.changes(version, 0n, 4));
      assert(ranges.some(({ start, end }) => start <= 1_000n && end > 1_000n));
    },
  },
  {
    name: "changes: versions in the wrong order and resolutions out of range",
    async run(t) {
      const stream = await t.stream([[0n, 1]]);
      assertThrows(
        () => stream.changes(12n, 11n, 0),
        RangeError,
        "fromVersion is 12, expected at most toVersion, which is 11",
      );
      assertThrows(() => stream.changes(0n, 0n, 64), RangeError, "resolution is 64");
      await stream.flush();
      await rejectsWith(404, () => Array.fromAsync(stream.changes(11n, 12n, 0)));
    },
  },
  {
    name: "prune: versions below are gone, the others stay; embedded only",
    async run(t) {
      const stream = await t.stream([[1n, 1]]);
      await stream.flush();
      await stream.insert([[2n, 2]]);
      const keep = await stream.flush();
      if (t.protocol !== "embedded") return void await rejectsWith(501, () => stream.prune(keep));
      await rejectsWith(427, () => stream.prune(keep + 1n));
      assertEquals((await stream.prune(keep)).versions, 1);
      assertEquals(await read(stream, 0n, 9n, keep), [[1n, 1], [2n, 2]]);
      await rejectsWith(450, () => stream.rawValues(0n, 9n, { version: keep - 1n }).collect());
    },
  },
  {
    name: "subscribe: what is inserted arrives, and only of the streams asked for",
    async run(t) {
      const [wanted, other] = [await t.stream(), await t.stream()];
      const updates = t.db.subscribe([wanted]);
      if (t.features === "v4") return void await rejectsWith(501, () => updates.next());
      const first = updates.next();
      let running = true;
      const writing = (async () => {
        for (let time = 1n; running; time++) {
          await other.insert([[time, -1]]);
          await wanted.insert([[time, Number(time)]]);
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
      })();
      try {
        for (let i = 0, last = 0n; i < 3; i++) {
          const { value } = i === 0 ? await first : await updates.next();
          assertEquals(value.stream, wanted);
          value.times.forEach((time: bigint, k: number) => {
            assert(time > last);
            assertEquals(value.values[k], Number(last = time));
          });
        }
      } finally {
        running = false;
        await Promise.all([writing, updates.return?.()]);
      }
    },
  },
];
