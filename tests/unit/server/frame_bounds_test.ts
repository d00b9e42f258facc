/** Frames of HTTP/2 that cost more to read than to send (docs/security.md). */

import { Buffer } from "node:buffer";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { assertEquals } from "@std/assert";
import { endOnFrameFloods, FrameCounter } from "../../../src/server/transport/frame_bounds.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

function frame(type: number, flags: number, length: number): Buffer {
  const head = [length >> 16, length >> 8, length, type, flags, 0, 0, 0, 1];
  return Buffer.concat([Buffer.from(head), Buffer.alloc(length, 8)]);
}

/** Frames, what a caller with a key and one without has cheap ones of, and the requests. */
const KINDS: readonly [Buffer, known: number, unknown: number, requests: number][] = [
  [frame(1, 4, 30), 0, 0, 1], // HEADERS
  [frame(0, 0, 256), 0, 0, 0], // DATA
  [frame(0, 0, 255), 0, 1, 0],
  [frame(0, 0, 16), 0, 1, 0],
  [frame(0, 0, 15), 1, 1, 0],
  [frame(0, 1, 7), 0, 0, 0], // its end
  [frame(0, 8, 300), 1, 1, 0], // padded
  [frame(4, 0, 0), 1, 1, 0], // SETTINGS
  [frame(4, 0, 12), 33, 33, 0],
  [frame(8, 0, 4), 1, 1, 0], // WINDOW_UPDATE
  [frame(6, 0, 8), 1, 1, 0], // PING
  [frame(9, 0, 0), 1, 1, 0], // CONTINUATION
  [frame(0xee, 0, 70_000), 1, 1, 0],
];

Deno.test("FrameCounter: counts frames however they are cut", () => {
  for (const [smallBytes, column] of [[16, 1], [256, 2]] as const) {
    for (const step of [1, 7, 1 << 20]) {
      const frames = new FrameCounter();
      const bytes = Buffer.concat([PREFACE, ...KINDS.map(([bytes]) => bytes)]);
      for (let at = 0; at < bytes.length; at += step) {
        frames.read(bytes.subarray(at, at + step), smallBytes);
      }
      const cheap = KINDS.reduce((sum, kind) => sum + kind[column], 0);
      assertEquals([frames.cheap, frames.requests], [cheap, 1]);
    }
  }
});

// A request after it ended the process (tests/reliability/hostile_http2_test.ts).
Deno.test("FrameCounter: GOAWAY becomes a frame of an unknown type, however it is cut", () => {
  for (const step of [1, 3, 5, 1 << 20]) {
    const bytes = Buffer.concat([PREFACE, frame(4, 0, 6), frame(7, 0, 8), frame(0, 1, 77)]);
    const frames = new FrameCounter();
    const read: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += step) {
      const piece = Buffer.from(bytes.subarray(at, at + step));
      frames.read(piece, 16);
      read.push(piece);
    }
    const expected = Buffer.concat([PREFACE, frame(4, 0, 6), frame(0xee, 0, 8), frame(0, 1, 77)]);
    assertEquals(Buffer.concat(read), expected);
  }
});

/** Sends bytes to a connection: how many were read there, and if it was ended by force. */
async function taken(answer: number, ...sent: Buffer[]): Promise<[number, boolean]> {
  let length = 0;
  let isEnded = false;
  const closed = Promise.withResolvers<void>();
  const server = createServer((socket: Socket) => {
    endOnFrameFloods(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      length += bytes.length;
      if (answer > 0) socket.write(Buffer.alloc(answer));
      answer = 0;
    });
    socket.on("end", () => socket.end());
    socket.on("close", () => {
      isEnded = !socket.readableEnded;
      closed.resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = connectTcp((server.address() as AddressInfo).port, "127.0.0.1");
  client.on("error", () => {});
  client.resume();
  for (const bytes of sent) {
    client.write(bytes);
    await new Promise<void>((resolve) => {
      if (answer === 0) resolve();
      else client.once("data", () => resolve());
    });
  }
  client.end();
  await closed.promise;
  await new Promise((resolve) => server.close(resolve));
  return [length, isEnded];
}

Deno.test("endOnFrameFloods: requests and answers pay for the frames of their client", async () => {
  const pings = (n: number) => Buffer.concat(new Array(n).fill(frame(6, 0, 8)));
  const requests = Buffer.concat(new Array(100).fill(frame(1, 5, 10)));
  const all = ({ length }: Buffer) => length + PREFACE.length;
  assertEquals(await taken(0, PREFACE, pings(1_000)), [all(pings(1_000)), false]);
  assertEquals((await taken(0, PREFACE, pings(500_000)))[1], true);
  const many = Buffer.concat([requests, pings(4_000)]);
  assertEquals(await taken(0, PREFACE, many), [all(many), false]);
  assertEquals(await taken(1e6, PREFACE, pings(15_000)), [all(pings(15_000)), false]);
});
