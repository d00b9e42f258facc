/** Every route of HTTP, asked by callers without the right for it (docs/security.md). */

import { assert, assertEquals } from "@std/assert";
import { CollectionTemplate } from "../../../src/core/collection_template.ts";
import { uuidBytes } from "../../../src/core/uuid.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { OpenStreams } from "../../../src/server/open_streams.ts";
import { dataRoutes } from "../../../src/server/http/data/data_routes.ts";
import { Spool } from "../../../src/server/http/data/spool.ts";
import { PAGE_ROUTES } from "../../../src/server/http/plotter_page.ts";
import { writeRoutes } from "../../../src/server/http/write/write_routes.ts";
import { type ApiKey, type Capability, serve } from "../../../src/server/mod.ts";
import { IncomingBytes } from "../../../src/server/transport/incoming_bytes.ts";
import { NO_TIMEOUT } from "../../support/place_holder.ts";
import { watched } from "../../support/watched_endpoint.ts";

const OURS = "00000000-0000-4000-8000-000000000001";
const THEIRS = "00000000-0000-4000-8000-000000000002";
const ALL = ["read", "insert", "delete", "obliterate", "admin"] as const;

/** A route: a request for it, and the capability that it needs, if any. */
type Case = readonly [method: string, url: string, needs?: Capability];

const DATA: Case[] = ["csv", "parquet", "arrow", "ndjson", "json"].map((
  format,
) => ["GET", `/api/v1/data.${format}?stream=${OURS}`, "read"]);

/** By the path of the route. */
const CASES: Record<string, Case> = {
  "/": ["GET", "/"],
  "/assets/*": ["GET", "/assets/x"],
  "/openapi.json": ["GET", "/openapi.json"],
  "/ping": ["GET", "/ping"],
  "/health": ["GET", "/health"],
  "/api/v1/collections": ["GET", "/api/v1/collections", "read"],
  "/api/v1/streams": ["GET", "/api/v1/streams", "read"],
  "/api/v1/streams/*": ["GET", `/api/v1/streams/${OURS}`, "read"],
  ...Object.fromEntries(DATA.map((one) => [one[1].split("?")[0], one])),
  "/write": ["POST", "/write?db=ours", "insert"],
  "/api/v2/write": ["POST", "/api/v2/write?bucket=ours", "insert"],
  "/api/v3/write_lp": ["POST", "/api/v3/write_lp?db=ours", "insert"],
  "/query": ["POST", "/query?q=CREATE+DATABASE+x", "insert"],
};

/** The paths of all routes. */
function paths(endpoint: Endpoint): string[] {
  const spool = new Spool({ maxBytes: 1, maxOwnerBytes: 1 });
  const data = {
    spool,
    openStreams: new OpenStreams(1, 1, NO_TIMEOUT),
    maxStreams: 1,
    isKeyed: true,
  };
  const rules = { maxMessageBytes: 1, messageBytes: () => 1, isKnown: () => true };
  const write = { template: new CollectionTemplate("{bucket}"), maxStreams: 1, maxBytes: 1 };
  return [
    ...PAGE_ROUTES,
    ...dataRoutes(data),
    ...writeRoutes({ endpoint, incoming: new IncomingBytes(rules), ...write }),
  ].map(({ path }) => path);
}

Deno.test("serve http: no route does anything for callers without the right", async () => {
  await using engine = await openEngine();
  for (const [uuid, collection] of [[OURS, "ours/m"], [THEIRS, "theirs/m"]] as const) {
    const tags = new Map([["name", "v"]]);
    await engine.create({ uuid: uuidBytes(uuid), collection, tags, annotations: new Map() });
  }
  assertEquals(paths(engine).sort(), Object.keys(CASES).sort());
  const apiKeys: ApiKey[] = [
    { key: "ours", capabilities: ALL, collectionPrefixes: ["ours/"] },
    { key: "read", capabilities: ["read"] },
    ...ALL.map((one) => ({ key: `no-${one}`, capabilities: ALL.filter((other) => other !== one) })),
  ];
  const asked: string[] = [];
  await using server = await serve(watched(engine, asked), {
    port: 0,
    hostname: "127.0.0.1",
    http: { port: 0, write: true },
    apiKeys,
  });
  const ask = async (method: string, url: string, key?: string) => {
    asked.length = 0;
    const headers: Record<string, string> = key === undefined
      ? {}
      : { authorization: `Bearer ${key}` };
    const body = method === "POST" ? "m v=1 1" : null;
    const response = await fetch(`http://127.0.0.1:${server.httpPort}${url}`, {
      method,
      headers,
      body,
    });
    return { status: response.status, text: await response.text(), asked: [...asked] };
  };
  for (const [method, url, needs] of Object.values(CASES)) {
    if (needs === undefined) {
      for (const key of [undefined, "wrong", "no-read"]) {
        const { status, asked } = await ask(method, url, key);
        const isFine = status < 300 || url === "/assets/x" && status === 404;
        assert(isFine && asked.length === 0, `${url} of ${key}: ${status} ${asked}`);
      }
      continue;
    }
    const refused = [[undefined, 401], ["wrong", 401], [`no-${needs}`, 403]] as const;
    for (const [key, expected] of refused) {
      const { status, asked } = await ask(method, url, key);
      assertEquals([url, key, status, asked], [url, key, expected, []]);
    }
    if (needs === "insert") {
      const { status, asked } = await ask(method, url, "read");
      assertEquals([url, status, asked], [url, 403, []]);
    }
    const foreign = await ask(
      method,
      url.replace(OURS, THEIRS).replace("=ours", "=theirs"),
      "ours",
    );
    assert(!foreign.text.includes(THEIRS), `${url}: ${foreign.text}`);
    assert(!foreign.asked.some((one) => /insert|create|rawValues|windows/i.test(one)), url);
    assertEquals((await ask(method, url, "ours")).status < 300, true, url);
  }
  const theirs = { uuid: uuidBytes(THEIRS), start: 0n, end: 10n, version: 0n };
  const batches = await Array.fromAsync(engine.rawValues(theirs));
  assertEquals(batches.flatMap(({ columns }) => [...columns.times]), []);
});
