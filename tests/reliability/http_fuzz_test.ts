/**
 * The HTTP port of `serve` and whatever may be sent to it: pieces of HTTP and gRPC-Web in any order,
 * cut off anywhere. For ten minutes, from any seed:
 *
 *     FUZZ_MINUTES=10 FUZZ_SEED=1 deno test -A tests/reliability/http_fuzz_test.ts
 */

import { assertEquals } from "@std/assert";
import { connect as connectTcp } from "node:net";
import { connect } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { fuzzing } from "../support/fuzzing.ts";
import type { Random } from "../support/random.ts";

/** Connections of a run. */
const AT_ONCE = 20;

/** A peer that says nothing more is left alone for so long, ms. */
const SILENT_MS = 200;

const HEAD = "POST /v5api.BTrDB/Info HTTP/1.1\r\nHost: localhost\r\n" +
  "content-type: application/grpc-web+proto\r\n";

const PIECES = [
  "GET ",
  "POST ",
  "OPTIONS ",
  "PUT ",
  "/",
  "/v5api.BTrDB/RawValues",
  "/api/v1/data.csv?stream=a/b&start=1&end=2",
  "/api/v1/data.parquet?stream=%ff&stream=&start=-1&points=0",
  "/write?db=a&precision=ns",
  "/api/v2/write?bucket=a",
  "Range: bytes=0-,-1,5-4\r\n",
  "If-None-Match: *\r\n",
  "Content-Encoding: gzip\r\n",
  "m,t=a f=1 1\nm f=1e999 x\n",
  " HTTP/1.1\r\n",
  " HTTP/1.0\r\n",
  " HTTP/9.9\r\n",
  "Host: localhost\r\n",
  "Host: \r\n",
  "Content-Length: 5\r\n",
  "Content-Length: -1\r\n",
  "Content-Length: 99999999999\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: chunked, identity\r\n",
  "grpc-timeout: 99999999H\r\n",
  "grpc-timeout: -1m\r\n",
  "origin: https://a.example\r\n",
  "origin: \0\r\n",
  "authorization: bearer \xff\r\n",
  "Expect: 100-continue\r\n",
  "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
  "Connection: close\r\n",
  "\r\n",
  "\0\0\0\0\0",
  "\0\0\0\0\x05abcde",
  "\x80\0\0\0\x02ab",
  "\x01\xff\xff\xff\xff",
  "5\r\nhello\r\n0\r\n\r\n",
  "fffffffff\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "A".repeat(20_000),
  `x: ${"y".repeat(70_000)}\r\n`,
  "\x16\x03\x01",
];

/** Makes a connection, says something, and waits for its end. */
function visit(port: number, random: Random): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectTcp(port, "127.0.0.1");
    const timer = setTimeout(() => socket.destroy(), SILENT_MS);
    socket.on("error", () => {});
    socket.on("data", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.on("connect", () => {
      const pieces = Array.from({ length: random.int(1, 12) }, () => random.pick(PIECES));
      if (random.chance(0.5)) pieces.unshift(HEAD);
      for (const piece of pieces) {
        socket.write(Uint8Array.from(piece, (character) => character.charCodeAt(0)));
      }
      const end = random.int(1, 10);
      if (end <= 3) socket.destroy();
      else if (end <= 5) socket.end();
    });
  });
}

Deno.test("serve http: whatever is sent, the next one is answered", async () => {
  const unexpected: unknown[] = [];
  await using db = await connect("memory:");
  await using server = await serve(db, {
    port: 0,
    http: { port: 0, origins: ["https://a.example"], write: true },
    onError: (error) => unexpected.push(error),
  });
  await using client = await connect(`grpc-web://127.0.0.1:${server.httpPort}`);
  const stream = await client.create(crypto.randomUUID(), "fuzz");
  let runs = 0;
  for (const random of fuzzing("HTTP port", 30)) {
    await Promise.all(Array.from({ length: AT_ONCE }, () => visit(server.httpPort!, random)));
    await stream.insert([[BigInt(runs), runs]]);
    runs++;
  }
  assertEquals(await stream.count(), BigInt(runs));
  assertEquals(unexpected, []);
});
