/** Requests of HTTP that are made to do harm (docs/security.md). */

import { connect as connectTcp } from "node:net";
import { assert, assertEquals } from "@std/assert";
import { uuidBytes, uuidText } from "../../../src/core/uuid.ts";
import type { Endpoint } from "../../../src/endpoint/endpoint.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { type ApiKey, serve, type ServeOptions } from "../../../src/server/mod.ts";
import { byteRange } from "../../../src/server/http/byte_range.ts";
import { cpuMs } from "../../support/cpu_ms.ts";
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
    const served: Served = { engine, port: 0, metricsPort: undefined, lookups: 0 };
    const endpoint = override(engine, {
      lookupStreams: (...given) => {
        served.lookups++;
        return engine.lookupStreams(...given);
      },
    });
    await using server = await serve(endpoint, { port: 0, http: { port: 0 }, ...options });
    served.port = server.httpPort!;
    served.metricsPort = server.metricsPort;
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
  metricsPort: number | undefined;
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

const OURS: ApiKey = {
  key: "ours",
  capabilities: ["read", "insert"],
  collectionPrefixes: ["ours/"],
};
const WRITER: ApiKey = { key: "writer", capabilities: ["insert"], collectionPrefixes: ["ours/"] };
const KEYS: ApiKey[] = [{ key: "root", capabilities: ["read", "insert"] }, OURS, WRITER];

/** Paths that name what is there, each beside one that names what is not, for who sees neither. */
function pairs(): [string, string][] {
  const nowhere = crypto.randomUUID();
  const theirs = UUIDS[3]!;
  const found: [string, string][] = [
    [`/api/v1/streams/${theirs}`, `/api/v1/streams/${nowhere}`],
    ["/api/v1/streams/theirs/c/s3", "/api/v1/streams/theirs/c/s9"],
    [`/api/v1/streams/theirs/c/${theirs}`, `/api/v1/streams/theirs/c/${nowhere}`],
    [`/api/v1/streams/ours/c/${theirs}`, `/api/v1/streams/ours/c/${nowhere}`],
    ["/api/v1/streams?collection=theirs/c", "/api/v1/streams?collection=theirs/x"],
    ["/api/v1/streams?prefix=theirs", "/api/v1/streams?prefix=nothing"],
    ["/api/v1/streams?tag.name=s3", "/api/v1/streams?tag.name=s9"],
    ["/api/v1/collections?prefix=theirs", "/api/v1/collections?prefix=nothing"],
  ];
  for (const format of ["csv", "parquet", "arrow", "ndjson", "json"]) {
    const data = `/api/v1/data.${format}?stream=`;
    found.push(
      [`${data}${theirs}`, `${data}${nowhere}`],
      [`${data}${theirs}&version=1`, `${data}${nowhere}&version=1`],
      [`${data}${theirs}&version=99`, `${data}${nowhere}&version=99`],
      [`${data}${A}&stream=${theirs}`, `${data}${A}&stream=${nowhere}`],
      [`${data}theirs/c/s3`, `${data}theirs/c/s9`],
      [`${data}theirs/c/*`, `${data}theirs/x/*`],
      [`${data}theirs/c/${theirs}`, `${data}theirs/c/${nowhere}`],
      [`${data}ours/c/${theirs}`, `${data}ours/c/${nowhere}`],
    );
  }
  return found;
}

Deno.test("data by URL: no form of a URL tells what the caller may not see", () =>
  withServer({ apiKeys: KEYS }, async (ask) => {
    const root = { authorization: "Bearer root" };
    for (const [there, nowhere] of pairs()) {
      // The tag of what they would get is no way in.
      const etag = (await ask(there, { headers: root })).headers.get("etag") ?? "*";
      for (const key of ["ours", "writer", undefined, "unknown"]) {
        for (const more of [{}, { "if-none-match": etag }, { "if-match": etag }]) {
          const who = key === undefined ? {} : { authorization: `Bearer ${key}` };
          const headers: Record<string, string> = { ...who, ...more };
          const same = async (path: string, method: string) => {
            const { status, headers: found, text } = await ask(path, { headers, method });
            const fields = [...found].filter(([name]) => !/^(date|content-length)$/.test(name));
            // The words repeat what was asked.
            const words = text.replaceAll(/s[39]|theirs\/[cx]|theirs|nothing|[-0-9a-f]{36}/g, "…");
            return JSON.stringify([status, fields, words]);
          };
          for (const method of ["GET", "HEAD"]) {
            const what = `${method} ${there} of ${key}`;
            assertEquals(await same(there, method), await same(nowhere, method), what);
          }
        }
      }
    }
  }));

