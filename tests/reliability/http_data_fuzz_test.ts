/**
 * Data by URL and whatever may be asked of it: parameters, ranges, conditions, methods and encodings
 * in any combination. Every request is answered rightly or refused. For ten minutes, from any seed:
 *
 *     FUZZ_MINUTES=10 FUZZ_SEED=1 deno test -A tests/reliability/http_data_fuzz_test.ts
 */

import { assert, assertEquals } from "@std/assert";
import { connect as connectTcp } from "node:net";
import { connect } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { fuzzing } from "../support/fuzzing.ts";
import type { Random } from "../support/random.ts";

/** Requests of a run. */
const AT_ONCE = 20;

/** A longer answer, of windows of a ns say, is not read to its end, bytes. */
const ENOUGH_BYTES = 1 << 20;

const METHODS = ["GET", "GET", "GET", "GET", "HEAD", "POST", "PUT", "OPTIONS", "DELETE", "BREW"];

const PATHS = [
  ...["csv", "parquet", "parquet", "arrow", "ndjson", "json", "xlsx"].map((x) =>
    `/api/v1/data.${x}`
  ),
  "/api/v1/streams",
  "/api/v1/streams/a/b",
  "/api/v1/streams/",
  "/api/v1/streams/%",
  "/api/v1/streams/a%2Fb",
  "/api/v1/streams/..%2f..%2fetc/passwd",
  "/api/v1/collections",
  "/api/v1/../v1/collections",
  "/openapi.json",
  "//openapi.json",
];

const VALUES: Readonly<Record<string, readonly string[]>> = {
  stream: ["a/b", "a/b", "a/*", "a/%62", "a", "/", "a//b", "*", "%00", "%ff", "a/b%20", "'"],
  start: ["0", "1", "5", "-1", "now", "first", "last-1s", "+1s", "%2B1s", "2026-01-01", "1e9", "∞"],
  end: ["10", "100", "now", "last", "%2B1h", "9223372036854775808", "2079-08-08T23:55:13Z", ""],
  from: ["0", "1", "-1", "1.5", "99999999999999999", ""],
  to: ["0", "1000", "NaN"],
  points: ["1", "10", "0", "-1", "1000000", "1000001", "１", "0x10"],
  width: ["1", "7ns", "1s", "0", "9223372036854775808", "9223372036854775809", "1h1h"],
  pointwidth: ["0", "3", "30", "63", "64", "1s", "-1"],
  version: ["0", "11", "99", "18446744073709551615", "18446744073709551616", "11,11", ",", "-1"],
  time: ["rfc3339", "ns", "naive", "RFC3339", ""],
  tz: ["UTC", "Europe/Berlin", "+02:00", "%2B02:00", "-23:59", "+24:00", "x", "America/St_Johns"],
  label: ["path", "name", "uuid", ""],
  prefix: ["a", "%F0%9F%98%80", ""],
  "tag.name": ["b", ""],
  "tag.": ["b"],
  key: ["secret"],
};

const RANGES = [
  "bytes=0-0",
  "bytes=0-",
  "bytes=-1",
  "bytes=-8",
  "bytes=-99999999999999999999",
  "bytes=3-9",
  "bytes=9-3",
  "bytes=99999999-",
  "bytes=0-99999999999999999999",
  "bytes=0-1,3-4",
  "bytes=-0",
  "bytes=--1",
  "bytes=",
  "bits=0-1",
  "bytes=0-1\tx",
  "0-1",
];

const TAGS = [
  "*",
  '"x"',
  'W/"x"',
  "x",
  '"',
  ",,,",
  '"a","b",W/"c"',
  "Sat, 28 Nov 2026 00:00:00 GMT",
];

/** A request of some kind, as it is sent. */
function requestOf(random: Random): { method: string; text: string } {
  const method = random.pick(METHODS);
  let path = random.pick(PATHS);
  const parameters: string[] = random.chance(0.9) ? ["stream=a/b"] : [];
  const names = Object.keys(VALUES);
  for (let i = random.int(-2, 3); i > 0; i--) {
    const name = random.pick(names);
    parameters.push(`${name}=${random.pick(VALUES[name]!)}`);
  }
  if (parameters.length > 0) path += `?${parameters.join("&")}`;
  const lines = [`${method} ${encodeURI(path).replaceAll("%25", "%")} HTTP/1.1`, "Host: localhost"];
  const header = (name: string, values: readonly string[], chance: number) => {
    if (random.chance(chance)) lines.push(`${name}: ${random.pick(values)}`);
  };
  header("Range", RANGES, 0.5);
  header("If-Range", TAGS, 0.1);
  header("If-None-Match", TAGS, 0.1);
  header("If-Match", TAGS, 0.1);
  header("Accept-Encoding", ["gzip", "*;q=0", "identity", "br, gzip;q=0"], 0.2);
  header("Accept", ["text/html", "application/json", "*/*;q=0"], 0.2);
  header("Origin", ["https://a.example", "http://localhost", "null"], 0.1);
  header("Authorization", ["bearer x", "Basic Og==", "Basic ?", "Token"], 0.1);
  lines.push("Connection: close");
  if (random.chance(0.05)) lines.push("Content-Length: 3", "", "abc");
  else lines.push("", "");
  return { method, text: lines.join("\r\n") };
}

