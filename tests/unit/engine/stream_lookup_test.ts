/** Lookups of streams pause between steps, and hold little. */

import { assertEquals, assertLessOrEqual } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { PropertyIndex } from "../../../src/engine/metadata/property_index.ts";
import { PAGE_ROWS } from "../../../src/engine/metadata/row_pages.ts";
import { FoundBytes } from "../../../src/engine/metadata/found_rows.ts";
import { FOUND_COLUMNS, StreamLookup } from "../../../src/engine/metadata/stream_lookup.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { countedSqlite } from "../../support/counting_sqlite.ts";
import { uuidOf } from "../../support/engine.ts";

// A lookup paused after each 256 streams only: where streams have 150 annotations, each of them kept
// everybody else waiting for 13 to 25 ms.
Deno.test("StreamLookup.find: pauses after some hundred tags and annotations", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/grid.btrdb`;
  const annotations = new Map(Array.from({ length: 99 }, (_, i) => [`key${i}`, `value ${i}`]));
  {
    await using engine = await openEngine({ path });
    for (let i = 0; i < 60; i++) {
      const tags = new Map([["name", `stream ${i}`]]);
      await engine.create({ uuid: uuidOf(i), collection: "grid", tags, annotations });
    }
  }
  const db = new DatabaseSync(path);
  const lookup = new StreamLookup(db, new PropertyIndex(db, FOUND_COLUMNS, PAGE_ROWS));
  const none = new Map<string, string | null>();
  for (const filter of [none, new Map([["key7", "value 7"]])]) {
    let streams = 0, sincePause = 0;
    const request = { collection: "grid", isCollectionPrefix: false, tags: none };
    for (const found of lookup.find({ ...request, annotations: filter })) {
      if (found === undefined) sincePause = 0;
      else {
        streams++;
        sincePause += found.tags.size + found.annotations.size;
        assertLessOrEqual(sincePause, 600);
      }
    }
    assertEquals(streams, 60);
  }
  db.close();
  await Deno.remove(folder, { recursive: true });
});

// A lookup held 4,096 rows, and read 256 at once, whatever bytes they had: 160 MB of streams with 2,000 long
// annotations.
Deno.test("StreamLookup.find: streams with many long annotations are read few at once, and come in short chunks", async () => {
  let most = 0;
  const openDatabase = countedSqlite({
    rows: (sql, n) =>
      most = /annotations, property_version.*json_each/.test(sql) ? Math.max(most, n) : most,
  });
  await using engine = await openEngine({ openDatabase });
  const long = new Map(Array.from({ length: 500 }, (_, i) => [`key${i}`, "x".repeat(200)]));
  for (let i = 0; i < 40; i++) {
    const annotations = i < 20 ? new Map([["key7", "short"]]) : long;
    const tags = new Map([["name", `${i}`]]);
    await engine.create({ uuid: uuidOf(i), collection: "grid", tags, annotations });
  }
  const none = new Map<string, string | null>();
  for (const annotations of [none, new Map([["key7", null]])]) {
    most = 0;
    const request = { collection: "grid", isCollectionPrefix: false, tags: none, annotations };
    const chunks = await Array.fromAsync(engine.lookupStreams(request));
    assertEquals(chunks.flat().length, 40);
    // 110 KB each.
    assertLessOrEqual(most, 23);
    for (const chunk of chunks) {
      const properties = chunk.slice(0, -1).reduce(
        (sum, stream) => sum + stream.annotations.size,
        0,
      );
      assertLessOrEqual(properties, 2_048);
    }
  }
});

Deno.test("StreamLookup.find: lookups that nobody reads hold few bytes together, and those beside them find all in order", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/grid.btrdb`;
  {
    await using engine = await openEngine({ path });
    for (let i = 0; i < 600; i++) {
      const tags = new Map([["name", `stream ${i}`], ["unit", i % 3 === 0 ? "volts" : "amps"]]);
      const uuid = new Uint8Array(16).fill((i * 7) & 0xff);
      uuid[15] = i >> 8;
      await engine.create({ uuid, collection: `grid/${i % 4}`, tags, annotations: new Map() });
    }
  }
  const db = new DatabaseSync(path);
  const properties = new PropertyIndex(db, FOUND_COLUMNS, PAGE_ROWS);
  const bytes = new FoundBytes(16_000, 1_000);
  const crowded = new StreamLookup(db, properties, bytes);
  const roomy = new StreamLookup(db, properties);
  const none = new Map<string, string | null>();
  const request = { collection: "", isCollectionPrefix: true, annotations: none };
  const read = (lookup: StreamLookup, tags: Map<string, string | null>) =>
    [...lookup.find({ ...request, tags })].filter((stream) => stream !== undefined);
  const unread = Array.from({ length: 30 }, () => {
    const lookup = crowded.find({ ...request, tags: new Map([["unit", null]]) });
    while (lookup.next().value === undefined);
    return lookup;
  });
  assertLessOrEqual(bytes.held, 16_000 + 30 * 1_100);
  for (const tags of [new Map([["unit", null]]), new Map([["unit", "volts"]])]) {
    assertEquals(read(crowded, tags), read(roomy, tags));
  }
  for (const lookup of unread) lookup.return(undefined);
  assertEquals(bytes.held, 0);
  db.close();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("lookupStreams: streams that stay where they are come once and in order, although others move meanwhile", async () => {
  await using engine = await openEngine();
  const streams = 900;
  const uuids = Array.from({ length: streams }, (_, i) => {
    const uuid = uuidOf((i * 7) & 0xff);
    uuid[15] = i >> 8;
    return uuid;
  });
  const none = new Map<string, string | null>();
  for (const [i, uuid] of uuids.entries()) {
    const tags = new Map([["name", `${i}`], ["unit", "V"]]);
    await engine.create({ uuid, collection: `grid/${i % 10}`, tags, annotations: new Map() });
  }
  const resting = uuids.flatMap((uuid, i) => i % 3 === 0 ? [] : [uuid.join()]).sort();
  let expected = 0n;
  for (const tags of [none, new Map([["unit", "V"]])]) {
    const collections: string[] = [], found: string[] = [];
    for await (
      const chunk of engine.lookupStreams({
        collection: "grid/",
        isCollectionPrefix: true,
        tags,
        annotations: none,
      })
    ) {
      for (const { uuid, collection } of chunk) {
        if (!resting.includes(uuid.join())) continue;
        found.push(uuid.join());
        collections.push(collection);
      }
      expected++;
      const collection = expected % 2n === 0n ? "grid/9" : "grid/0";
      const moves = uuids.filter((_, i) => i % 3 === 0).map((uuid) =>
        engine.setTags({ uuid, expected, collection, changes: new Map(), removals: [] })
      );
      await Promise.all(moves);
    }
    assertEquals(found.sort(), resting);
    assertEquals(collections, [...collections].sort());
  }
  assertEquals(expected >= 6n, true);
});
