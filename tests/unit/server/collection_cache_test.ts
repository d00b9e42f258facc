import { assertEquals } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import { CollectionCache } from "../../../src/server/collection_cache.ts";
import { override } from "../../support/override_endpoint.ts";

// The clock of a server was set back by an hour: for that hour, a key could read a stream that had left
// the collections it is kept to.
Deno.test("CollectionCache.collectionOf: a collection is asked for again in time, although the clock is set back", async () => {
  await using engine = await openEngine();
  let collection = "ours";
  const endpoint = override(engine, {
    streamInfo: ({ uuid }) => {
      const none = new Map();
      return Promise.resolve({
        descriptor: { uuid, collection, tags: none, annotations: none, propertyVersion: 1n },
      });
    },
  });
  const cache = new CollectionCache(endpoint);
  const ask = () => cache.collectionOf(new Uint8Array(16), {}, () => true);
  const { now: wallNow } = Date;
  const steadyNow = performance.now.bind(performance);
  assertEquals(await ask(), "ours");
  collection = "theirs";
  try {
    Date.now = () => wallNow() - 3_600_000;
    performance.now = () => steadyNow() + 3_000;
    assertEquals(await ask(), "theirs");
  } finally {
    Date.now = wallNow;
    performance.now = steadyNow;
  }
});
