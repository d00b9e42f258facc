/** Tests of counts: all pieces are read from one version. */

import { assertEquals } from "@std/assert";
import { BTrDB, MAX_TIME, type Stream } from "@btrdb/btrdb";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { asV4, override } from "../../support/override_endpoint.ts";

/** Counts over an engine, and says which versions were asked for. */
async function versionsAsked(
  pass: (engine: Endpoint, own: Partial<Endpoint>) => Endpoint,
  count: (stream: Stream) => Promise<unknown>,
  flush: boolean,
): Promise<bigint[]> {
  const engine = await openEngine();
  const asked: bigint[] = [];
  await using db = new BTrDB(pass(engine, {
    windows: (request, options) => {
      asked.push(request.version);
      return engine.windows(request, options);
    },
    alignedWindows: (request, options) => {
      asked.push(request.version);
      return engine.alignedWindows(request, options);
    },
  }));
  const stream = await db.create(crypto.randomUUID(), "count");
  await stream.insert([[-5n, 1], [0n, 2], [1_000n, 3]]);
  if (flush) await stream.flush();
  await count(stream);
  return asked;
}

const ragged = (stream: Stream) => stream.count({ start: -7n, end: 1_001n });

Deno.test("Stream.count: the whole axis is one request, any range at most three", async () => {
  assertEquals(await versionsAsked(override, (stream) => stream.count(), true), [0n]);
  assertEquals((await versionsAsked(override, ragged, true)).length, 3);
  const upToTheEnd = (stream: Stream) => stream.count({ start: 1n, end: MAX_TIME });
  assertEquals((await versionsAsked(override, upToTheEnd, true)).length, 2);
});

Deno.test("Stream.count: embedded, all pieces are of one version, unless points are buffered", async () => {
  assertEquals(await versionsAsked(override, ragged, true), [0n, 11n, 11n]);
  assertEquals(await versionsAsked(override, ragged, false), [0n, 0n, 0n]);
});

Deno.test("Stream.count: over gRPC, all pieces are of the latest version, or of the one asked for", async () => {
  assertEquals(await versionsAsked(asV4, ragged, true), [0n, 0n, 0n]);
  const explicit = (stream: Stream) => stream.count({ start: -7n, end: 1_001n, version: 11n });
  assertEquals(await versionsAsked(asV4, explicit, true), [11n, 11n, 11n]);
});
