/** Portions of frames that one turn of the event loop hands on (docs/security.md). */

import { Buffer } from "node:buffer";
import { connect as connectTcp, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import { FrameCounter } from "../../../src/server/transport/frame_bounds.ts";
import {
  type Push,
  pushInTurns,
  readInTurns,
  TURN_FRAMES,
} from "../../../src/server/transport/frame_turns.ts";
import { noteReset } from "../../../src/server/transport/reset_calls.ts";
import type { Turn, TurnTaker } from "../../../src/server/transport/turns.ts";

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Requests: HEADERS of 20 bytes and DATA of 60, which ends them. */
function requests(n: number): Buffer {
  const head = (length: number, type: number, flags: number) =>
    Buffer.from([0, 0, length, type, flags, 0, 0, 0, 1]);
  const one = [head(20, 1, 4), Buffer.alloc(20, 7), head(60, 0, 1), Buffer.alloc(60, 8)];
  return Buffer.concat(new Array(n).fill(Buffer.concat(one)));
}

function turnOfKey(key: object | undefined): Turn {
  return [key, "192.0.2.1"];
}

const OF_ONE_KEY = turnOfKey({});

/** A connection, and the frames that were handed on in each turn. */
class Connection implements TurnTaker {
  destroyed = false;
  readonly remoteAddress = "192.0.2.1";
  readonly pieces: Uint8Array[] = [];
  readonly #counter = new FrameCounter();
  readonly #push: Push;
  readonly #turn: Turn;

  constructor(onFrames: (frames: number) => void, turn: Turn = OF_ONE_KEY) {
    this.#turn = turn;
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

  /** Tells whether more may be read. */
  receive(chunk: Uint8Array | null): boolean {
    const before = this.#counter.all;
    const cuts = chunk === null ? [] : this.#counter.read(chunk, 16);
    return pushInTurns(this, this.#push, {
      chunk,
      turn: this.#turn,
      frames: this.#counter.all - before,
      cuts,
    });
  }
}

/** Frames handed on in each turn, and what waits until `turns` of them are over. */
function turns() {
  const frames: number[] = [];
  let current = 0;
  const add = (n: number) => current += n;
  // Between two portions the sockets are looked at, which takes 61 turns.
  const pass = async (portions: number) => {
    for (let i = 0; i < 61 * portions; i++) {
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
  // The first one had its turn before the others came.
  for (const { pieces } of many.slice(1)) assertLessOrEqual(pieces.length, 2);
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

// Turns are short, and sockets are read between them. What waited beyond 4 MiB was handed on at once: four
// connections that reset each request at once kept the event loop for a second, without a key.
Deno.test("pushInTurns: a connection of which 256 KiB wait is read again when less waits", async () => {
  const { frames, add, pass } = turns();
  const connection = new Connection(add);
  let sent = Buffer.concat([PREFACE, requests(600)]);
  let mayRead = connection.receive(Buffer.from(sent));
  const handedOn = () => connection.pieces.reduce((sum, { length }) => sum + length, 0);
  let reads = 0;
  while (sent.length < 5 << 20) {
    if (!mayRead) {
      assertLessOrEqual(sent.length - handedOn(), (256 << 10) + requests(600).length);
      let isRead = false;
      readInTurns(connection, () => isRead = true);
      assertEquals(isRead, false);
      while (!isRead) await pass(1);
      assertLessOrEqual(sent.length - handedOn(), 256 << 10);
      reads++;
    }
    sent = Buffer.concat([sent, requests(600)]);
    mayRead = connection.receive(requests(600));
  }
  assertLess(10, reads);
  while (handedOn() < sent.length) await pass(1);
  assertEquals(Buffer.concat(connection.pieces), sent);
  assertLessOrEqual(Math.max(...frames), 2 * TURN_FRAMES);
});

Deno.test("pushInTurns: connections of which 4 MiB wait together are not read, others are", async () => {
  const { add, pass } = turns();
  const many = Array.from({ length: 40 }, () => new Connection(add));
  const bytes = Buffer.concat([PREFACE, requests(1_300)]);
  const mayRead = many.map((connection) => connection.receive(Buffer.from(bytes)));
  assertEquals(mayRead.indexOf(false), Math.floor((4 << 20) / bytes.length));
  assertEquals(mayRead.at(-1), false);
  let isRead = false;
  readInTurns(new Connection(add), () => isRead = true);
  assertEquals(isRead, true);
  while (many.some(({ pieces }) => Buffer.concat(pieces).length < bytes.length)) await pass(1);
});

// Deno polls its sockets every 61st turn while anything is ready: beside a flood of requests, which had a
// portion in every turn, the calls of others took 2 to 6 s instead of 30 ms.
Deno.test("pushInTurns: sockets are polled between portions", async () => {
  const server = createServer((socket: Socket) => socket.on("error", () => {}).pipe(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = connectTcp((server.address() as AddressInfo).port, "127.0.0.1");
  let echoes = 0;
  const send = () => client.write("x");
  await new Promise<void>((resolve) => client.once("connect", resolve));
  client.on("data", () => {
    echoes++;
    send();
  });
  const { add, pass } = turns();
  const connection = new Connection(add);
  send();
  connection.receive(Buffer.concat([PREFACE, requests(30 * TURN_FRAMES)]));
  let handedOn = 0;
  while (handedOn < 30 * TURN_FRAMES * 80) {
    await pass(1);
    handedOn = connection.pieces.reduce((sum, { length }) => sum + length, 0);
  }
  connection.destroyed = true;
  client.destroy();
  await new Promise((resolve) => server.close(resolve));
  assertLess(3, echoes);
});

// Beside 10,000 calls of `Watch` on 80 connections without a key, which the server had to begin, a call
// with a key took 470 ms in the median.
Deno.test("pushInTurns: half of the portions are of callers with a known key", async () => {
  const { add, pass } = turns();
  let [ofOthers, before] = [0, 0];
  const count = (n: number) => ofOthers += n;
  const without = Array.from({ length: 80 }, () => new Connection(count, turnOfKey(undefined)));
  const all = Buffer.concat([PREFACE, requests(100)]);
  for (const connection of without) connection.receive(Buffer.from(all));
  const known = new Connection(add);
  const sent = Buffer.concat([PREFACE, requests(16)]);
  before = ofOthers;
  known.receive(sent);
  while (Buffer.concat(known.pieces).length < sent.length) await pass(1 / 61);
  assertLessOrEqual(ofOthers - before, 2 * TURN_FRAMES);
  while (without.some(({ pieces }) => Buffer.concat(pieces).length < all.length)) await pass(1);
});

// Turns went round the connections: beside 40 of another key, on which calls were begun and reset all the
// time, a call waited for a portion of each of them, and 99 % of `nearest` took up to 0.43 s instead of 0.05.
Deno.test("pushInTurns: turns go round the keys, however many connections each of them has", async () => {
  const { add, pass } = turns();
  let [ofMany, before] = [0, 0];
  const count = (n: number) => ofMany += n;
  const turn = turnOfKey({});
  const many = Array.from({ length: 40 }, () => new Connection(count, turn));
  const all = Buffer.concat([PREFACE, requests(100)]);
  for (const connection of many) connection.receive(Buffer.from(all));
  const [one, another] = [new Connection(add, turnOfKey({})), new Connection(add, turnOfKey({}))];
  for (const connection of [one, another]) {
    connection.receive(Buffer.concat([PREFACE, requests(1)]));
  }
  before = ofMany;
  while (one.pieces.length === 0 || another.pieces.length === 0) await pass(1 / 61);
  assertLessOrEqual(ofMany - before, 2 * TURN_FRAMES);
  while (many.some(({ pieces }) => Buffer.concat(pieces).length < all.length)) await pass(1);
});

// Calls that are reset at once cost the server as much as others, and no limit on calls at once sees them.
Deno.test("pushInTurns: connections whose key gives up very many calls wait, others of the key do not", async () => {
  const { add, pass } = turns();
  const turn = turnOfKey(undefined);
  const [resetting, other] = [new Connection(add, turn), new Connection(add, turn)];
  // The turn of an earlier test may have nothing left.
  await pass(2);
  for (let i = 0; i < 1_900; i++) noteReset(resetting);
  resetting.receive(Buffer.concat([PREFACE, requests(1)]));
  assertEquals(resetting.pieces.length, 1);
  for (let i = 0; i < 5_000; i++) noteReset(resetting);
  resetting.receive(requests(1));
  other.receive(Buffer.concat([PREFACE, requests(1)]));
  while (other.pieces.length === 0) await pass(1);
  assertEquals(resetting.pieces.length, 1);
  while (resetting.pieces.length === 1) await pass(1);
});
