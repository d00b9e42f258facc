import { assert, assertEquals, assertLess } from "@std/assert";
import { nextTurn } from "../../../src/core/event_loop.ts";
import type { MergePolicy } from "../../../src/endpoint/endpoint.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { tickingClock } from "../../support/clock.ts";
import { countedSqlite } from "../../support/counting_sqlite.ts";
import { columnsOf, createStream, regular, rejection, uuidOf } from "../../support/engine.ts";

const START = -(2n ** 60n), END = 3n * 2n ** 60n - 1n;

Deno.test("GroupCommit: inserts that wait together share a transaction", async () => {
  let commits = 0;
  const openDatabase = countedSqlite({
    rows(sql) {
      if (sql === "COMMIT") commits++;
    },
  });
  await using engine = await openEngine({ openDatabase });
  const streams = Array.from({ length: 2000 }, (_, i) => {
    const uuid = uuidOf(i & 0xff);
    uuid[0] = i >> 8;
    return uuid;
  });
  await Promise.all(streams.map((uuid, i) =>
    engine.create({
      uuid,
      collection: "many",
      tags: new Map([["name", `${i}`]]),
      annotations: new Map(),
    })
  ));
  commits = 0;
  const versions = await Promise.all(
    streams.flatMap((uuid, i) => [
      engine.insert({ uuid, columns: columnsOf([[i, 1]]) }),
      engine.insert({ uuid, columns: columnsOf([[i, 2]]) }),
    ]),
  );
  assertLess(commits, 4);
  assertEquals(versions[0], { major: 10n, minor: 1n });
  assertEquals(versions[3999], { major: 10n, minor: 2n });
});

Deno.test("GroupCommit: streams that are made at once are made in many short transactions", async () => {
  // A thousand of them in one, which never pauses, kept the event loop for 70 ms.
  const commits: number[] = [];
  let turn = 0;
  const openDatabase = countedSqlite({
    rows(sql) {
      if (sql === "COMMIT") commits.push(turn);
    },
  });
  await using engine = await openEngine({ openDatabase });
  const create = (i: number) => {
    const uuid = uuidOf(i & 0xff);
    uuid[0] = i >> 8;
    // Every tenth is there already.
    const tags = new Map([["name", `${i % 10 === 9 ? i - 1 : i}`]]);
    return engine.create({ uuid, collection: "many", tags, annotations: new Map() });
  };
  let timer = setImmediate(function next() {
    turn++;
    timer = setImmediate(next);
  });
  const made = await Promise.allSettled(Array.from({ length: 4000 }, (_, i) => create(i)));
  clearImmediate(timer);
  assertEquals(
    made.map(({ status }) => status),
    made.map((_, i) => i % 10 === 9 ? "rejected" : "fulfilled"),
  );
  assert(new Set(commits).size > 2, `${commits}`);
});

Deno.test("GroupCommit: one bad insert does not touch the others of its transaction", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  const results = await Promise.allSettled([
    engine.insert({ uuid, columns: columnsOf([[1, 1]]) }),
    engine.insert({ uuid: uuidOf(99), columns: columnsOf([[1, 1]]) }),
    engine.insert({ uuid, columns: columnsOf([[2, NaN]]) }),
    engine.insert({ uuid, columns: columnsOf([[3, 3]]) }),
  ]);
  assertEquals(results.map(({ status }) => status), [
    "fulfilled",
    "rejected",
    "rejected",
    "fulfilled",
  ]);
  const { version } = await engine.streamInfo({ uuid, omitVersion: false, omitDescriptor: true });
  assertEquals(version, { major: 10n, minor: 2n });
});

Deno.test("Engine: a reader sees one version throughout, whatever is written meanwhile", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  const n = 200_000;
  await engine.insert({ uuid, columns: regular(n) });
  await engine.insert({ uuid, columns: columnsOf([[-5, 1]]) });
  let seen = 0;
  const range = { uuid, start: START, end: END, version: 0n };
  for await (const { version, columns } of engine.rawValues(range)) {
    assertEquals(version, { major: 11n, minor: 1n });
    seen += columns.times.length;
    await engine.deleteRange({ uuid, start: START, end: END });
    await engine.insert({ uuid, columns: regular(10) });
  }
  assertEquals(seen, n + 1);
});

