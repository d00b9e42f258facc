import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import type { MergePolicy } from "../../../src/endpoint/endpoint.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import {
  columnsOf,
  createStream,
  pointsOf,
  regular,
  rejection,
  uuidOf,
} from "../../support/engine.ts";
import { until } from "../../support/until.ts";

const stored = [[10, 1], [10, 2], [20, 3]] as const;
const batch = [[10, 2], [10, 9], [15, 4], [20, 3], [20, 3], [30, 5]] as const;

/** Points stored after the batch, by policy. */
const merged: Record<MergePolicy, [number, number][]> = {
  never: [[10, 1], [10, 2], [10, 2], [10, 9], [15, 4], [20, 3], [20, 3], [20, 3], [30, 5]],
  equal: [[10, 1], [10, 2], [10, 9], [15, 4], [20, 3], [30, 5]],
  retain: [[10, 1], [10, 2], [15, 4], [20, 3], [30, 5]],
  replace: [[10, 9], [15, 4], [20, 3], [30, 5]],
};

for (const mergePolicy of ["never", "equal", "retain", "replace"] as const) {
  for (const flushed of [false, true]) {
    const where = flushed ? "committed" : "buffered";
    Deno.test(`Engine: merge policy ${mergePolicy} on ${where} points`, async () => {
      await using engine = await openEngine();
      const uuid = await createStream(engine);
      await engine.insert({ uuid, columns: columnsOf(stored) });
      if (flushed) await engine.flush(uuid);
      await engine.insert({ uuid, columns: columnsOf(batch), mergePolicy });
      assertEquals(await pointsOf(engine, uuid), merged[mergePolicy]);
      await engine.flush(uuid);
      assertEquals(await pointsOf(engine, uuid), merged[mergePolicy]);
      if (flushed) assertEquals(await pointsOf(engine, uuid, 11n), stored.map((p) => [...p]));
    });
  }
}

Deno.test("Engine: merge policies stay quick when a whole batch has one time", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  // A comparison of each with each would be 3 · 10^10 of them: a minute, where this takes less than one
  // second.
  const n = 250_000;
  const columns = columnsOf(Array.from({ length: n }, (_, i) => [7, i]));
  await engine.insert({ uuid, columns });
  for (const mergePolicy of ["equal", "retain"] as const) {
    await engine.insert({ uuid, columns, mergePolicy }, { deadlineMs: Date.now() + 60_000 });
    assertEquals((await pointsOf(engine, uuid)).length, n);
  }
});

Deno.test("Engine: a patch of committed points is one version, and old ones keep what they had", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  await engine.insert({ uuid, columns: regular(5000, 0n, 10n) });
  await engine.flush(uuid);
  await engine.insert({ uuid, columns: columnsOf([[5, 7], [20, 8]]) });
  const version = await engine.insert({
    uuid,
    columns: columnsOf([[20, -1], [25, -2]]),
    mergePolicy: "replace",
  });
  assertEquals(version, { major: 12n, minor: 0n });
  assertEquals((await pointsOf(engine, uuid)).slice(0, 6), [
    [0, 0],
    [5, 7],
    [10, 1],
    [20, -1],
    [25, -2],
    [30, 3],
  ]);
  assertEquals((await pointsOf(engine, uuid, 11n)).length, 5000);
});

Deno.test("Engine: rounding keeps the bits that were asked for", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  const value = 1 + 2 ** -3 + 2 ** -20;
  for (const [i, roundBits] of [0, 2, 3, 20, 52].entries()) {
    await engine.insert({ uuid, columns: columnsOf([[i, value]]), roundBits });
  }
  await engine.insert({ uuid, columns: columnsOf([[9, Number.MAX_VALUE]]), roundBits: 4 });
  const values = (await pointsOf(engine, uuid)).map(([, v]) => v);
  assertEquals(values.slice(0, 5), [1, 1.25, 1.125, value, value]);
  assert(Number.isFinite(values[5]!), `${values[5]}`);
  const error = await rejection(engine.insert({ uuid, columns: regular(1), roundBits: 53 }));
  assertEquals(error.code, 438);
});

Deno.test("Engine: tags and collection change by compare-and-set", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  await createStream(engine, 2);
  const change = { uuid, expected: 1n, collection: "", changes: new Map(), removals: [] };
  await engine.setTags({ ...change, changes: new Map([["unit", "V"]]) });
  assertEquals((await rejection(engine.setTags(change))).code, 423);
  await engine.setTags({ ...change, expected: 2n, collection: "moved/here", removals: ["name"] });
  const { descriptor } = await engine.streamInfo({
    uuid,
    omitVersion: true,
    omitDescriptor: false,
  });
  assertEquals(descriptor!.collection, "moved/here");
  assertEquals([...descriptor!.tags], [["unit", "V"]]);
  assertEquals(descriptor!.propertyVersion, 3n);
  const collections = await Array.fromAsync(engine.listCollections({ prefix: "" }));
  assertEquals(collections, [["moved/here", "test"]]);
  const taken = {
    ...change,
    expected: 3n,
    collection: "test",
    changes: new Map([["name", "s2"]]),
    removals: ["unit"],
  };
  assertEquals((await rejection(engine.setTags(taken))).code, 406);
  const bad = { ...change, expected: 3n, changes: new Map([["BAD", "x"]]) };
  assertEquals((await rejection(engine.setTags(bad))).code, 408);
});

