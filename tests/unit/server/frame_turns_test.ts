/** Portions of frames that one turn of the event loop hands on (docs/security.md). */

import { Buffer } from "node:buffer";
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { FrameCounter } from "../../../src/server/transport/frame_bounds.ts";
import { type Push, pushInTurns, TURN_FRAMES } from "../../../src/server/transport/frame_turns.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Requests: HEADERS of 20 bytes and DATA of 60, which ends them. */
function requests(n: number): Buffer {
  const head = (length: number, type: number, flags: number) =>
    Buffer.from([0, 0, length, type, flags, 0, 0, 0, 1]);
  const one = [head(20, 1, 4), Buffer.alloc(20, 7), head(60, 0, 1), Buffer.alloc(60, 8)];
  return Buffer.concat(new Array(n).fill(Buffer.concat(one)));
}

/** A connection, and the frames that were handed on in each turn. */
class Connection {
  destroyed = false;
  readonly pieces: Uint8Array[] = [];
  readonly #counter = new FrameCounter();
  readonly #push: Push;

  constructor(onFrames: (frames: number) => void) {
    const seen = new FrameCounter();
    this.#push = (chunk) => {
      if (chunk === null) {
        this.pieces.push(Buffer.from("end"));
        return false;
      }
      const before = seen.all;
      seen.read(chunk, 16);
      onFrames(seen.all - before);
      this.pieces.push(chunk);
      return true;
    };
  }

  receive(chunk: Uint8Array | null): void {
    const before = this.#counter.all;
    const cuts = chunk === null ? [] : this.#counter.read(chunk, 16);
    pushInTurns(this, this.#push, { chunk, frames: this.#counter.all - before, cuts });
  }
}

/** Frames handed on in each turn, and what waits until `turns` of them are over. */
function turns() {
  const frames: number[] = [];
  let current = 0;
  const add = (n: number) => current += n;
  const pass = async (count: number) => {
    for (let i = 0; i < count; i++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      frames.push(current);
      current = 0;
    }
  };
  return { frames, add, pass };
}

// All requests that one read of a socket brought began in one turn: 128 of them kept the event loop for
// 8 to 10 ms, and 18 to 27 when they were the first.
Deno.test("pushInTurns: however many frames one read brings, few are handed on in a turn, in order", async () => {
  const { frames, add, pass } = turns();
  const connection = new Connection(add);
  const sent = Buffer.concat([PREFACE, requests(300)]);
  for (let at = 0; at < sent.length; at += 10_000) {
    connection.receive(Buffer.from(sent.subarray(at, at + 10_000)));
  }
  connection.receive(null);
  await pass(20);
  assertEquals(frames.reduce((sum, n) => sum + n), 600);
  assertLessOrEqual(Math.max(...frames), 2 * TURN_FRAMES);
  assertEquals(Buffer.concat(connection.pieces), Buffer.concat([sent, Buffer.from("end")]));
});

Deno.test("pushInTurns: connections share a turn, and none waits for all frames of another", async () => {
  const { frames, add, pass } = turns();
  const many = Array.from({ length: 20 }, () => new Connection(add));
  for (const connection of many) connection.receive(Buffer.concat([PREFACE, requests(100)]));
  const small = new Connection(add);
  small.receive(Buffer.concat([PREFACE, requests(1)]));
  while (small.pieces.length === 0) await pass(1);
  // The first one had its turn before the others came, and another beside the last one.
  assertEquals(many.map(({ pieces }) => pieces.length), [3, ...new Array(19).fill(1)]);
  await pass(100);
  assertEquals(frames.reduce((sum, n) => sum + n), 20 * 200 + 2);
  assertLessOrEqual(Math.max(...frames), 2 * TURN_FRAMES);
});

Deno.test("pushInTurns: nothing of a connection that was destroyed is handed on", async () => {
  const { add, pass } = turns();
  const connection = new Connection(add);
  connection.receive(Buffer.concat([PREFACE, requests(300)]));
  const { length } = connection.pieces;
  connection.destroyed = true;
  await pass(20);
  assertEquals(connection.pieces.length, length);
});

// Turns are short, and sockets are read between them: without a bound the frames of a flood would wait
// in memory.
Deno.test("pushInTurns: at most 4 MiB wait, and the rest is handed on at once", async () => {
  const { add, pass } = turns();
  const connection = new Connection(add);
  const chunk = Buffer.concat([PREFACE, requests(600)]);
  const rest = requests(600);
  let sent = 0;
  const send = (bytes: Uint8Array) => {
    sent += bytes.length;
    connection.receive(bytes);
  };
  send(chunk);
  for (let i = 0; i < 200; i++) send(rest);
  const handedOn = () => connection.pieces.reduce((sum, { length }) => sum + length, 0);
  assertLessOrEqual(sent - handedOn(), 4 << 20);
  await pass(1_500);
  assertEquals(handedOn(), sent);
});