Deno.test("Engine: a small query answers while large ones and an import are under way", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  await engine.insert({ uuid, columns: regular(1_000_000) });
  const other = await createStream(engine, 2);
  const controller = new AbortController();
  const { signal } = controller;
  const endless = { uuid, start: 0n, end: 2n ** 59n, version: 0n, width: 1n, depth: 0 };
  let chunks = 0;
  const windows = (async () => {
    for await (const _ of engine.windows(endless, { signal })) chunks++;
  })();
  const working = [
    windows,
    Array.fromAsync(
      drop(engine.rawValues({ uuid, start: START, end: END, version: 0n }, { signal })),
    ),
    engine.insert({ uuid: other, columns: regular(1_000_000) }),
  ];
  const waits: number[] = [];
  for (let i = 0; i < 30; i++) {
    const before = chunks;
    await engine.nearest({ uuid, time: BigInt(i) * 1_000_000n, version: 0n, backward: false });
    await new Promise((resolve) => setTimeout(resolve, 0));
    waits.push(chunks - before);
  }
  const reason = new Error("done");
  controller.abort(reason);
  const results = await Promise.allSettled(working);
  assertEquals((results[0] as PromiseRejectedResult).reason, reason);
  waits.sort((a, b) => a - b);
  // Chunks of the endless query between two answers: they take turns.
  assertLess(waits[15]!, 50, `${waits}`);
});

/** Lets each chunk go at once. */
async function* drop<T>(source: AsyncIterable<T>): AsyncGenerator<undefined> {
  for await (const _ of source) yield undefined;
}

Deno.test("Engine: aborts and deadlines stop queries and waiting writes", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  await engine.insert({ uuid, columns: regular(300_000) });
  const range = { uuid, start: START, end: END, version: 0n };
  const reason = new Error("stop");

  const controller = new AbortController();
  const reading = engine.rawValues(range, { signal: controller.signal });
  await reading.next();
  controller.abort(reason);
  assertEquals(await reading.next().catch((error) => error), reason);

  const late = await rejection(
    Array.fromAsync(engine.rawValues(range, { deadlineMs: Date.now() - 1 })),
  );
  assertEquals([late.code, late.status], [0, "DEADLINE_EXCEEDED"]);
  const signal = AbortSignal.abort(reason);
  for (
    const call of [
      () => engine.insert({ uuid, columns: regular(1) }, { signal }),
      () => engine.flush(uuid, { signal }),
      () => engine.nearest({ uuid, time: 0n, version: 0n, backward: false }, { signal }),
      () => engine.info({ signal }),
    ]
  ) assertEquals(await (call() as Promise<unknown>).catch((error) => error), reason);

  const queued = new AbortController();
  const insert = engine.insert({ uuid, columns: regular(7) }, { signal: queued.signal });
  queued.abort(reason);
  assertEquals(await insert.catch((error) => error), reason);
  const { version } = await engine.streamInfo({ uuid, omitVersion: false, omitDescriptor: true });
  assertEquals(version, { major: 11n, minor: 0n });
});

Deno.test("Engine: a query that is left early leaves nothing behind", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  await engine.insert({ uuid, columns: regular(300_000) });
  for (let i = 0; i < 50; i++) {
    for await (const chunk of engine.rawValues({ uuid, start: START, end: END, version: 0n })) {
      assert(chunk.columns.times.length > 0);
      break;
    }
  }
});

Deno.test("NodeCache: the cache stays within its bound", async () => {
  const cacheBytes = 1_000_000;
  await using engine = await openEngine({ cacheBytes });
  const uuid = await createStream(engine);
  await engine.insert({ uuid, columns: regular(500_000) });
  await Array.fromAsync(drop(engine.rawValues({ uuid, start: START, end: END, version: 0n })));
  assert(engine.cachedBytes > 0);
  assert(engine.cachedBytes <= cacheBytes, `${engine.cachedBytes}`);
});

