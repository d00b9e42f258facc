/** Answers that are divided into several messages. */

import { assertEquals, assertLessOrEqual } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import { connectGrpc } from "../../../src/grpc/mod.ts";
import { serve } from "../../../src/server/mod.ts";
import { override } from "../../support/override_endpoint.ts";

// A thousand streams went into one message, and 70 annotations each made it one that the client refuses.
Deno.test("LookupStreams: streams of many annotations go into messages that a client takes", async () => {
  const annotations = new Map(Array.from({ length: 300 }, (_, i) => [`key ${i}`, `value ${i}`]));
  const streams = Array.from({ length: 2_000 }, (_, i) => ({
    uuid: new Uint8Array(16).fill(i % 256).fill(i >> 8, 8),
    collection: "grid",
    tags: new Map([["name", `stream ${i}`]]),
    annotations,
    propertyVersion: 1n,
  }));
  await using engine = await openEngine();
  const endpoint = override(engine, {
    async *lookupStreams() {
      yield streams;
    },
  });
  await using server = await serve(endpoint, { port: 0 });
  for (const protocol of ["v4", "v5"] as const) {
    const address = `127.0.0.1:${server.port}`;
    const client = await connectGrpc({ addresses: [address], protocol });
    try {
      const sizes: number[] = [];
      const request = {
        collection: "grid",
        isCollectionPrefix: false,
        tags: new Map(),
        annotations: new Map(),
      };
      for await (const found of client.lookupStreams(request)) {
        for (const { annotations } of found) sizes.push(annotations.size);
        // A client decodes a message at once: 32,768 of them took 30 to 50 ms.
        assertLessOrEqual(found.length * 301, 8_192 + 301);
      }
      assertEquals(sizes, streams.map(() => 300));
    } finally {
      await client.close();
    }
  }
});
