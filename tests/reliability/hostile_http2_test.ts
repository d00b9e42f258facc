/** Clients of HTTP/2 by which a server ended, with a key or without. */

import { connect as connectTcp } from "node:net";
import { assertEquals } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { ServedDatabase } from "./support/served_database.ts";

const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const [DATA, HEADERS, RESET, SETTINGS, GOAWAY, WINDOW] = [0, 1, 3, 4, 7, 8] as const;
const CANCEL = 8;
const END_STREAM_AND_HEADERS = 5;
const NUMBER_AND_CODE = 8;
/** `POST / HTTP/2` to `x`, in HPACK (RFC 7541). */
const REQUEST = [0x83, 0x86, 0x84, 0x01, 1, 0x78];

function frame(type: number, flags: number, stream: number, payload: number[]): Uint8Array {
  return Uint8Array.of(0, 0, payload.length, type, flags, 0, 0, 0, stream, ...payload);
}

/** Sends pieces, each once the one before has gone, and closes. */
async function sendAll(port: number, pieces: readonly Uint8Array[]): Promise<void> {
  const socket = connectTcp(port, "127.0.0.1");
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => {});
  const send = (bytes: Uint8Array) =>
    new Promise<void>((resolve) => {
      if (socket.destroyed) resolve();
      else socket.write(bytes, () => resolve());
    });
  const answered = new Promise((resolve) => {
    socket.once("data", resolve);
    socket.once("close", resolve);
  });
  await send(PREFACE);
  await send(frame(SETTINGS, 0, 0, []));
  await answered;
  for (const piece of pieces) await send(piece);
  socket.end();
  await closed;
}

/** A request that is no gRPC. */
const request = (stream: number) => frame(HEADERS, END_STREAM_AND_HEADERS, stream, REQUEST);

/** Sends pieces on one connection after another; the server must go on. */
async function survives(piecesOf: (connection: number) => Uint8Array[]): Promise<void> {
  const served = await ServedDatabase.start("memory:");
  const port = Number(served.address.split(":").at(-1));
  for (let i = 0; i < 40; i++) await sendAll(port, piecesOf(i));
  {
    await using db = await connect(served.address);
    assertEquals((await db.info()).majorVersion, 5);
  }
  assertEquals(await served.stop(), { code: 0, errors: "" });
}

// The native code under Deno ended by SIGSEGV at the first of some requests.
Deno.test("serve goes on after clients that closed, by GOAWAY, and then asked", () =>
  survives((i) => [
    frame(GOAWAY, 0, 0, new Array(NUMBER_AND_CODE).fill(0).with(7, i % 2)),
    ...Array.from({ length: 30 }, (_, i) => request(2 * i + 1)),
  ]));

// The gRPC library answered a stream that was closed, which throws.
Deno.test("serve goes on after clients that break the protocol right after a request", () =>
  survives((i) => {
    const error = i % 2 === 0 ? frame(WINDOW, 0, 0, [0, 0, 0, 0]) : frame(DATA, 0, 99, [1]);
    const reset = frame(RESET, 0, 1, [0, 0, 0, CANCEL]);
    return [Uint8Array.of(...request(1), ...reset, ...request(3), ...error)];
  }));
