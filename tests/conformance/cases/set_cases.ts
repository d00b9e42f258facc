import { StreamSet } from "@btrdb/btrdb";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type Case, columns, pairs, ramp, rejectsWith } from "../support.ts";

export const SET_CASES: Case[] = [
  {
    name: "set: values, windows, count, earliest and latest in the order of the streams",
    async run(t) {
      const a = await t.stream([[0n, 1], [5n, 2]]);
      const b = await t.stream([[-3n, 7]]);
      const empty = await t.stream();
      const set = new StreamSet([a, b, empty], { concurrency: 2 });
      assertEquals(set.length, 3);
      assertEquals([...set].map((stream) => stream.uuid), [a.uuid, b.uuid, empty.uuid]);
      const values = await set.values(-10n, 10n);
      assertEquals(values.map(pairs), [[[0n, 1], [5n, 2]], [[-3n, 7]], []]);
      const windows = await set.windows(-4n, 8n, 6n);
      assertEquals(windows.map(({ count }) => [...count]), [[1n, 1n], [1n, 0n], [0n, 0n]]);
      const aligned = await set.alignedWindows(-8n, 8n, 3);
      assertEquals(aligned.map(({ times }) => [...times]), [[0n], [-8n], []]);
      assertEquals(await set.count(), 3n);
      assertEquals(await set.count({ start: 0n, end: 5n }), 1n);
      assertEquals((await set.earliest()).map((point) => point?.time), [0n, -3n, undefined]);
      assertEquals((await set.latest()).map((point) => point?.time), [5n, -3n, undefined]);
    },
  },
  {
    name: "set: rows at time 0, before 1970, and with equal times",
    async run(t) {
      const a = await t.stream([[-5n, 1], [0n, 2], [0n, 3], [4n, 0]]);
      const b = await t.stream([[-5n, 10], [0n, 20], [3n, 30]]);
      const rows = await Array.fromAsync(new StreamSet([a, b]).rows(-10n, 10n));
      assertEquals(rows, [
        { time: -5n, values: [1, 10] },
        { time: 0n, values: [2, 20] },
        { time: 0n, values: [3, null] },
        { time: 3n, values: [null, 30] },
        { time: 4n, values: [0, null] },
      ]);
      assertEquals(await Array.fromAsync(new StreamSet([]).rows(0n, 1n)), []);
    },
  },
  {
    name: "set: rows over many batches, every point once",
    async run(t) {
      const a = await t.stream();
      const b = await t.stream();
      await a.insert(ramp(0n, 2n, 30_000));
      await b.insert(ramp(0n, 3n, 20_000));
      let [n, inA, inB] = [0, 0, 0];
      let last = -1n;
      for await (const { time, values } of new StreamSet([a, b]).rows(0n, 60_000n)) {
        if (time <= last) throw new Error(`${time} after ${last}`);
        last = time;
        n++;
        if (values[0] !== null) assertEquals([time, values[0]], [BigInt(inA) * 2n, inA++]);
        if (values[1] !== null) assertEquals([time, values[1]], [BigInt(inB) * 3n, inB++]);
      }
      assertEquals([n, inA, inB], [40_000, 30_000, 20_000]);
    },
  },
  {
    name: "set: leaving the rows stops every query",
    async run(t) {
      const streams = [await t.stream(), await t.stream()];
      for (const stream of streams) await stream.insert(ramp(0n, 1n, 100_000));
      for await (const { time } of new StreamSet(streams).rows(0n, 100_000n)) if (time > 5n) break;
      assertEquals(await new StreamSet(streams).count(), 200_000n);
    },
  },
  {
    name: "set: pinned versions hold for every answer",
    async run(t) {
      const a = await t.stream([[1n, 1]]);
      const b = await t.stream([[2n, 2]]);
      await b.flush();
      const set = new StreamSet([a, b]);
      const unflushed = await set.pinVersions();
      assertEquals(await unflushed.count(), 1n);
      const pinned = await set.pinVersions({ flush: true });
      assertEquals(await pinned.versions(), new Map([[a.uuid, 11n], [b.uuid, 11n]]));
      await a.insert(columns([[5n, 5]]));
      await b.deleteRange(0n, 9n);
      assertEquals((await pinned.values(0n, 9n)).map(pairs), [[[1n, 1]], [[2n, 2]]]);
      assertEquals(await pinned.count(), 2n);
      assertEquals(await set.count(), 2n);
      assertEquals((await set.values(0n, 9n)).map(pairs), [[[1n, 1], [5n, 5]], []]);
      assertEquals((await set.versions()).get(b.uuid), 12n);
      const own = await set.pinVersions({ versions: new Map([[b.uuid.toUpperCase(), 11n]]) });
      assertEquals((await own.latest()).map((point) => point?.time), [1n, 2n]);
    },
  },
  {
    name: "set: a failure is that of the stream, arguments are checked",
    async run(t) {
      const a = await t.stream([[1n, 1]]);
      const missing = t.db.streamFromUUID(crypto.randomUUID());
      const set = new StreamSet([a, missing]);
      const error = await rejectsWith(404, () => set.count());
      assertEquals(error.code, 404);
      await rejectsWith(404, () => Array.fromAsync(set.rows(0n, 9n)));
      assertThrows(() => new StreamSet([a], { concurrency: 0 }), RangeError, "concurrency is 0");
      assertThrows(() => set.rows(1n, 0n), RangeError, "start is 1");
      await assertRejects(
        () => set.pinVersions({ versions: new Map([[crypto.randomUUID(), 1n]]) }),
        RangeError,
        "is not in the set",
      );
      await assertRejects(
        () => set.pinVersions({ versions: new Map([[a.uuid, 1 as never]]) }),
        TypeError,
        "version is 1, expected a bigint",
      );
    },
  },
];
