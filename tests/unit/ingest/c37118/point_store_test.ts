/** Storing points whose first attempt may have worked. */

import { assertEquals } from "@std/assert";
import { BTrDB } from "../../../../src/client/btrdb.ts";
import { BTrDBError } from "../../../../src/core/errors.ts";
import { openEngine } from "../../../../src/engine/mod.ts";
import { PointStore } from "../../../../src/ingest/c37118/point_store.ts";
import type { ColumnPoints } from "../../../../src/ingest/c37118/channel_columns.ts";
import { asV4, override } from "../../../support/override_endpoint.ts";

/** Ten points, two of them at one time. */
const COLUMNS: ColumnPoints[] = [{
  column: { name: "a", collection: "c", unit: "V" },
  points: {
    times: BigInt64Array.of(1n, 2n, 3n, 4n, 5n, 5n, 6n, 7n, 8n, 9n),
    values: Float64Array.of(1, 2, 3, 4, 5, 5, 6, 7, 8, 9),
  },
}];

for (const version of ["v4", "v5"] as const) {
  for (const isStored of [true, false]) {
    const fate = isStored ? "after it was stored" : "before it was stored";
    Deno.test(`PointStore: an answer lost ${fate} neither loses nor doubles, ${version}`, async () => {
      const engine = await openEngine();
      let fails = true;
      const own = {
        info: async () => ({ ...await engine.info({}), protocol: version }),
        async insert(...args: Parameters<typeof engine.insert>) {
          if (!fails) return await engine.insert(...args);
          fails = false;
          if (isStored) await engine.insert(...args);
          throw new BTrDBError("Cannot insert: the connection broke", { status: "UNAVAILABLE" });
        },
      };
      await using db = new BTrDB(version === "v4" ? asV4(engine, own) : override(engine, own));
      const options = { prefix: "p", mergePolicy: undefined, timeoutMs: 600_000 };
      const store = new PointStore(db, options);
      const first = await store.store(COLUMNS, false);
      assertEquals([first.stored, first.failed.length, first.refused.length], [0, 1, 0]);
      const again = await store.store(first.failed, true);
      assertEquals([again.stored, again.failed.length], [10, 0]);
      const streams = await Array.fromAsync(db.lookupStreams("p/c", { tags: { name: "a" } }));
      assertEquals(streams.length, 1);
      const { times } = await streams[0]!.rawValues(0n, 100n).collect();
      // Protocol v5 replaces points of one time.
      const want = version === "v4" ? COLUMNS[0]!.points.times : new Set(COLUMNS[0]!.points.times);
      assertEquals([...times], [...want]);
    });
  }
}

Deno.test("PointStore: what a database refuses for good is not tried again", async () => {
  const engine = await openEngine();
  await using db = new BTrDB(override(engine, {
    create: () => Promise.reject(new BTrDBError("(409: no)", { code: 409 })),
  }));
  const store = new PointStore(db, { prefix: "", mergePolicy: undefined, timeoutMs: 600_000 });
  const { stored, failed, refused } = await store.store(COLUMNS, false);
  assertEquals([stored, failed.length, refused.length], [0, 0, 1]);
});

Deno.test("PointStore: times of a wrong clock are refused and counted, the points beside them stored", async () => {
  await using db = new BTrDB(await openEngine());
  const store = new PointStore(db, { prefix: "", mergePolicy: undefined, timeoutMs: 600_000 });
  const times = BigInt64Array.of(1n, 4_000_000_000_000_000_000n, 3n);
  const { stored, refused, error } = await store.store([{
    column: { name: "a", collection: "c" },
    points: { times, values: Float64Array.of(1, 2, 3) },
  }], false);
  assertEquals([stored, refused.map(({ points }) => [...points.times])], [2, [[times[1]]]]);
  assertEquals(String(error).startsWith('RangeError: "a" at 2096-10-02T07:06:40'), true);
});

