import { assertEquals } from "@std/assert";
import { ErrorCode } from "../../../src/core/errors.ts";
import { forgetRows } from "../../../src/engine/file/row_counts.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { MetadataStore } from "../../../src/engine/metadata/store.ts";
import { openSqlite } from "../../../src/engine/file/sqlite.ts";
import { rejection, uuidOf } from "../../support/engine.ts";

const none = new Map<string, string>();

function keys(count: number, prefix = "k"): Map<string, string> {
  return new Map(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, "v"]));
}

// A request of a megabyte made a stream of 20,000 tags in one step of 80 ms; every change of a stream
// of 60,000 annotations took 200 ms.
Deno.test("checkKeyCount: a stream has 2,000 tags and annotations at most, however they come", async () => {
  await using engine = await openEngine();
  const uuid = uuidOf(1);
  const create = (tags: number, annotations: number) =>
    engine.create({ uuid, collection: "c", tags: keys(tags), annotations: keys(annotations) });
  assertEquals((await rejection(create(1_000, 1_001))).code, ErrorCode.WrongArgs);
  await create(1_000, 999);
  const annotate = (expected: bigint, changes: Map<string, string>, removals: string[] = []) =>
    engine.setAnnotations({ uuid, expected, changes, removals });
  assertEquals((await rejection(annotate(1n, keys(2, "more")))).code, ErrorCode.WrongArgs);
  await annotate(1n, keys(1, "more"));
  const tag = { uuid, expected: 2n, collection: "", changes: keys(1, "tag"), removals: [] };
  assertEquals((await rejection(engine.setTags(tag))).code, ErrorCode.WrongArgs);
  await annotate(2n, keys(2, "other"), ["k0", "k1"]);
  const removals = [...keys(2_001).keys()];
  assertEquals((await rejection(annotate(3n, none, removals))).code, ErrorCode.WrongArgs);
  const lookup = { collection: "", isCollectionPrefix: true, annotations: none };
  const found = Array.fromAsync(engine.lookupStreams({ ...lookup, tags: keys(2_001) }));
  assertEquals((await rejection(found)).code, ErrorCode.WrongArgs);
  assertEquals(
    (await Array.fromAsync(engine.lookupStreams({ ...lookup, tags: keys(1_000) })))[0]!.length,
    1,
  );
});

Deno.test("checkKeyCount: a stream of a file of an earlier release that has more can lose some", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/grid.btrdb`;
  {
    await using _ = await openEngine({ path });
  }
  const db = openSqlite(path, { readOnly: false });
  new MetadataStore(db).create({
    uuid: uuidOf(1),
    collection: "c",
    tags: keys(1),
    annotations: keys(3_000),
  });
  forgetRows(db);
  db.close();
  const engine = await openEngine({ path });
  const change = (expected: bigint, changes: Map<string, string>, removals: string[]) =>
    engine.setAnnotations({ uuid: uuidOf(1), expected, changes, removals });
  assertEquals((await rejection(change(1n, keys(1, "x"), []))).code, ErrorCode.WrongArgs);
  await change(1n, keys(1, "x"), ["k1", "k2"]);
  await engine.close();
  await Deno.remove(directory, { recursive: true });
});
