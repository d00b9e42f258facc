import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrorCode } from "../../../src/core/errors.ts";
import { type Engine, openEngine } from "../../../src/engine/mod.ts";
import { openSqlite } from "../../../src/engine/file/sqlite.ts";
import { MetadataStore } from "../../../src/engine/metadata/store.ts";
import { Refusal } from "../../../src/engine/write/transaction.ts";
import { standingClock } from "../../support/clock.ts";
import { rejection, uuidOf } from "../../support/engine.ts";

const none = new Map<string, string>();
const uuid = uuidOf(1);

function keys(count: number, value = "v"): Map<string, string> {
  return new Map(Array.from({ length: count }, (_, i) => [`k${i}`, value]));
}

async function withStream(annotations: Map<string, string>): Promise<Engine> {
  const engine = await openEngine();
  await engine.create({ uuid, collection: "c", tags: none, annotations });
  return engine;
}

async function found(engine: Engine, annotations: Map<string, string>): Promise<number> {
  const request = { collection: "c", isCollectionPrefix: false, tags: none, annotations };
  return (await Array.fromAsync(engine.lookupStreams(request))).flat().length;
}

// A change of 2,000 annotations was worked out within its transaction, which is one step: nobody else was
// answered for 16 to 24 ms, with each such change.
Deno.test("setAnnotations, setTags: changes of many keys are worked out in steps", async () => {
  await using engine = await withStream(keys(1_900));
  using clock = standingClock();
  const changes = keys(1_900, "w");
  await engine.setAnnotations({ uuid, expected: 1n, changes, removals: [] });
  const steps = clock.looks;
  assert(steps >= 15, `${steps} steps`);
  await engine.setTags({ uuid, expected: 2n, collection: "d", changes: none, removals: [] });
  assert(clock.looks >= steps + 15, `${clock.looks} steps`);
});

// The rows of a new stream with 2,000 tags were worked out, and their index written, within one transaction:
// nobody else was answered for 12 to 18 ms.
Deno.test("create: the rows of a stream with many keys are worked out in steps", async () => {
  await using engine = await openEngine();
  using clock = standingClock();
  await engine.create({ uuid: uuidOf(2), collection: "d", tags: keys(3), annotations: none });
  const few = clock.looks;
  await engine.create({ uuid, collection: "c", tags: keys(1_900), annotations: keys(100) });
  assert(clock.looks >= few + 8, `${clock.looks - few} steps`);
  assertEquals(await found(engine, keys(100)), 1);
});

Deno.test("create, setTags, obliterate: calls for a stream with many keys follow each other", async () => {
  await using engine = await openEngine();
  const create = (tags: Map<string, string>) =>
    engine.create({ uuid, collection: "c", tags, annotations: none });
  const outcomes = await Promise.allSettled([
    create(keys(1_900)),
    create(keys(3)),
    engine.setTags({ uuid, expected: 1n, collection: "", changes: keys(1), removals: [] }),
    create(keys(1_900)),
  ]);
  assertEquals(
    outcomes.map((outcome) => outcome.status === "rejected" ? outcome.reason.code : 0),
    [0, ErrorCode.ReusedUUID, 0, ErrorCode.StreamExists],
  );
  const other = { uuid: uuidOf(2), collection: "c", tags: keys(1_900), annotations: none };
  assertEquals((await rejection(engine.create(other))).code, ErrorCode.StreamExists);
  await engine.obliterate(uuid);
  await engine.create(other);
  assertEquals((await rejection(create(keys(1_900)))).code, ErrorCode.StreamExists);
});

for (const count of [3, 1_900]) {
  Deno.test(`setAnnotations: changes of ${count} keys that follow each other at once are written in order`, async () => {
    await using engine = await withStream(keys(count));
    const change = (expected: bigint, value: string, keep = 1) =>
      engine.setAnnotations({ uuid, expected, changes: keys(count - keep, value), removals: [] });
    await Promise.all([change(1n, "a"), change(2n, "b", count), change(3n, "c"), change(4n, "d")]);
    assertEquals(await found(engine, keys(2, "d")), 1);
    assertEquals(await found(engine, keys(2, "a")), 0);
    assertEquals(await found(engine, keys(3)), 0);
    assertEquals(await found(engine, new Map([[`k${count - 1}`, "v"]])), 1);
    // Of two for the same version one is written.
    const outcomes = await Promise.allSettled([change(5n, "e"), change(5n, "f")]);
    assertEquals(outcomes.map(({ status }) => status), ["fulfilled", "rejected"]);
    const { code } = await rejection(change(5n, "g"));
    assertEquals(code, ErrorCode.AnnotationVersionMismatch);
    assertEquals(await found(engine, keys(2, "e")), 1);
  });
}

Deno.test("setAnnotations: changes of a stream that is being made, and behind short ones", async () => {
  await using engine = await openEngine();
  const change = (expected: bigint, value: string, count: number) =>
    engine.setAnnotations({ uuid, expected, changes: keys(count, value), removals: [] });
  await Promise.all([
    engine.create({ uuid, collection: "c", tags: none, annotations: none }),
    change(1n, "a", 1_000),
    change(2n, "b", 1),
    change(3n, "c", 1_000),
  ]);
  assertEquals(await found(engine, keys(1_000, "c")), 1);
  await engine.obliterate(uuid);
  assertEquals((await rejection(change(4n, "d", 1_000))).code, ErrorCode.NoSuchStream);
});

Deno.test("MetadataStore.write: a change for another version is worked out again, or refused", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/grid.btrdb`;
  {
    await using engine = await openEngine({ path });
    await engine.create({ uuid, collection: "c", tags: none, annotations: keys(1) });
  }
  const db = openSqlite(path, { readOnly: false });
  const store = new MetadataStore(db);
  const request = { changes: keys(1, "w"), removals: [] };
  assertEquals(store.write({ ...request, uuid, expected: 1n }, undefined), false);
  assertEquals(store.get(uuid)?.propertyVersion, 1n);
  const refused = (uuid: Uint8Array, expected: bigint) => {
    const refusal = assertThrows(() => store.write({ ...request, uuid, expected }, undefined));
    assert(refusal instanceof Refusal);
    return refusal.error.code;
  };
  assertEquals(refused(uuid, 2n), ErrorCode.AnnotationVersionMismatch);
  assertEquals(refused(uuidOf(2), 1n), ErrorCode.NoSuchStream);
  db.close();
  await Deno.remove(directory, { recursive: true });
});
