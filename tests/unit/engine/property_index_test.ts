import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { uuidText } from "../../../src/core/uuid.ts";
import type { LookupRequest, Metadata, StreamDescriptor } from "../../../src/endpoint/endpoint.ts";
import { type Engine, openEngine, verify } from "../../../src/engine/mod.ts";
import { countedSqlite } from "../../support/counting_sqlite.ts";
import { verifiedBlocks } from "../../support/old_file.ts";
import { Random } from "../../support/random.ts";

async function withPath(work: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await work(`${directory}/grid.btrdb`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const NONE: Metadata = new Map();
const ALL = { collection: "", isCollectionPrefix: true, tags: NONE, annotations: NONE };

async function lookup(engine: Engine, request: LookupRequest): Promise<StreamDescriptor[]> {
  return (await Array.fromAsync(engine.lookupStreams(request))).flat();
}

function uuidOf(stream: number): Uint8Array {
  const uuid = new Uint8Array(16).fill(7);
  new DataView(uuid.buffer).setUint32(0, stream);
  return uuid;
}

/** Some metadata: few keys, of which some values are frequent and others rare. */
function someMetadata(random: Random, stream: number): Map<string, string | null> {
  const metadata = new Map<string, string | null>();
  if (random.chance(0.9)) metadata.set("unit", random.chance(0.9) ? "volts" : "ämps");
  if (random.chance(0.5)) metadata.set("site", `s${random.int(0, 40)}`);
  if (random.chance(0.3)) metadata.set("note", random.chance(0.5) ? null : "");
  if (random.chance(0.8)) metadata.set("serial", `${stream}`);
  return metadata;
}

/** Tags have values. */
function someTags(random: Random, stream: number): Map<string, string> {
  const tags = [...someMetadata(random, stream)].filter(([key]) => key !== "note");
  return new Map([...tags as [string, string][], ["n", `${stream}`]]);
}

function meets(actual: Metadata, wanted: Metadata): boolean {
  return [...wanted].every(([key, value]) =>
    actual.has(key) && (value === null || actual.get(key) === value)
  );
}

async function assertLookups(engine: Engine, random: Random, rounds: number): Promise<void> {
  const all = await lookup(engine, ALL);
  for (let round = 0; round < rounds; round++) {
    const pick = (metadata: Metadata) =>
      new Map(
        [...metadata].filter(() => random.chance(0.4))
          .map(([key, value]) => [key, random.chance(0.2) ? null : value]),
      );
    const model = all[random.int(0, all.length - 1)]!;
    const request = {
      collection: random.chance(0.5) ? "" : random.chance(0.5) ? model.collection : "c/1",
      isCollectionPrefix: random.chance(0.7),
      tags: pick(model.tags),
      annotations: pick(model.annotations),
    };
    const expected = all.filter(({ collection, tags, annotations }) =>
      (request.isCollectionPrefix
        ? `${collection}/`.startsWith(request.collection)
        : collection === request.collection) &&
      meets(tags, request.tags) && meets(annotations, request.annotations)
    );
    const text = (list: StreamDescriptor[]) => list.map(({ uuid }) => uuidText(uuid)).sort();
    assertEquals(text(await lookup(engine, request)), text(expected));
  }
}

Deno.test("lookupStreams: by tags and annotations finds what a look at every stream finds, after every change", async () => {
  await withPath(async (path) => {
    const random = new Random(15);
    const streams = 3000;
    {
      await using engine = await openEngine({ path, durability: "relaxed" });
      await Promise.all(Array.from({ length: streams }, (_, i) =>
        engine.create({
          uuid: uuidOf(i),
          collection: `c/${i % 13}`,
          tags: someTags(random, i),
          annotations: someMetadata(random, i),
        })));
      await assertLookups(engine, random, 60);
      for (let i = 0; i < 200; i++) {
        const uuid = uuidOf(random.int(0, streams - 1));
        const { descriptor } = await engine.streamInfo({
          uuid,
          omitVersion: true,
          omitDescriptor: false,
        }).catch(() => ({ descriptor: undefined }));
        if (descriptor === undefined) continue;
        const expected = descriptor.propertyVersion;
        const removals = [...descriptor.annotations.keys()].filter(() => random.chance(0.3));
        const changes = new Map(
          [...someMetadata(random, i)].filter(([k]) => !removals.includes(k)),
        );
        if (random.chance(0.2)) await engine.obliterate(uuid);
        else if (random.chance(0.5)) {
          await engine.setAnnotations({ uuid, expected, changes, removals });
        } else {
          const tags = new Map([["site", `s${i}`]]);
          const collection = random.chance(0.5) ? "" : "c/new";
          await engine.setTags({ uuid, expected, collection, changes: tags, removals: ["unit"] });
        }
      }
      await assertLookups(engine, random, 60);
    }
    await verifiedBlocks(path);
    await using again = await openEngine({ path, readOnly: true });
    await assertLookups(again, random, 20);
  });
});

Deno.test("lookupStreams: an exact match reads as many streams as it finds", async () => {
  const counts = { rows: 0 };
  await using engine = await openEngine({
    openDatabase: countedSqlite({ rows: (_, n) => counts.rows += n }),
  });
  await Promise.all(Array.from({ length: 5000 }, (_, i) =>
    engine.create({
      uuid: uuidOf(i),
      collection: `c/${i % 2}`,
      tags: new Map([["name", `n${i}`], ["unit", "volts"]]),
      annotations: new Map([["site", `s${i % 1000}`]]),
    })));
  const cases: [Partial<LookupRequest>, number][] = [
    [{ tags: new Map([["name", "n77"]]) }, 1],
    [{ annotations: new Map([["site", "s5"]]) }, 5],
    [{ tags: new Map([["unit", "volts"]]), annotations: new Map([["site", "s5"]]) }, 5],
    [{ tags: new Map([["unit", null]]), annotations: new Map([["site", "s5"]]) }, 5],
    [{ tags: new Map([["name", "none"]]) }, 0],
    [{ tags: new Map([["none", null]]) }, 0],
  ];
  for (const [conditions, found] of cases) {
    counts.rows = 0;
    assertEquals((await lookup(engine, { ...ALL, ...conditions })).length, found);
    assert(counts.rows <= found + 10, `${counts.rows} rows for ${found}`);
  }
});

Deno.test("verify: an index of tags and annotations that lacks an entry, or has one in vain, is found", async () => {
  for (const damage of ["DELETE FROM property", "UPDATE property SET value = value + 1"]) {
    await withPath(async (path) => {
      {
        await using engine = await openEngine({ path });
        const tags = new Map([["name", "a"]]);
        await engine.create({ uuid: uuidOf(1), collection: "c", tags, annotations: NONE });
      }
      const db = new DatabaseSync(path);
      db.exec(damage);
      db.close();
      const { ok, problems } = await verify(path);
      assert(!ok && problems.some((text) => text.includes("index of tags")), `${problems}`);
    });
  }
});

// They all were held to put them in order: for 100,000 of them the collection of that memory kept
// the event loop for 60 ms at a time.
Deno.test("lookupStreams: many streams by tag are not held, but read when they are due, as they are then", async () => {
  const counts = { again: 0 };
  await using engine = await openEngine({
    openDatabase: countedSqlite({
      rows: (sql, n) => counts.again += /^SELECT uuid.*json_each/.test(sql) ? n : 0,
    }),
  });
  const streams = 6_000;
  await Promise.all(Array.from({ length: streams }, (_, i) =>
    engine.create({
      uuid: uuidOf(streams - i),
      collection: `c/${i % 3}`,
      tags: new Map([["name", `n${i}`], ["unit", "volts"]]),
      annotations: NONE,
    })));
  const request = { ...ALL, tags: new Map([["unit", "volts"]]) };
  const order = ({ collection, uuid }: StreamDescriptor) => `${collection}/${uuidText(uuid)}`;
  const all: StreamDescriptor[] = [];
  for await (const found of engine.lookupStreams(request)) {
    const isFirst = all.length === 0;
    all.push(...found);
    if (!isFirst) continue;
    assert(counts.again > 0 && counts.again < streams / 2, `${counts.again} at the first answer`);
    // One of the last ones is removed, and another one does not meet the condition any more.
    await engine.obliterate(uuidOf(streams - 2));
    const uuid = uuidOf(streams - 5);
    const change = { uuid, expected: 1n, collection: "", changes: new Map(), removals: ["unit"] };
    await engine.setTags(change);
  }
  assertEquals(all.length, streams - 2);
  assertEquals(all.map(order), all.map(order).sort());
  assertEquals(counts.again, streams - 1);
});