Deno.test("data by URL: what a key was shown is for no shared cache, whatever its version", () =>
  withServer({ apiKeys: KEYS }, async (ask) => {
    const headers = { authorization: "Bearer ours" };
    for (const format of ["csv", "parquet", "arrow", "ndjson", "json"]) {
      const latest = await ask(`/api/v1/data.${format}?stream=${A}`, { headers });
      const pinned = await ask(latest.headers.get("content-location")!, { headers });
      assertEquals([latest.status, pinned.status], [200, 200]);
      assertEquals(latest.headers.get("cache-control"), "private, no-cache");
      assert(/^private, .*immutable$/.test(pinned.headers.get("cache-control")!));
      for (const { headers } of [latest, pinned]) {
        assert(headers.get("vary")!.includes("authorization"));
      }
    }
    for (const path of [`/api/v1/streams/${B}`, "/api/v1/streams", "/api/v1/collections"]) {
      const { headers: found } = await ask(path, { headers });
      assertEquals(found.get("cache-control"), "no-cache", path);
      assert(found.get("vary")!.includes("authorization"), path);
    }
  }));

Deno.test("data by URL: safe-csv keeps names from being formulas, in CSV alone", () =>
  withServer({}, async (ask, { engine }) => {
    const uuid = crypto.randomUUID();
    const tags = new Map([["name", '=HYPERLINK("http://evil.example";"x")']]);
    await engine.create({ uuid: uuidBytes(uuid), collection: "=1", tags, annotations: new Map() });
    const head = async (more: string) => {
      const { status, text } = await ask(`/api/v1/data.csv?stream=${uuid}${more}`);
      assertEquals(status, 200, text);
      return text.split("\n")[0]!.split(",").slice(more.includes("time=") ? 1 : 2).join(",");
    };
    const link = '=HYPERLINK(""http://evil.example"";""x"")';
    assertEquals(await head("&label=name"), `"${link}"`);
    assertEquals(await head("&label=name&safe-csv=false"), `"${link}"`);
    assertEquals(await head("&label=name&safe-csv=true"), `"'${link}"`);
    assertEquals(await head("&safe-csv=true&time=ns"), `"'=1/${link}"`);
    assertEquals((await head("&label=name&safe-csv=true&points=2")).match(/"'=/g)!.length, 4);
    const plain = await ask(`/api/v1/data.csv?stream=${uuid}`);
    const safe = await ask(`/api/v1/data.csv?stream=${uuid}&safe-csv=true`);
    assert(plain.headers.get("etag") !== safe.headers.get("etag"), "other bytes, other names");
    const pinned = await ask(safe.headers.get("content-location")!);
    assertEquals(pinned.text, safe.text);
    for (const format of ["parquet", "arrow", "ndjson", "json"]) {
      const { status, text } = await ask(`/api/v1/data.${format}?stream=${uuid}&safe-csv=true`);
      assertEquals([status, text.includes("safe-csv")], [400, true]);
    }
    assertEquals((await ask(`/api/v1/data.csv?stream=${uuid}&safe-csv=yes`)).status, 400);
  }));

/** Answer to bytes, to the end of the connection. */
function say(port: number, text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connectTcp(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (bytes) => answer += String(bytes));
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer));
  });
}

