/**
 * Clients that say that they close, by GOAWAY, and go on asking: the native HTTP/2 code under Deno ended
 * the server with SIGSEGV at the first of some requests after it, with a key or without.
 */

import { connect as connectTcp } from "node:net";
import { assertEquals } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { ServedDatabase } from "./support/served_database.ts";

const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const [HEADERS, SETTINGS, GOAWAY] = [1, 4, 7];
const END_STREAM_AND_HEADERS = 5;
const NUMBER_AND_CODE = 8;
/** `POST / HTTP/2` to `x`, in HPACK (RFC 7541). */
const REQUEST = [0x83, 0x86, 0x84, 0x01, 1, 0x78];

function frame(type: number, flags: number, stream: number, payload: number[]): Uint8Array {
  return Uint8Array.of(0, 0, payload.length, type, flags, 0, 0, 0, stream, ...payload);
}

/** Closes by a code, then sends requests, each piece once the one before has gone. */
async function goOn(port: number, code: number): Promise<void> {
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
  await send(frame(GOAWAY, 0, 0, new Array(NUMBER_AND_CODE).fill(0).with(7, code)));
  for (let i = 0; i < 30; i++) {
    await send(frame(HEADERS, END_STREAM_AND_HEADERS, 2 * i + 1, REQUEST));
  }
  socket.end();
  await closed;
}

Deno.test("serve goes on after clients that closed and then asked", async () => {
  const served = await ServedDatabase.start("memory:");
  const port = Number(served.address.split(":").at(-1));
  for (let i = 0; i < 40; i++) await goOn(port, i % 2);
  {
    await using db = await connect(served.address);
    assertEquals((await db.info()).majorVersion, 5);
  }
  assertEquals((await served.stop()).code, 0);
});