// Every code of the server but seven was taken for one of the points: an answer that the server had run
// out of time, or that it could not reach its own database, dropped a whole batch, with a spool beside it.
for (const code of [402, 403, 416, 437, 440, 453, 455, 500]) {
  Deno.test(`PointStore: points that the server cannot store now, code ${code}, are tried again`, async () => {
    const engine = await openEngine();
    let fails = true;
    await using db = new BTrDB(override(engine, {
      async insert(...args: Parameters<typeof engine.insert>) {
        if (!fails) return await engine.insert(...args);
        fails = false;
        throw new BTrDBError(`(${code}: not now)`, { code });
      },
    }));
    const store = new PointStore(db, { prefix: "", mergePolicy: undefined, timeoutMs: 600_000 });
    const first = await store.store(COLUMNS, false);
    assertEquals([first.stored, first.failed.length, first.refused.length], [0, 1, 0]);
    const again = await store.store(first.failed, true);
    assertEquals([again.stored, again.failed.length, again.refused.length], [10, 0, 0]);
  });
}

Deno.test("PointStore: a stream that the server cannot store does not hold up all others for ever", async () => {
  const engine = await openEngine();
  const isSick = { all: true, one: true };
  await using db = new BTrDB(override(engine, {
    async insert(...args: Parameters<typeof engine.insert>) {
      const [{ uuid }] = args;
      const request = { uuid, omitVersion: true, omitDescriptor: false };
      const { descriptor } = await engine.streamInfo(request);
      if (isSick.all || (isSick.one && descriptor?.collection === "sick")) {
        throw new BTrDBError("(416: a part of the stream is damaged)", { code: 416 });
      }
      return await engine.insert(...args);
    },
  }));
  const store = new PointStore(db, { prefix: "", mergePolicy: undefined, timeoutMs: 600_000 });
  const columns = ["well", "sick"].map((collection) => ({
    ...COLUMNS[0]!,
    column: { name: "a", collection },
  }));
  const tried = async () => {
    const { stored, failed, refused } = await store.store(columns, true);
    return [stored, failed.length, refused.length];
  };
  // While nothing at all can be stored, the database is away, and everything is kept.
  for (let i = 0; i < 100; i++) assertEquals(await tried(), [0, 2, 0]);
  isSick.all = false;
  for (let i = 0; i < 64; i++) assertEquals(await tried(), [10, 1, 0]);
  assertEquals(await tried(), [10, 0, 1]);
  isSick.one = false;
  assertEquals(await tried(), [20, 0, 0]);
  isSick.one = true;
  assertEquals(await tried(), [10, 1, 0]);
});

// The stream was remembered: all points that came after its end were refused until a restart.
Deno.test("PointStore: a stream that another client removes is made again", async () => {
  await using db = new BTrDB(await openEngine());
  const store = new PointStore(db, { prefix: "", mergePolicy: undefined, timeoutMs: 600_000 });
  assertEquals((await store.store(COLUMNS, false)).stored, 10);
  const find = () => Array.fromAsync(db.lookupStreams("c", { tags: { name: "a" } }));
  const [old] = await find();
  await old!.obliterate();
  const { stored, failed, refused } = await store.store(COLUMNS, false);
  assertEquals([stored, failed.length, refused.length], [10, 0, 0]);
  const [made, ...others] = await find();
  assertEquals(others.length, 0);
  assertEquals(made!.uuid === old!.uuid, false);
});

// A phasor that became a current in a new configuration, and kept its name, went on in the stream of the
// voltage: amperes among volts.
Deno.test("PointStore: amperes do not go into a stream of volts, nor after a restart", async () => {
  await using db = new BTrDB(await openEngine());
  const of = (unit: string, value: number): ColumnPoints => ({
    column: { name: "PH0MAG A", collection: "c", unit },
    points: { times: BigInt64Array.of(BigInt(value)), values: Float64Array.of(value) },
  });
  for (const [unit, value] of [["Volt", 1], ["Amp", 2], ["V", 3], ["Volt", 4]] as const) {
    for (const isRestarted of [true, false]) {
      const store = new PointStore(db, { prefix: "", mergePolicy: undefined, timeoutMs: 600_000 });
      if (!isRestarted) await store.store([of("Volt", 4)], false);
      const { stored } = await store.store([of(unit, value)], false);
      assertEquals(stored, 1);
    }
  }
  const found: Record<string, number[]> = {};
  for await (const stream of db.lookupStreams("c")) {
    const { name, unit } = await stream.tags();
    const { values } = await stream.rawValues(0n, 100n).collect();
    found[`${name} in ${unit}`] = [...values];
  }
  assertEquals(found, { "PH0MAG A in Volt": [1, 3, 4], "PH0MAG A Amp in Amp": [2] });
});
