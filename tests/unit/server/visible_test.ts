/** Lists of streams and collections for keys with several prefixes. */

import { assertEquals } from "@std/assert";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { Access } from "../../../src/server/access.ts";
import { CollectionCache } from "../../../src/server/collection_cache.ts";
import { visibleCollections, visibleStreams } from "../../../src/server/visible.ts";
import { uuidOf } from "../../support/engine.ts";
import { override } from "../../support/override_endpoint.ts";
import { Random } from "../../support/random.ts";

const NONE = new Map<string, string | null>();

const COLLECTIONS = [
  ...["a", "a/x", "a/x/y", "a.b", "a-b", "ab", "b", "b/c", "ba", "secret", "secret/z", "é/a"],
  ...["\u{10000}/a", "\uffee/a", "z"],
];

/** A database with a stream in each collection, and the prefixes it is asked for. */
async function withCollections(
  use: (endpoint: Endpoint, asked: string[]) => Promise<void>,
): Promise<void> {
  await using engine = await openEngine();
  for (const [i, collection] of COLLECTIONS.entries()) {
    const tags = new Map([["name", "s"]]);
    await engine.create({ uuid: uuidOf(i), collection, tags, annotations: NONE });
  }
  const asked: string[] = [];
  const endpoint = override(engine, {
    lookupStreams: (request, options) => {
      asked.push(request.collection);
      return engine.lookupStreams(request, options);
    },
    listCollections: (request, options) => {
      asked.push(request.prefix);
      return engine.listCollections(request, options);
    },
  });
  await use(endpoint, asked);
}

/** A caller who may read below these prefixes. */
function caller(endpoint: Endpoint, collectionPrefixes: readonly string[]) {
  const grant = { capabilities: ["read"] as const, collectionPrefixes };
  return { endpoint, access: new Access(grant, new CollectionCache(endpoint), {}), options: {} };
}

async function streamsFor(asking: ReturnType<typeof caller>, prefix: string): Promise<string[]> {
  const request = {
    collection: prefix,
    isCollectionPrefix: true,
    tags: NONE,
    annotations: NONE,
  };
  const found = await Array.fromAsync(visibleStreams(request, asking));
  return found.flat().map(({ collection }) => collection);
}

async function namesFor(
  asking: ReturnType<typeof caller>,
  prefix: string,
  startWith = prefix,
): Promise<string[]> {
  return (await Array.fromAsync(visibleCollections({ prefix, startWith }, asking))).flat();
}

// With one prefix only its collections were read, with two of them everything that the question was about.
// So the time of a lookup by tag told a key whether a stream outside of its prefixes has the tag.
Deno.test("visibleStreams: of a key with several prefixes only their collections are read", () =>
  withCollections(async (endpoint, asked) => {
    const asking = caller(endpoint, ["b/", "a/", "a/x", "a/"]);
    assertEquals(await streamsFor(asking, ""), ["a/x", "a/x/y", "b/c"]);
    assertEquals(asked.splice(0), ["a/", "b/"]);
    assertEquals(await namesFor(asking, ""), ["a/x", "a/x/y", "b/c"]);
    assertEquals(asked.splice(0), ["a/", "b/"]);
    assertEquals(await namesFor(asking, "", "a/x/"), ["a/x", "a/x/y", "b/c"]);
    assertEquals(await namesFor(asking, "", "a/z"), ["b/c"]);
    assertEquals(asked.splice(0), ["a/", "b/", "a/", "b/"]);
    assertEquals(await namesFor(asking, "", "b"), ["b/c"]);
    assertEquals(asked.splice(0), ["b/"]);
    assertEquals(await streamsFor(asking, "secret"), []);
    assertEquals(asked, []);
  }));

Deno.test("visibleCollections: any prefixes show what is left of everything, in its order", () =>
  withCollections(async (endpoint) => {
    const random = new Random(21);
    const all = caller(endpoint, [""]);
    const prefixes = COLLECTIONS.flatMap((name) => [name, `${name}/`, name.slice(0, 2)]);
    for (let round = 0; round < 200; round++) {
      const own = Array.from({ length: random.int(0, 5) }, () => random.pick(prefixes));
      const asking = caller(endpoint, own);
      const prefix = random.chance(0.5) ? "" : random.pick(prefixes);
      const sees = (name: string) => own.some((one) => name.startsWith(one));
      const start = random.pick(prefixes);
      const startWith = start.startsWith(prefix) ? start : prefix;
      const names = await namesFor(all, prefix, startWith);
      const say = JSON.stringify({ own, prefix, startWith });
      assertEquals(await namesFor(asking, prefix, startWith), names.filter(sees), say);
      const streams = await streamsFor(all, prefix);
      assertEquals(await streamsFor(asking, prefix), streams.filter(sees), say);
    }
  }));
