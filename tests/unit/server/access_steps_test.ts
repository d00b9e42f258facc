/** Rights on thousands of streams are checked in steps. */

import { assertEquals, assertLessOrEqual } from "@std/assert";
import { nextTurn } from "../../../src/core/event_loop.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { Access, CHECKED_AT_ONCE } from "../../../src/server/access.ts";
import { CollectionCache } from "../../../src/server/collection_cache.ts";
import { override } from "../../support/override_endpoint.ts";

const STREAMS = 10 * CHECKED_AT_ONCE + 5;

// A caller who is kept to some collections subscribed to 10,000 streams: the collections of all of
// them were looked up at once, and everybody else waited for 160 to 240 ms.
Deno.test("Access.stream: the collections of very many streams are looked up in steps", async () => {
  await using engine = await openEngine();
  let asked = 0;
  const endpoint = override(engine, {
    streamInfo: ({ uuid }) => {
      asked++;
      const none = new Map();
      return Promise.resolve({
        descriptor: { uuid, collection: "a", tags: none, annotations: none, propertyVersion: 1n },
      });
    },
  });
  const grant = { capabilities: ["read"] as const, collectionPrefixes: ["a"] };
  const access = new Access(grant, new CollectionCache(endpoint), {});
  const uuids = Array.from({ length: STREAMS }, (_, i) => {
    const uuid = new Uint8Array(16);
    new DataView(uuid.buffer).setUint32(0, i);
    return uuid;
  });
  const allowed = access.stream("read", ...uuids);
  for (let before = 0; asked < STREAMS; before = asked) {
    await nextTurn();
    assertLessOrEqual(asked - before, CHECKED_AT_ONCE);
  }
  await allowed;
  assertEquals(asked, STREAMS);
});