/** Number of turns of the event loop during some work. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0, isOver = false;
  const watch = (async () => {
    for (; !isOver; turns++) await nextTurn();
  })();
  await work();
  isOver = true;
  await watch;
  return turns;
}

Deno.test("Engine: what looks at many streams or many points lets everything else run", async () => {
  await using engine = await openEngine();
  const none = new Map<string, string>();
  await Promise.all(Array.from({ length: 6000 }, (_, i) => {
    const uuid = new Uint8Array(16).fill(9);
    new DataView(uuid.buffer).setUint32(0, i);
    const tags = new Map([["name", `s${i}`], ["unit", "volts"]]);
    // A key of its own, so that counting keys has as many rows to read.
    const annotations = new Map([[`k${i}`, ""]]);
    return engine.create({ uuid, collection: `many/${i % 50}`, tags, annotations });
  }));
  const uuid = await createStream(engine);
  await engine.insert({ uuid, columns: regular(150_000) });
  const all = { collection: "", isCollectionPrefix: true, tags: none, annotations: none };
  const named = { ...all, tags: new Map([["unit", null]]) };
  const insert = (mergePolicy: MergePolicy) =>
    engine.insert({ uuid, columns: regular(150_000, 0n, 500_000n), mergePolicy });
  const jobs: Record<string, () => Promise<unknown>> = {
    lookup: async () =>
      assertEquals((await Array.fromAsync(engine.lookupStreams(all))).flat().length, 6001),
    tags: async () =>
      assertEquals((await Array.fromAsync(engine.lookupStreams(named))).flat().length, 6000),
    usage: async () => assertEquals((await engine.metadataUsage("")).tags.get("name"), 6001n),
    equal: () => insert("equal"),
    retain: () => insert("retain"),
    replace: () => insert("replace"),
    never: () => insert("never"),
  };
  // However fast the machine is, there is as much work between two looks at the clock.
  using _clock = tickingClock(2);
  for (const [name, job] of Object.entries(jobs)) {
    const turns = await turnsDuring(job);
    assert(turns >= 3 * 61, `${name}: the event loop came round ${turns} times`);
  }
});

Deno.test("Engine: a lookup can be aborted between its pages", async () => {
  await using engine = await openEngine();
  const none = new Map<string, string>();
  await Promise.all(Array.from({ length: 3000 }, (_, i) => {
    const uuid = new Uint8Array(16).fill(9);
    new DataView(uuid.buffer).setUint32(0, i);
    return engine.create({ uuid, collection: `many/${i}`, tags: none, annotations: none });
  }));
  const controller = new AbortController();
  const reason = new Error("enough");
  const all = { collection: "", isCollectionPrefix: true, tags: none, annotations: none };
  let seen = 0;
  const error = await (async () => {
    for await (const streams of engine.lookupStreams(all, { signal: controller.signal })) {
      seen += streams.length;
      controller.abort(reason);
    }
  })().catch((error) => error);
  assertEquals(error, reason);
  assert(seen > 0 && seen < 3000);
});

Deno.test("Engine.insert: a long insert keeps its place before and after short ones", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  const others = await createStream(engine, 2);
  const n = 300_000;
  const long = regular(n);
  const bad = regular(n);
  bad.values[n - 1] = NaN;
  const results = await Promise.allSettled([
    engine.insert({ uuid, columns: columnsOf([[5, 1]]) }),
    engine.insert({ uuid, columns: bad }),
    engine.insert({ uuid, columns: long, roundBits: 52 }),
    engine.insert({ uuid: others, columns: columnsOf([[7, 1]]) }),
    engine.insert({ uuid, columns: columnsOf([[6, 2]]) }),
  ]);
  const states = results.map(({ status }) => status);
  assertEquals(states, ["fulfilled", "rejected", "fulfilled", "fulfilled", "fulfilled"]);
  assertEquals((results[1] as PromiseRejectedResult).reason.code, 425);
  const versions = results.map((result) =>
    result.status === "fulfilled" ? result.value : undefined
  );
  assertEquals(versions[0], { major: 10n, minor: 1n });
  assertEquals(versions[2], { major: 11n, minor: 0n });
  assertEquals(versions[4], { major: 11n, minor: 1n });
  let points = 0;
  const range = { uuid, start: START, end: END, version: 11n };
  for await (const { columns } of engine.rawValues(range)) points += columns.times.length;
  // The short one before is in its version, the bad one is not, the short one after is in none yet.
  assertEquals(points, n + 1);
});
