import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import type { MetadataUsage } from "../../../src/endpoint/endpoint.ts";
import { forgetRows } from "../../../src/engine/file/row_counts.ts";
import { type Engine, openEngine, verify } from "../../../src/engine/mod.ts";
import { rejection } from "../../support/engine.ts";
import { unpackOldFile } from "../../support/old_file.ts";
import { Random } from "../../support/random.ts";

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
      if (!stream.collection.startsWith(collection)) continue;
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

async function assertCounted(engine: Engine, prefixes = ["", "a", "a/b"]): Promise<void> {
  for (const prefix of prefixes) {
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

Deno.test("Engine.metadataUsage: keys in more collections than a page has are counted", async () => {
  await using engine = await openEngine({});
  await Promise.all(Array.from({ length: 1300 }, (_, s) =>
    engine.create({
      uuid: uuidOf(s),
      collection: `c/${s >> 1}`,
      tags: new Map([["name", `s${s}`], [s % 2 === 0 ? "even" : "odd", null]]),
      annotations: new Map(),
    })));
  await assertCounted(engine, ["", "c", "c/1", "c/64", "c/9", "d"]);
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

async function withPath(work: (path: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await work(`${directory}/grid.btrdb`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

function change(path: string, sql: string): void {
  const db = new DatabaseSync(path);
  db.exec(sql);
  forgetRows(db);
  db.close();
}

Deno.test("Engine.metadataUsage: after any changes the numbers are those of a count of each", async () => {
  const seed = Number(Deno.env.get("SEED") ?? 1);
  for (let round = 0; round < Number(Deno.env.get("PROPERTY_RUNS") ?? 5); round++) {
    const random = new Random(seed + round);
    const some = () => new Map(NAMES.filter(() => random.int(0, 3) === 0).map((n) => [n, "v"]));
    const collection = () =>
      random.pick(["a", "a/b", "a/b/c", "ab", "z\u{10ffff}", "z\u{10ffff}/a"]);
    await withPath(async (path) => {
      const versions = new Map<number, bigint>();
      {
        await using engine = await openEngine({ path });
        for (let s = 0; s < 30; s++) {
          const tags = new Map([...some(), ["id", `s${s}`]]);
          const stream = { uuid: uuidOf(s), collection: collection(), tags, annotations: some() };
          await engine.create(stream);
          versions.set(s, 1n);
        }
        for (let i = 0; i < 60; i++) {
          const s = random.int(0, 29);
          const expected = versions.get(s);
          if (expected === undefined) continue;
          const [uuid, changes, kind] = [uuidOf(s), some(), random.int(0, 9)];
          const removals = [...some().keys()].filter((key) => !changes.has(key));
          if (kind === 0) {
            await engine.obliterate(uuid);
            versions.delete(s);
            continue;
          }
          if (kind < 5) await engine.setAnnotations({ uuid, expected, changes, removals });
          else {await engine.setTags({
              uuid,
              expected,
              collection: collection(),
              changes,
              removals,
            });}
          versions.set(s, expected + 1n);
        }
        await assertCounted(engine, ["", "a", "a/b", "a/b/", "ab", "z", "z\u{10ffff}", "none"]);
      }
      assertEquals((await verify(path)).problems, [], `seed ${seed + round}`);
    });
  }
});

Deno.test("Engine.metadataUsage: a damaged number is an error, and found by verify", async () => {
  const damages = [
    "UPDATE key_set SET streams = streams + 1",
    "UPDATE key_set SET streams = streams + 65536",
    "UPDATE key_set SET streams = -streams",
    "UPDATE key_set SET keys = replace(keys, 'name', 'nbme')",
    "UPDATE key_set SET collection = x'6162'",
    "UPDATE key_set SET checksum = checksum + 1",
  ];
  for (const damage of damages) {
    await withPath(async (path) => {
      {
        await using engine = await openEngine({ path });
        for (let s = 0; s < 3; s++) {
          const tags = new Map([["name", `s${s}`]]);
          const annotations = new Map([["owner", "o"]]);
          await engine.create({ uuid: uuidOf(s), collection: "a", tags, annotations });
        }
        await assertCounted(engine);
      }
      change(path, damage);
      assert(!(await verify(path)).ok, damage);
      await using engine = await openEngine({ path });
      assertEquals((await rejection(engine.metadataUsage("a"))).status, "CORRUPT", damage);
      assertEquals((await rejection(engine.metadataUsage(""))).status, "CORRUPT", damage);
    });
  }
});

Deno.test("verify: numbers of streams by their keys that are not there, or too many, are found", async () => {
  const forged = "INSERT INTO key_set SELECT x'62', keys, streams, checksum FROM key_set";
  for (const damage of ["DELETE FROM key_set", forged]) {
    await withPath(async (path) => {
      {
        await using engine = await openEngine({ path });
        const tags = new Map([["name", "a"]]);
        await engine.create({ uuid: uuidOf(1), collection: "a", tags, annotations: new Map() });
      }
      change(path, damage);
      assert((await verify(path)).problems.some((text) => text.includes(`["name"]`)), damage);
      if (damage === forged) return;
      await using engine = await openEngine({ path });
      assertEquals((await rejection(engine.obliterate(uuidOf(1)))).status, "CORRUPT");
    });
  }
});

Deno.test("Engine.metadataUsage: a stream that was damaged before a file was brought up to date is an error", async () => {
  for (const damage of ["'{\"name\":'", "replace(tags, 'name', 'nbme')", "'[]'", "''"]) {
    await withPath(async (path) => {
      await unpackOldFile(6, path);
      change(path, `UPDATE stream SET tags = ${damage} WHERE id = 3`);
      await using engine = await openEngine({ path });
      assertEquals((await rejection(engine.metadataUsage("old"))).status, "CORRUPT", damage);
      assertEquals((await engine.metadataUsage("new")).tags.size, 0);
    });
  }
});
