import { MILLISECOND, StreamSet } from "@btrdb/btrdb";
import { tableToMulti } from "@btrdb/btrdb/arrow";
import { openParquet } from "@btrdb/btrdb/parquet";
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
  {
    name: "set: filter by metadata and by function keeps order and pins",
    async run(t) {
      const make = (name: string, unit?: string) =>
        t.stream([[1n, 1]], {
          tags: { name: `${t.collection}-${name}`, ...(unit === undefined ? {} : { unit }) },
          annotations: { phase: name.slice(0, 1) },
        });
      const [a, b, c] = [await make("A1", "volts"), await make("B1", "amps"), await make("A2")];
      const set = await new StreamSet([a, b, c]).pinVersions({ flush: true });
      const ids = async (filter: Parameters<StreamSet["filter"]>[0]) =>
        [...await set.filter(filter)].map(({ uuid }) => uuid);
      assertEquals(await ids({ unit: "volts" }), [a.uuid]);
      assertEquals(await ids({ unit: null }), [a.uuid, b.uuid]);
      assertEquals(await ids({ name: /A\d$/g }), [a.uuid, c.uuid]);
      assertEquals(await ids({ name: /A\d$/g, unit: /^V/i }), [a.uuid]);
      assertEquals(await ids({ collection: t.collection, annotations: { phase: "B" } }), [b.uuid]);
      assertEquals(await ids({ tags: { unit: "kelvin" } }), []);
      assertEquals(await ids({ tags: { constructor: null } }), []);
      assertEquals(await ids({}), [a.uuid, b.uuid, c.uuid]);
      assertEquals(await ids((stream) => stream !== b), [a.uuid, c.uuid]);
      await a.insert([[2n, 2]]);
      assertEquals([await (await set.filter({ unit: "volts" })).count(), await a.count()], [
        1n,
        2n,
      ]);
      await assertRejects(
        () => set.filter({ units: "volts" } as Record<string, string>),
        TypeError,
        'Cannot filter streams: there is no condition "units", expected "collection", "name"',
      );
      await assertRejects(
        () => set.filter({ unit: 5 as unknown as string }),
        TypeError,
        "unit is 5, expected a string, a RegExp or null",
      );
      await assertRejects(
        () => set.filter({ unit: "volts", tags: { unit: "amps" } }),
        TypeError,
        "unit and tags.unit are both given",
      );
      await assertRejects(() => set.filter("volts" as never), TypeError, 'filter is "volts"');
    },
  },
  {
    name: "set: current is strictly before now, and before a moment",
    async run(t) {
      const future = BigInt(Date.now() + 864e5) * MILLISECOND;
      const a = await t.stream([[1n, 1], [5n, 2], [future, 3]]);
      const b = await t.stream([[future, 4]]);
      const set = new StreamSet([a, b, await t.stream()]);
      assertEquals((await set.current()).map((point) => point?.value), [2, undefined, undefined]);
      assertEquals((await set.current({ time: 5n })).map((point) => point?.value ?? null), [
        1,
        null,
        null,
      ]);
      assertEquals(
        (await set.current({ time: future + 1n })).map((point) => point?.value ?? null),
        [
          3,
          4,
          null,
        ],
      );
    },
  },
  {
    name: "describe: name, unit, extent, exact count and the step that most points keep",
    async run(t) {
      const unnamed = await t.db.create(crypto.randomUUID(), `${t.collection}-x`);
      const a = await t.stream([], { tags: { unit: "volts" } });
      // 120 Hz in whole ns: 8,333,333 and 8,333,334 by turns, with a gap and some duplicates.
      const at = (i: number): bigint => BigInt(i) * 1_000_000_000n / 120n;
      const times = [];
      for (let i = 0; i < 3000; i++) if (i < 700 || i > 2000) times.push(at(i));
      times.splice(900, 0, times[900]!);
      await a.insert({ times: BigInt64Array.from(times), values: new Float64Array(times.length) });
      const { name, unit, collection, first, last, count, step } = await a.describe();
      assertEquals([name, unit, collection], [(await a.tags()).name, "volts", t.collection]);
      assertEquals([first?.time, last?.time, count], [0n, at(2999), BigInt(times.length)]);
      assertEquals(step, 8_333_333n);
      const described = await new StreamSet([unnamed, await t.stream([[7n, 1], [7n, 2]])])
        .describe();
      assertEquals(
        described.map((
          { name, unit, count, step, first },
        ) => [name === null, unit, count, step, first?.time]),
        [[true, null, 0n, null, undefined], [false, null, 2n, null, 7n]],
      );
    },
  },
  {
    name: "describe: one point a year in the middle of a second of samples",
    async run(t) {
      const year = 31_536_000n * 1_000_000_000n;
      const a = await t.stream([[-year, 1], [0n, 1], [year, 1], [2n * year, 1]]);
      assertEquals((await a.describe()).step, year);
      await a.insert(ramp(5n, 10n, 500));
      assertEquals((await a.describe()).step, 10n);
    },
  },
  {
    name: "set: toColumns, toArrow and toParquet hold the joined rows, at the pinned versions",
    async run(t) {
      const a = await t.stream([[-5n, 1], [0n, 2], [0n, 3], [4n, -0]]);
      const b = await t.stream([[-5n, 10], [3n, 30]]);
      const set = await new StreamSet([a, b, await t.stream()]).pinVersions({ flush: true });
      await b.insert([[4n, 40]]);
      const paths = [a, b].map(({ uuid }) => `${t.collection}/${uuid}`);
      const { times, columns } = await set.toColumns(-10n, 10n);
      assertEquals([...times], [-5n, 0n, 0n, 3n, 4n]);
      assertEquals(columns.slice(0, 2).map(({ label }) => label), paths);
      const values = [[1, 2, 3, NaN, -0], [10, NaN, NaN, 30, NaN], [NaN, NaN, NaN, NaN, NaN]];
      assertEquals(columns.map(({ values, count }) => [count, ...values]), [
        [4, ...values[0]!],
        [2, ...values[1]!],
        [0, ...values[2]!],
      ]);
      const labels = ["x", "y", "z"];
      const table = tableToMulti(await set.toArrow(-10n, 10n, { labels }));
      assertEquals(table.times, times);
      assertEquals(table.streams.map(({ name }) => name), labels);
      assertEquals(table.streams.map(({ values }) => [...values]), values);
      const pieces: Uint8Array[] = [];
      const { rows } = await set.toParquet((bytes) => void pieces.push(bytes.slice()), -10n, 10n);
      assertEquals(rows, 5);
      await using file = await openParquet(
        new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer()),
      );
      const [batch] = await Array.fromAsync(file.batches());
      assertEquals(batch!.columns.slice(0, 2).map(({ label, values }) => [label, ...values]), [
        [paths[0], 1, 2, 3, -0],
        [paths[1], 10, 30],
      ]);
    },
  },
  {
    name: "set: labels of tables are one a stream and different",
    async run(t) {
      const a = await t.stream([[1n, 1]]);
      const set = new StreamSet([a, a]);
      const table = (labels?: string[]) => set.toColumns(0n, 9n, { labels });
      assertEquals((await table(["x", "y"])).columns.map(({ values }) => [...values]), [[1], [1]]);
      await assertRejects(() => table(), RangeError, "two columns are called");
      await assertRejects(() => table(["x", "x"]), RangeError, 'two columns are called "x"');
      await assertRejects(() => table(["x"]), RangeError, "there are 1 labels, expected 2");
      await assertRejects(
        () => table([1, 2] as never),
        TypeError,
        "labels[0] is 1, expected a string",
      );
      await assertRejects(
        () => table("xy" as never),
        TypeError,
        'labels is "xy", expected an array',
      );
      for (const labels of [["time", "x"]]) {
        await assertRejects(() => set.toArrow(0n, 9n, { labels }), RangeError, 'called "time"');
        await assertRejects(
          () => set.toParquet(() => {}, 0n, 9n, { labels }),
          RangeError,
          'called "time"',
        );
      }
      assertEquals(await new StreamSet([]).toColumns(0n, 1n), {
        times: new BigInt64Array(0),
        columns: [],
      });
    },
  },
];
