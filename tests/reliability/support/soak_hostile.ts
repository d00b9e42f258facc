/**
 * Hostile clients of the soak, in a process that is killed when they have done enough:
 *
 *     soak_hostile.ts ADDRESS HTTP_PORT PAUSE_MS CLIENTS
 *
 * Each does one thing after another that no honest client does, and never stops. Prints
 * `count hostile-NAME` for each.
 */

import { connect as connectTcp } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { MultiRawValuesParamsSchema, SQLQueryParamsSchema } from "../../../src/gen/btrdb_v5_pb.ts";
import { RawClient } from "../../support/grpc_client.ts";
import { pause } from "./soak_points.ts";

const [address, httpPort, pauseMs, clients] = Deno.args;
const [hostname, port] = address!.split(":");

/** Time after which what is not answered is left, ms. */
const LEFT_MS = 2_000;

function noise(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, Math.min(length, at + 65_536)));
  }
  return bytes;
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Says something on a connection and stays silent for a while. */
function say(to: number, bytes: Uint8Array, silentMs: number): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectTcp(to, hostname);
    const timer = setTimeout(() => socket.destroy(), silentMs);
    socket.on("error", () => {});
    socket.on("data", () => {});
    socket.on("close", () => {
      clearTimeout(timer);
      resolve();
    });
    socket.on("connect", () => socket.write(bytes));
  });
}

async function call(method: string, bytes: Uint8Array): Promise<void> {
  using client = new RawClient(address!);
  await client.call(`/v5api.BTrDB/${method}`, bytes, { deadlineMs: Date.now() + LEFT_MS });
}

/** One that is allowed and runs for minutes; too many rows; not allowed; hard to tokenise. */
const SQL = [
  "SELECT sum(instr($1 || a.name, substr($1, 1, 15000) || 'b')) AS n FROM streams a, streams b, streams c",
  `SELECT count(*) AS n FROM ${"abcdef".split("").map((name) => `streams ${name}`)}`,
  "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
  "/**/".repeat(60) + "x",
];
const LONG = "a".repeat(30_000);
const PREFACE = text("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const METHODS = ["RawValues", "Insert", "Windows", "LookupStreams", "Create", "Subscribe", "Info"];

// Made once: the time that this process takes is time the honest ones do not get.
const LARGE = new Uint8Array(16 << 20);
const MANY = toBinary(
  MultiRawValuesParamsSchema,
  create(MultiRawValuesParamsSchema, {
    uuid: Array.from({ length: 10_000 }, () => noise(16)),
    start: 0n,
    end: 1n << 61n,
  }),
);

const ATTACKS: Record<string, () => Promise<unknown>> = {
  silent: () => say(Number(port), new Uint8Array(), LEFT_MS),
  preface: () => say(Number(port), new Uint8Array([...PREFACE, ...noise(500)]), LEFT_MS),
  noise: () => say(Number(port), noise(3_000), 200),
  "http-noise": () => say(Number(httpPort), noise(3_000), 200),
  "http-half": () =>
    say(
      Number(httpPort),
      text(
        "POST /v5api.BTrDB/Insert HTTP/1.1\r\nHost: localhost\r\n" +
          "content-type: application/grpc-web+proto\r\ncontent-length: 1000000\r\n\r\n\0\0",
      ),
      LEFT_MS,
    ),
  message: () => call(METHODS[Math.floor(Math.random() * METHODS.length)]!, noise(100)),
  large: () => call("Insert", LARGE),
  sql: () => {
    const query = SQL[Math.floor(Math.random() * SQL.length)]!;
    const params = query.includes("$1") ? [LONG] : [];
    return call(
      "SQLQuery",
      toBinary(SQLQueryParamsSchema, create(SQLQueryParamsSchema, { query, params })),
    );
  },
  many: () => call("MultiRawValues", MANY),
};

async function client(): Promise<void> {
  const names = Object.keys(ATTACKS);
  for (;;) {
    const name = names[Math.floor(Math.random() * names.length)]!;
    await ATTACKS[name]!();
    console.log(`count hostile-${name}`);
    await pause(Math.random() * Number(pauseMs));
  }
}

await Promise.all(Array.from({ length: Number(clients) }, client));
