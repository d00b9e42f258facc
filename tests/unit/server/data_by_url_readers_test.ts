/** Readers of data by URL that stop, go away, or are not the only ones. */

import { assert, assertEquals } from "@std/assert";
import { connect as connectTcp } from "node:net";
import { openEngine } from "../../../src/engine/mod.ts";
import type { Endpoint, RangeRequest } from "../../../src/endpoint/endpoint.ts";
import { serve, type ServeOptions, type Server } from "../../../src/server/mod.ts";
import { uuidBytes } from "../../../src/core/uuid.ts";
import { override } from "../../support/override_endpoint.ts";
import { Random } from "../../support/random.ts";
import { settled, until } from "../../support/until.ts";

const UUID = "00000000-0000-4000-8000-000000000001";
const POINTS = 2_000_000;
const BATCH = 500_000;

/** A server with a stream of many points, and what its queries do. */
interface Watched {
  readonly server: Server;
  readonly endpoint: Endpoint;
  /** Queries that have begun, that have ended, and chunks that were taken of them. */
  readonly seen: { begun: number; ended: number; chunks: number };
}

async function withStream(
  use: (watched: Watched) => Promise<void>,
  options: ServeOptions = {},
): Promise<void> {
  await using engine = await closing(await openEngine());
  const uuid = uuidBytes(UUID);
  const tags = new Map([["name", "s"]]);
  await engine.create({ uuid, collection: "c", tags, annotations: new Map() });
  const random = new Random(1);
  for (let from = 0; from < POINTS; from += BATCH) {
    const times = BigInt64Array.from({ length: BATCH }, (_, i) => BigInt(from + i) * 1_000_003n);
    const values = Float64Array.from({ length: BATCH }, () => random.next());
    await engine.insert({ uuid, columns: { times, values } });
  }
  await engine.flush(uuid);
  const seen = { begun: 0, ended: 0, chunks: 0 };
  async function* watched(request: RangeRequest, call: Parameters<Endpoint["rawValues"]>[1]) {
    seen.begun++;
    try {
      for await (const chunk of engine.rawValues(request, call)) {
        seen.chunks++;
        yield chunk;
      }
    } finally {
      seen.ended++;
    }
  }
  const endpoint = override(engine, { rawValues: watched });
  await using server = await serve(endpoint, { port: 0, http: { port: 0 }, ...options });
  await use({ server, endpoint, seen });
}

function closing(endpoint: Endpoint): Endpoint & AsyncDisposable {
  return Object.assign(endpoint, { [Symbol.asyncDispose]: () => endpoint.close() });
}

const urlOf = ({ server }: Watched, format: string) =>
  `http://127.0.0.1:${server.httpPort}/api/v1/data.${format}?stream=${UUID}`;

