import { assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { MetadataUsage } from "../../../src/endpoint/endpoint.ts";
import { type Engine, openEngine } from "../../../src/engine/mod.ts";
import { openSqlite } from "../../../src/engine/file/sqlite.ts";
import { KeyUsage } from "../../../src/engine/metadata/key_usage.ts";
import { PropertyIndex } from "../../../src/engine/metadata/property_index.ts";
import { rejection } from "../../support/engine.ts";

function uuidOf(stream: number): Uint8Array {
  const uuid = new Uint8Array(16);
  new DataView(uuid.buffer).setUint32(0, stream + 1);
  return uuid;
}

/** The keys of all streams, counted one by one. */
async function counted(engine: Engine, collection: string): Promise<MetadataUsage> {
  const usage = { tags: new Map<string, bigint>(), annotations: new Map<string, bigint>() };
  const any = { tags: new Map(), annotations: new Map() };
  for await (const page of engine.lookupStreams({ collection, isCollectionPrefix: true, ...any })) {
    for (const stream of page) {
      for (const kind of ["tags", "annotations"] as const) {
        for (const key of stream[kind].keys()) {
          usage[kind].set(key, (usage[kind].get(key) ?? 0n) + 1n);
        }
      }
    }
  }
  const sorted = (map: Map<string, bigint>) => new Map([...map].sort(([a], [b]) => a < b ? -1 : 1));
  return { tags: sorted(usage.tags), annotations: sorted(usage.annotations) };
}

async function assertCounted(engine: Engine): Promise<void> {
  for (const prefix of ["", "a", "a/b"]) {
    const [expected, actual] = [await counted(engine, prefix), await engine.metadataUsage(prefix)];
    assertEquals([...actual.tags], [...expected.tags], prefix);
    assertEquals([...actual.annotations], [...expected.annotations], prefix);
  }
}

/** Names that SQL, JSON or JavaScript might take for something else. */
const NAMES = [
  "name",
  "unit",
  "a.b",
  "a.",
  "key",
  "each.key",
  "constructor",
  "tag",
  "null",
  "n_0",
  "x1",
];

/** The answer of the count in SQL; `undefined` where streams have to be looked at one by one. */
function countedInSql(path: string): MetadataUsage | undefined {
  const db = openSqlite(path, { readOnly: true });
  const steps = new KeyUsage(db, new PropertyIndex(db, "uuid", 256)).all();
  try {
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
    }
  } finally {
    db.close();
  }
}

/** Two names with the same checksum, also behind the same text. */
const TWINS = ["plumless", "buckeroo"] as const;

Deno.test("Engine.metadataUsage: keys of all streams are those of a count of each, whatever they are called", async () => {
  await using engine = await openEngine({});
  await assertCounted(engine);
  // More streams than a page has.
  for (let s = 0; s < 2500; s++) {
    const names = NAMES.filter((_, i) => (s * 7919) % (i + 2) === 0);
    await engine.create({
      uuid: uuidOf(s),
      collection: s % 3 === 0 ? "a" : s % 3 === 1 ? "a/b" : "c",
      tags: new Map([["id", `s${s}`], ...names.map((name) => [name, "v"] as const)]),
      annotations: new Map(names.slice(1).map((name) => [name, null] as const)),
    });
  }
  await assertCounted(engine);
  for (let s = 0; s < 2500; s += 50) await engine.obliterate(uuidOf(s));
  for (let s = 1; s < 2500; s += 50) {
    const changes = new Map([["new", "x"]]);
    const removals = ["name", "a.b"];
    await engine.setAnnotations({ uuid: uuidOf(s), expected: 1n, changes, removals });
    await engine.setTags({ uuid: uuidOf(s), expected: 2n, collection: "", changes, removals });
  }
  await assertCounted(engine);
});

Deno.test("Engine.metadataUsage: keys with the same checksum are told apart", async () => {
  assertEquals(crc32(`tag\0${TWINS[0]}`), crc32(`tag\0${TWINS[1]}`));
  await using engine = await openEngine({});
  for (let s = 0; s < 8; s++) {
    const twins = TWINS.filter((_, i) => (s >> i & 1) === 1);
    await engine.create({
      uuid: uuidOf(s),
      collection: "a",
      tags: new Map([["id", `s${s}`], ...twins.map((name) => [name, "v"] as const)]),
      annotations: new Map(twins.map((name) => [name, "v"])),
    });
  }
  await assertCounted(engine);
  assertEquals((await engine.metadataUsage("")).tags.get("plumless"), 4n);
});

Deno.test("Engine.metadataUsage: a damaged key is an error, not a number", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/grid.btrdb`;
    const damages = [
      "UPDATE stream SET tags = replace(tags, 'name', 'nbme') WHERE id = 2",
      "UPDATE stream SET annotations = '{\"owner\":' WHERE id = 2",
      "UPDATE stream SET annotations = '{}'",
      "UPDATE stream SET tags = x'00' || tags WHERE id = 2",
    ];
    for (const damage of damages) {
      {
        await using engine = await openEngine({ path });
        for (let s = 0; s < 3; s++) {
          const tags = new Map([["name", `s${s}`]]);
          const annotations = new Map([["owner", "o"]]);
          await engine.create({ uuid: uuidOf(s), collection: "a", tags, annotations });
        }
        await assertCounted(engine);
        assertEquals(countedInSql(path), await engine.metadataUsage(""));
      }
      const db = new DatabaseSync(path);
      db.exec(damage);
      db.close();
      assertEquals(countedInSql(path), undefined);
      {
        await using engine = await openEngine({ path });
        const error = await rejection(engine.metadataUsage(""));
        assertEquals(error.status, "CORRUPT", damage);
      }
      await Deno.remove(path);
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
