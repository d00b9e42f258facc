/** Lookups of streams pause between steps. */

import { assertEquals, assertLessOrEqual } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { PropertyIndex } from "../../../src/engine/metadata/property_index.ts";
import { PAGE_ROWS } from "../../../src/engine/metadata/row_pages.ts";
import { FOUND_COLUMNS, StreamLookup } from "../../../src/engine/metadata/stream_lookup.ts";
import { openEngine } from "../../../src/engine/mod.ts";
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