Deno.test("Engine: null values of tags and annotations are kept apart from empty ones", async () => {
  await using engine = await openEngine();
  const uuid = uuidOf(1);
  const tags = new Map([["a", null], ["b", "x"]]);
  const annotations = new Map([["none", null], ["empty", ""]]);
  await engine.create({ uuid, collection: "c", tags, annotations });
  const { descriptor } = await engine.streamInfo({
    uuid,
    omitVersion: true,
    omitDescriptor: false,
  });
  assertEquals(descriptor!.tags, tags);
  assertEquals(descriptor!.annotations, annotations);
});

Deno.test("SubscriptionHub: subscribers get what is inserted into their streams, in order, until they leave", async () => {
  await using engine = await openEngine();
  const [a, b] = [await createStream(engine, 1), await createStream(engine, 2)];
  const updates = engine.subscribe([a]);
  await engine.insert({ uuid: a, columns: columnsOf([[1, 1]]) });
  await engine.insert({ uuid: b, columns: columnsOf([[2, 2]]) });
  const first = (await updates.next()).value;
  assertEquals([[...first.uuid], [...first.columns.times]], [[...a], [1n]]);
  await engine.insert({ uuid: a, columns: columnsOf([[3, 3], [2, 4]]) });
  assertEquals([...(await updates.next()).value.columns.values], [3, 4]);
  await engine.insert({ uuid: a, columns: columnsOf([[3, 3], [4, 4]]), mergePolicy: "equal" });
  assertEquals([...(await updates.next()).value.columns.times], [4n]);
  assertEquals(await updates.return!(), { done: true, value: undefined });
  assertEquals((await updates.next()).done, true);

  const controller = new AbortController();
  const aborted = engine.subscribe([a], { signal: controller.signal });
  const waiting = aborted.next();
  const reason = new Error("enough");
  controller.abort(reason);
  assertEquals(await waiting.catch((error) => error), reason);

  const late = engine.subscribe([a], { deadlineMs: Date.now() + 5 });
  assertEquals((await rejection(late.next())).status, "DEADLINE_EXCEEDED");
});

Deno.test("Engine: buffers that are old enough are committed", async () => {
  await using engine = await openEngine({ maxBufferAgeMs: 20 });
  const uuid = await createStream(engine);
  await engine.insert({ uuid, columns: regular(10) });
  await until("the buffer is committed", async () => {
    const { version } = await engine.streamInfo({ uuid, omitVersion: false, omitDescriptor: true });
    return version!.major === 11n;
  });
});

Deno.test("Engine: buffers that were old when the database was opened are committed", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/old.btrdb`;
    const first = await openEngine({ path });
    const uuid = await createStream(first);
    await first.insert({ uuid, columns: regular(10) });
    await first.close();
    const second = await openEngine({ path, maxBufferAgeMs: 10 });
    // Asking the engine would load the stream: the file tells what it did by itself.
    const db = new DatabaseSync(path, { readOnly: true });
    const versions = db.prepare("SELECT count(*) AS n FROM version");
    await until("the buffer is committed", () => versions.get()!["n"] !== 0);
    db.close();
    await second.close();
    await using third = await openEngine({ path });
    const { version } = await third.streamInfo({ uuid, omitVersion: false, omitDescriptor: true });
    assertEquals(version, { major: 11n, minor: 0n });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("Engine: buffers that are too large together are committed, the largest first", async () => {
  await using engine = await openEngine({ maxBufferedPoints: 1000 });
  const uuids = [await createStream(engine, 1), await createStream(engine, 2)];
  const versions = async () =>
    await Promise.all(uuids.map(async (uuid) => {
      const request = { uuid, omitVersion: false, omitDescriptor: true };
      return (await engine.streamInfo(request)).version;
    }));
  await engine.insert({ uuid: uuids[0]!, columns: regular(300) });
  await engine.insert({ uuid: uuids[1]!, columns: regular(600) });
  assertEquals((await versions()).map((v) => v!.major), [10n, 10n]);
  await engine.insert({ uuid: uuids[0]!, columns: regular(150) });
  await engine.flush(uuids[0]!);
  assertEquals((await versions()).map((v) => v!.minor), [0n, 0n]);
});

Deno.test("Engine: an insert above the limit is refused whole", async () => {
  await using engine = await openEngine({ maxInsertPoints: 100 });
  const uuid = await createStream(engine);
  assertEquals(engine.capabilities.maxInsertPoints, 100);
  assertEquals((await rejection(engine.insert({ uuid, columns: regular(101) }))).code, 414);
  assertEquals(await pointsOf(engine, uuid), []);
});

Deno.test("Engine: more than 1024 points at one time are all kept", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  const columns = columnsOf(Array.from({ length: 3000 }, (_, i) => [7, i]));
  await engine.insert({ uuid, columns });
  await engine.flush(uuid);
  await engine.insert({ uuid, columns });
  await engine.flush(uuid);
  const points = await pointsOf(engine, uuid);
  assertEquals(points.length, 6000);
  assertEquals(points.map(([, v]) => v), [...columns.values, ...columns.values]);
});

Deno.test("Engine: a closed engine says so, and closing twice is fine", async () => {
  const engine = await openEngine();
  const uuid = await createStream(engine);
  await engine.insert({ uuid, columns: regular(100_000) });
  const reading = engine.rawValues({ uuid, start: 0n, end: 2n ** 60n, version: 0n });
  await reading.next();
  const waiting = rejection(engine.subscribe([uuidOf(2)]).next());
  const inserting = engine.insert({ uuid, columns: regular(5) });
  const closing = engine.close();
  assertEquals(await inserting, { major: 11n, minor: 5n });
  await closing;
  await engine.close();
  assertEquals((await waiting).status, "CLOSED");
  for (const call of [() => reading.next(), () => engine.flush(uuid), () => engine.info()]) {
    assertEquals((await rejection(call())).status, "CLOSED");
  }
});
