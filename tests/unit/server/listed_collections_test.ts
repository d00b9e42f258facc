/** Collections that are read once for several series of line protocol. */

import { assertEquals } from "@std/assert";
import { BTrDB } from "../../../src/client/btrdb.ts";
import type { LookupRequest } from "../../../src/endpoint/endpoint.ts";
import { type Engine, openEngine } from "../../../src/engine/mod.ts";
import { serve } from "../../../src/server/mod.ts";
import { override } from "../../support/override_endpoint.ts";

/** A server that takes writes, and the lookups it made. */
async function withWriter(
  use: (
    engine: Engine,
    post: (body: string) => Promise<number>,
    lookups: string[],
  ) => Promise<void>,
): Promise<void> {
  await using engine = await openEngine();
  const lookups: string[] = [];
  const endpoint = override(engine, {
    lookupStreams: (request: LookupRequest, options) => {
      lookups.push([request.collection, ...request.tags.values()].join(" "));
      return engine.lookupStreams(request, options);
    },
  });
  await using server = await serve(endpoint, { port: 0, http: { port: 0, write: true } });
  const url = `http://127.0.0.1:${server.httpPort}/write?db=g`;
  await use(engine, async (body) => {
    const response = await fetch(url, { method: "POST", body });
    await response.body?.cancel();
    return response.status;
  }, lookups);
}

/** Names and numbers of points of the streams of a collection. */
async function streamsOf(engine: Engine, collection: string): Promise<[string, bigint][]> {
  const found: [string, bigint][] = [];
  for await (const stream of new BTrDB(engine).lookupStreams(collection)) {
    found.push([(await stream.tags()).name ?? "", await stream.count()]);
  }
  return found.sort();
}

/** A line with so many fields. */
const line = (fields: number, at: number) =>
  `m,h=a ${Array.from({ length: fields }, (_, i) => `f${i}=${at}`).join(",")} ${at}\n`;

// Each new series was looked up for itself, which left 17 KB to the garbage collector: everybody
// waited for it, again and again, while thousands were made.
Deno.test("ListedCollections: the series of a collection are looked up together, found or not", async () => {
  await withWriter(async (engine, post, lookups) => {
    assertEquals(await post(line(3, 1) + line(3, 2)), 204);
    assertEquals(lookups.splice(0), ["g/m/a"]);
    assertEquals(await streamsOf(engine, "g/m/a"), [["f0", 2n], ["f1", 2n], ["f2", 2n]]);
    assertEquals(await post(line(5, 3)), 204);
    assertEquals(lookups, ["g/m/a"]);
    const found = await streamsOf(engine, "g/m/a");
    assertEquals(found, [["f0", 3n], ["f1", 3n], ["f2", 3n], ["f3", 1n], ["f4", 1n]]);
  });
});

Deno.test("ListedCollections: one series, and those of a large collection, are looked up for themselves", async () => {
  await withWriter(async (engine, post, lookups) => {
    assertEquals(await post(line(1, 1)), 204);
    assertEquals(lookups.splice(0), ["g/m/a f0"]);
    assertEquals(await post(line(300, 2)), 204);
    assertEquals(lookups.splice(0), ["g/m/a"]);
    assertEquals(await post(line(302, 3)), 204);
    assertEquals(lookups, ["g/m/a", "g/m/a f300", "g/m/a f301"]);
    const found = await streamsOf(engine, "g/m/a");
    assertEquals(found.length, 302);
    assertEquals(
      found.every(([name, n]) => n === (name === "f0" ? 3n : +name.slice(1) < 300 ? 2n : 1n)),
      true,
    );
  });
});

Deno.test("ListedCollections: streams with further tags are found as ever, several of a name refused", async () => {
  await withWriter(async (engine, post) => {
    const db = new BTrDB(engine);
    const make = (name: string, unit: string) => {
      const options = { tags: { name, unit }, annotations: { h: "a" } };
      return db.create(crypto.randomUUID(), "g/m/a", options);
    };
    await make("f0", "V");
    await make("f1", "V");
    await make("f1", "A");
    assertEquals(await post(line(3, 1)), 400);
    const found = await streamsOf(engine, "g/m/a");
    assertEquals(found, [["f0", 1n], ["f1", 0n], ["f1", 0n], ["f2", 1n]]);
  });
});