Deno.test("serve http: requests with two lengths are no requests, and nothing behind them is one", () =>
  withServer({ http: { port: 0, write: true } }, async (_ask, { port }) => {
    const hidden =
      "GET /api/v1/collections HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    const heads = [
      "Content-Length: 6\r\nTransfer-Encoding: chunked",
      "Transfer-Encoding: chunked\r\nContent-Length: 3",
      "Content-Length: 0\r\nContent-Length: 44",
      "Content-Length: 0, 44",
      "Content-Length: +0",
      "Content-Length: -1",
      "Content-Length: 99999999999999999999",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
      "Transfer-Encoding : chunked",
      "X: a\r\n b\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: 5",
      "X: a\rTransfer-Encoding: chunked",
      "X: a\0b",
    ];
    for (const head of heads) {
      const request = `POST /write?db=x HTTP/1.1\r\nHost: localhost\r\n${head}\r\n\r\n`;
      const answer = await say(port, `${request}0\r\n\r\n${hidden}`);
      const what = `${JSON.stringify(head)}: ${answer}`;
      assertEquals(answer.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 400"], what);
      assert(!answer.includes("theirs"), what);
    }
  }));

// `gzip, chunked` was read as if it were plain.
Deno.test("serve http: bodies in other transfer codings than chunked are 501, and nothing behind them is read", () =>
  withServer({ http: { port: 0, write: true } }, async (_ask, { engine, port }) => {
    const last = "GET /api/v1/collections HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    const body = "8\r\nm v=1 1\n\r\n0\r\n\r\n";
    const collections = async () => {
      const found = await Array.fromAsync(engine.listCollections({ prefix: "x" }));
      return found.flat();
    };
    for (
      const head of [
        "gzip, chunked",
        "gzip\r\nTransfer-Encoding: chunked",
        "identity, chunked",
        "x,\tchunked",
        "xchunked",
      ]
    ) {
      const request =
        `POST /write?db=x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: ${head}\r\n\r\n`;
      const answer = await say(port, request + body + last);
      assertEquals([head, answer.match(/HTTP\/1\.1 \d+/g)], [head, ["HTTP/1.1 501"]]);
      assertEquals(await collections(), []);
    }
    const chunked =
      "POST /write?db=x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: \tChunked \r\n\r\n";
    const answer = await say(port, chunked + body + last);
    assertEquals(answer.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 204", "HTTP/1.1 200"]);
    assertEquals(await collections(), ["x/m"]);
  }));

// Such targets were 404, and the name of the server was looked for in `Host`, which does not count then.
Deno.test("serve http: a target in absolute form is its path, at the host that it names", () =>
  withServer({ http: { port: 0 }, metricsPort: 0 }, async (_ask, { port, metricsPort }) => {
    const get = async (port: number, target: string, host: string) => {
      const head = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      return (await say(port, head)).slice(9, 12);
    };
    const path = "/api/v1/collections?prefix=x";
    assertEquals(await get(port, `http://localhost:1${path}`, "localhost"), "200");
    assertEquals(await get(port, `HTTPS://127.0.0.1${path}`, "evil.example"), "200");
    assertEquals(await get(port, `http://evil.example${path}`, "localhost"), "403");
    assertEquals(await get(port, `http://a@localhost${path}`, "localhost"), "403");
    assertEquals(await get(port, "http://localhost", "localhost"), "200");
    assertEquals(await get(port, `ftp://localhost${path}`, "localhost"), "404");
    assertEquals(await get(metricsPort!, "http://localhost/healthz", "localhost"), "200");
  }));

// The pattern tried blanks around a missing number in every way: a header of 15 KB blocked the server
// for half a second.
Deno.test("byteRange: blanks are looked at once", () => {
  const blanks = " ".repeat(60_000);
  for (const header of [`bytes=${blanks}x`, `bytes=1-${blanks}x`, `bytes=1${blanks}x`]) {
    assert(cpuMs(() => assertEquals(byteRange(header, 10), "all")) < 2_000, header.slice(0, 9));
  }
  assertEquals(byteRange(" Bytes = 2 - 5 ", 10), { start: 2, end: 6 });
});

// Callers without a right could have the server read every part of a URL before they were refused.
Deno.test("data by URL: nothing of a URL is read for callers who may not read", () =>
  withServer({ apiKeys: KEYS }, async (ask) => {
    for (const format of ["csv", "parquet", "arrow", "ndjson", "json"]) {
      const path = `/api/v1/data.${format}?start=nonsense`;
      assertEquals((await ask(path)).status, 401);
      const answer = async (key: string) =>
        (await ask(path, { headers: { authorization: `Bearer ${key}` } })).status;
      assertEquals([await answer("writer"), await answer("ours")], [403, 400]);
    }
  }));