/** Answer to a request: everything that comes; undefined if it was not read to its end. */
function answerTo(port: number, text: string, isCut: boolean): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    const pieces: Uint8Array[] = [];
    let left = isCut ? 1 : ENOUGH_BYTES;
    const socket = connectTcp(port, "127.0.0.1", () => socket.write(text));
    socket.on("data", (bytes: Uint8Array) => {
      pieces.push(bytes);
      left -= bytes.length;
      if (left <= 0) socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      if (left <= 0) return resolve(undefined);
      const all = new Uint8Array(pieces.reduce((n, { length }) => n + length, 0));
      let at = 0;
      for (const piece of pieces) {
        all.set(piece, at);
        at += piece.length;
      }
      resolve(all);
    });
  });
}

/** Number of lines of a body, which may be in chunks; undefined if it is packed. */
function linesOf({ head, body }: Parsed): number | undefined {
  if (field(head, "content-encoding") !== undefined) return undefined;
  let text = new TextDecoder("latin1").decode(body);
  if (field(head, "transfer-encoding") === "chunked") {
    let whole = "";
    for (let at = 0;;) {
      const end = text.indexOf("\r\n", at);
      const length = parseInt(text.slice(at, end), 16);
      if (length === 0) break;
      whole += text.slice(end + 2, end + 2 + length);
      at = end + 2 + length + 2;
    }
    text = whole;
  }
  return text.split("\n").length - 1;
}

/** An answer in parts. */
interface Parsed {
  status: number;
  head: string;
  body: Uint8Array;
}

/** Status, header fields and body of an answer. */
function parsed(bytes: Uint8Array): Parsed {
  const text = new TextDecoder("latin1").decode(bytes);
  const end = text.indexOf("\r\n\r\n");
  const head = text.slice(0, end);
  return { status: Number(head.slice(9, 12)), head, body: bytes.subarray(end + 4) };
}

const field = (head: string, name: string) =>
  new RegExp(`^${name}: (.*)$`, "im").exec(head)?.[1]?.trim();

Deno.test("data by URL: whatever is asked is answered rightly, or refused", async () => {
  const unexpected: unknown[] = [];
  await using db = await connect("memory:");
  const stream = await db.create(crypto.randomUUID(), "a", { tags: { name: "b" } });
  await stream.insert(Array.from({ length: 50 }, (_, i) => [BigInt(i * 7), i / 3]));
  await stream.flush();
  await using server = await serve(db, {
    port: 0,
    limits: { spoolBytes: 100_000 },
    http: { port: 0, origins: ["https://a.example"] },
    onError: (error, { path }) => unexpected.push([path, error]),
  });
  const port = server.httpPort!;
  const files = new Map<string, Uint8Array>();
  for (const random of fuzzing("data by URL", 40)) {
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      const { method, text } = requestOf(random);
      const bytes = await answerTo(port, text, random.chance(0.1));
      if (bytes === undefined) return;
      const { status, head, body } = parsed(bytes);
      const allowed = [200, 204, 206, 304, 400, 403, 404, 405, 412, 413, 416];
      assert(allowed.includes(status), `${status} for ${text}\n${head}`);
      assert(method !== "HEAD" || body.length === 0, text);
      if (status >= 200 && status < 300 && method === "GET") {
        assertEquals(field(head, "x-content-type-options"), "nosniff");
      }
      const length = field(head, "content-length");
      if (length !== undefined && method === "GET" && status !== 304) {
        assertEquals([text, body.length], [text, Number(length)]);
      }
      if (status === 200 && method === "GET" && text.includes("/data.csv?")) {
        const same = text.replace("/data.csv?", "/data.ndjson?");
        const other = await answerTo(port, same, false);
        if (other === undefined) return;
        const rows = parsed(other);
        assertEquals([text, rows.status], [text, 200]);
        const [lines, expected] = [linesOf({ status, head, body }), linesOf(rows)];
        // The first line of a CSV names its columns.
        if (lines !== undefined && expected !== undefined) {
          assertEquals([text, lines], [text, 1 + expected]);
        }
      }
      const etag = field(head, "etag");
      if (etag === undefined || !text.includes("/data.parquet") || method !== "GET") return;
      if (status === 200) files.set(etag, body);
      const whole = files.get(etag);
      const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(field(head, "content-range") ?? "");
      assertEquals([text, status === 206], [text, range !== null]);
      if (range === null || whole === undefined) return;
      assertEquals(Number(range[3]), whole.length);
      assertEquals(body, whole.slice(Number(range[1]), Number(range[2]) + 1));
    }));
    const next = await fetch(
      `http://127.0.0.1:${port}/api/v1/data.ndjson?stream=a/b&end=first%2B1ns`,
    );
    assertEquals(await next.text(), '{"time":"1970-01-01T00:00:00.000000000Z","a/b":0}\n');
  }
  assertEquals(unexpected, []);
});