/** Asks for a path and reads nothing of the answer. */
function open(port: number, path: string, field = "x: y"): Promise<{ close: () => void }> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, "127.0.0.1", () => {
      socket.pause();
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${field}\r\n\r\n`);
      resolve({ close: () => socket.destroy() });
    });
    socket.on("error", () => {});
  });
}

for (const format of ["csv", "ndjson", "json", "arrow"]) {
  Deno.test(`data by URL: a reader of ${format} that stops gets no more; gone, its query ends`, () =>
    withStream(async (watched) => {
      const { seen, server } = watched;
      const reader = await open(server.httpPort!, `/api/v1/data.${format}?stream=${UUID}`);
      await until("the query runs", () => seen.chunks > 0);
      const chunks = await settled(() => seen.chunks);
      assert(chunks < POINTS / 8192 / 2, `${chunks} chunks were read for nobody`);
      assertEquals(seen.ended, 0);
      reader.close();
      await until("the query ends", () => seen.ended === 1);
      assert(seen.chunks - chunks <= 2);
    }));
}

// On a busy machine the file was complete before the server saw that its reader had gone, and was kept.
Deno.test("data by URL: a file that nobody waits for any more is not made", () =>
  withStream(async ({ endpoint }) => {
    const seen = { chunks: 0, isAborted: false };
    const waiting = override(endpoint, {
      async *rawValues(request: RangeRequest, call) {
        const gone = new Promise<void>((resolve) =>
          call!.signal!.addEventListener("abort", () => resolve(void (seen.isAborted = true)))
        );
        for await (const chunk of endpoint.rawValues(request, call)) {
          if (++seen.chunks === 4) await gone;
          yield chunk;
        }
      },
    });
    await using server = await serve(waiting, { port: 0, http: { port: 0 } });
    const reader = await open(server.httpPort!, `/api/v1/data.parquet?stream=${UUID}`);
    await until("the query runs", () => seen.chunks === 4);
    reader.close();
    await until("the query is aborted", () => seen.isAborted);
    await until("nothing is kept", () => /^btrdb_server_spool_bytes 0$/m.test(server.metrics()));
    assert(seen.chunks <= 5, `${seen.chunks} chunks were read`);
  }));

Deno.test("data by URL: many readers of one file make it once", () =>
  withStream(async (watched) => {
    const answers = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const response = await fetch(urlOf(watched, "parquet"));
        return (await response.arrayBuffer()).byteLength;
      }),
    );
    assertEquals(new Set(answers).size, 1);
    const [bytes] = /^btrdb_server_spool_bytes (\d+)$/m.exec(watched.server.metrics())!.slice(1);
    assertEquals(Number(bytes), answers[0]);
    assert(watched.seen.chunks < 2 * POINTS / 8192, "it was made more than once");
    const before = watched.seen.begun;
    await (await fetch(urlOf(watched, "parquet"))).body!.cancel();
    assertEquals(watched.seen.begun, before);
  }));

Deno.test("data by URL: files have bounds, and what does not fit is refused", () =>
  withStream(async (watched) => {
    const response = await fetch(urlOf(watched, "parquet"));
    const { error } = await response.json();
    assertEquals([response.status, error.code], [413, 426]);
    assertEquals(error.message.startsWith("the file is larger than the 1000000 bytes"), true);
    await until(
      "nothing is kept",
      () => /^btrdb_server_spool_bytes 0$/m.test(watched.server.metrics()),
    );
  }, { limits: { spoolBytes: 1_000_000 } }));

Deno.test("data by URL: an answer that fails on the way breaks off, and is not complete", () =>
  withStream(async (watched) => {
    const { endpoint, seen } = watched;
    const failing = override(endpoint, {
      async *rawValues(request: RangeRequest, call) {
        for await (const chunk of endpoint.rawValues(request, call)) {
          yield chunk;
          if (seen.chunks > 5) throw new Error("the disk is gone");
        }
      },
    });
    const errors: unknown[] = [];
    await using server = await serve(failing, {
      port: 0,
      http: { port: 0 },
      onError: (error) => errors.push((error as Error).message),
    });
    const get = (format: string) => fetch(urlOf({ ...watched, server }, format));
    for (const format of ["csv", "arrow", "json"]) {
      seen.chunks = 0;
      const text = await get(format).then((response) => response.text()).catch(() => "broken");
      assertEquals([format, text], [format, "broken"]);
    }
    seen.chunks = 0;
    const response = await get("parquet");
    assertEquals([response.status, (await response.json()).error.message], [500, "internal error"]);
    assertEquals(errors, new Array(4).fill("the disk is gone"));
  }));

Deno.test("data by URL: a stop ends readers that do not read", () =>
  withStream(async ({ server, seen }) => {
    const reader = await open(server.httpPort!, `/api/v1/data.csv?stream=${UUID}`);
    await until("the query runs", () => seen.chunks > 0);
    await server.stop({ graceMs: 10 });
    assertEquals(seen.ended, seen.begun);
    reader.close();
  }));

Deno.test("data by URL: a reader's query ends when its stream moves to where the key may not read", () =>
  withStream(async ({ server, endpoint, seen }) => {
    const path = `/api/v1/data.csv?stream=${UUID}`;
    const reader = await open(server.httpPort!, path, "authorization: bearer reader");
    await until("the query runs", () => seen.chunks > 0);
    await endpoint.setTags({
      uuid: uuidBytes(UUID),
      expected: 1n,
      collection: "secret",
      changes: new Map(),
      removals: [],
    });
    await until("the query ends", () => seen.ended === 1);
    reader.close();
  }, {
    hostname: "127.0.0.1",
    apiKeys: [{ key: "reader", capabilities: ["read"], collectionPrefixes: ["c"] }],
  }));
