/** Requests of HTTP that are made to do harm (docs/security.md). */

import { connect as connectTcp } from "node:net";
import { assert, assertEquals } from "@std/assert";
import { uuidBytes, uuidText } from "../../../src/core/uuid.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { type ApiKey, serve, type ServeOptions } from "../../../src/server/mod.ts";
import { override } from "../../support/override_endpoint.ts";

const UUIDS = Array.from({ length: 6 }, (_, k) => `0000000${k}-0000-4000-8000-000000000000`);
const [A, B] = UUIDS as [string, string];

/** A server with streams `ours/c/s0` to `s2`, `theirs/c/s3` to `s5`, and a count of its lookups. */
async function withServer(
  options: ServeOptions,
  use: (
    ask: (path: string, init?: RequestInit) => Promise<Answer>,
    served: Served,
  ) => Promise<void>,
): Promise<void> {
  const engine = await openEngine();
  try {
    for (const [k, uuid] of UUIDS.entries()) {
      await engine.create({
        uuid: uuidBytes(uuid),
        collection: k < 3 ? "ours/c" : "theirs/c",
        tags: new Map([["name", `s${k}`], ["unit", "V"]]),
        annotations: new Map([["note", "n"]]),
      });
      const columns = { times: BigInt64Array.of(1n, 2n), values: Float64Array.of(k, k) };
      await engine.insert({ uuid: uuidBytes(uuid), columns });
      await engine.flush(uuidBytes(uuid));
    }
    const served: Served = { engine, port: 0, lookups: 0 };
    const endpoint = override(engine, {
      lookupStreams: (...given) => {
        served.lookups++;
        return engine.lookupStreams(...given);
      },
    });
    await using server = await serve(endpoint, { port: 0, http: { port: 0 }, ...options });
    served.port = server.httpPort!;
    await use(async (path, init) => {
      const response = await fetch(`http://127.0.0.1:${server.httpPort}${path}`, init);
      const { status, headers } = response;
      return { status, headers, text: await response.text() };
    }, served);
  } finally {
    await engine.close();
  }
}

interface Served {
  readonly engine: Endpoint;
  port: number;
  lookups: number;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

Deno.test("data by URL: what a URL can make the server look up is bounded", () =>
  withServer({ limits: { streamsPerCall: 2 } }, async (ask, served) => {
    // A collection named 800 times was looked up 800 times: minutes, where it was large.
    const again = new Array(800).fill("stream=ours/c/s0").join("&");
    const once = await ask("/api/v1/data.csv?stream=ours/c/s0");
    served.lookups = 0;
    assertEquals((await ask(`/api/v1/data.csv?${again}`)).text, once.text);
    assertEquals(served.lookups, 1);
    const all = await ask("/api/v1/data.csv?stream=ours/c/*");
    assert(all.text.includes("more than the 2 streams allowed"), all.text);
    // A uuid below a collection is looked up as what it is; all of the collection was.
    const path = `/api/v1/streams/ours/c/${A.toUpperCase()}`;
    assertEquals(JSON.parse((await ask(path)).text).path, "ours/c/s0");
    assertEquals((await ask(`/api/v1/streams/theirs/c/${A}`)).status, 404);
    assertEquals((await ask(`/api/v1/streams/ours/c/${crypto.randomUUID()}`)).status, 404);
    const tags = new Map([["name", A]]);
    const uuid = uuidBytes(crypto.randomUUID());
    await served.engine.create({ uuid, collection: "ours/c", tags, annotations: new Map() });
    const several = await ask(path.toLowerCase());
    assert(several.text.includes("2 streams are called"), several.text);
    assert(several.text.includes(uuidText(uuid)), several.text);
  }));
