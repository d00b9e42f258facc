/**
 * 190 lookups whose answers nobody read each kept a thousand streams until their message was complete,
 * and a thousand more from the engine. Each collection of young garbage copied all of them, for up to a
 * tenth of a second, in which everybody waited.
 */

import { assert, assertEquals } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import type { StreamDescriptor } from "../../../src/endpoint/endpoint.ts";
import { LookupMessage } from "../../../src/server/btrdb/lookup_message.ts";

/** Most streams that a lookup keeps between two steps. */
const MOST = 128;

function streamOf(n: number, tags = 2): StreamDescriptor {
  const uuid = new Uint8Array(16);
  new DataView(uuid.buffer).setUint32(0, n + 1);
  return {
    uuid,
    collection: "a/b",
    tags: new Map(Array.from({ length: tags }, (_, i) => [`t${i}`, String(n)])),
    annotations: new Map(),
    propertyVersion: 1n,
  };
}

/** Encodes a stream as one byte, and counts. */
class OneByte {
  encoded = 0;

  encodeLookup(found: readonly StreamDescriptor[]): Uint8Array {
    assert(found.length <= MOST, `${found.length} streams in one step`);
    this.encoded += found.length;
    return Uint8Array.from(found, ({ uuid }) => uuid[3]!);
  }
}

Deno.test("LookupMessage: streams are encoded as they come, and all are in the message", async () => {
  const dialect = new OneByte();
  const message = new LookupMessage(dialect);
  assert(message.isEmpty);
  for (let n = 0; n < 1_000; n++) {
    assert(!message.isFull);
    await message.add(streamOf(n));
    assert(n + 1 - dialect.encoded < MOST, `${n + 1 - dialect.encoded} streams are kept`);
  }
  assert(message.isFull);
  assertEquals(message.end(), Uint8Array.from({ length: 1_000 }, (_, n) => n + 1));
});

Deno.test("LookupMessage: streams with many tags make shorter steps and messages", async () => {
  const dialect = new OneByte();
  const message = new LookupMessage(dialect);
  let streams = 0;
  for (; !message.isFull; streams++) {
    await message.add(streamOf(streams, 512));
    assertEquals(dialect.encoded, streams + 1);
  }
  assertEquals(streams, 16);
  assertEquals(message.end().length, 16);
});

// 190 messages of streams with long annotations, which nobody read, had 2.7 MB each.
Deno.test("LookupMessage: streams with long tags make shorter messages", async () => {
  const message = new LookupMessage({
    encodeLookup: (found) => new Uint8Array(found.length * 100_000),
  });
  let streams = 0;
  for (; !message.isFull; streams++) await message.add(streamOf(streams, 512));
  assertEquals(streams, 6);
  assertEquals(message.end().length, 600_000);
});

Deno.test("LookupMessage: without streams it is a message without results", () => {
  assertEquals(new LookupMessage(new OneByte()).end().length, 0);
});

Deno.test("Engine: lookups come in chunks that are short", async () => {
  const folder = await Deno.makeTempDir();
  const engine = await openEngine({ path: `${folder}/grid.btrdb` });
  for (let n = 0; n < 300; n++) await engine.create(streamOf(n));
  const lookup = { collection: "a", isCollectionPrefix: true, annotations: new Map() };
  for (const tags of [new Map(), new Map([["t0", null]])]) {
    const lengths: number[] = [];
    for await (const found of engine.lookupStreams({ ...lookup, tags })) lengths.push(found.length);
    assert(lengths.every((length) => length <= MOST), `chunks of ${lengths} streams`);
    assertEquals(lengths.reduce((a, b) => a + b), 300);
  }
  await engine.close();
  await Deno.remove(folder, { recursive: true });
});
