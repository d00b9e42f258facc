/** Requests of HTTP/1.1 that take turns (docs/security.md). */

import { Buffer } from "node:buffer";
import { connect as connectTcp, createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { Duplex } from "node:stream";
import { setImmediate } from "node:timers";
import { assertEquals, assertLess } from "@std/assert";
import { keepForeignConnections } from "../../../src/server/http/foreign_connections.ts";
import { boundedServer } from "../../../src/server/http/http1_bounds.ts";
import { FRAME_BYTES, portionsOf, takeTurns } from "../../../src/server/http/http1_turns.ts";
import { TURN_FRAMES } from "../../../src/server/transport/frame_turns.ts";
import { until } from "../../support/until.ts";

const GET = "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n";
const BOUNDS = { restMs: 60_000, nextMs: 60_000, smallBytes: () => 0 };
/** Requests that a connection sends at once, and connections. */
const [AHEAD, CONNECTIONS] = [15, 40];

Deno.test("portionsOf: heads are counted, and eight of them are a part", () => {
  const of = (text: string) => portionsOf(Buffer.from(text));
  assertEquals(of("GET /"), { frames: 1, cuts: [] });
  assertEquals(of(GET), { frames: 2, cuts: [] });
  assertEquals(of(GET.repeat(8)), { frames: 16, cuts: [] });
  assertEquals(of(GET.repeat(20)), { frames: 40, cuts: [8 * GET.length, 16 * GET.length] });
  assertEquals(of("x".repeat(65_536)), { frames: 8, cuts: [] });
});

// An upload of lines with empty ones between them was taken for thousands of requests, and waited for a
// turn after each eight of them: 16 MB took 2.2 s instead of 0.5.
Deno.test("portionsOf: empty lines in a body are no heads, wherever the requests around them begin", () => {
  const of = (text: string) => portionsOf(Buffer.from(text));
  const post = "POST /write HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n";
  for (const line of ["", "m v=1 1", "a,b c,d", "x\u{1f600} y", "Été v=1"]) {
    const body = `${line}\r\n\r\n`.repeat(2_000);
    const frames = Math.max(2, Math.ceil(Buffer.byteLength(post + body) / FRAME_BYTES));
    assertEquals(of(post + body), { frames, cuts: [] });
    assertEquals(of(body).cuts, []);
  }
  const spaced = GET.repeat(20).replaceAll("GET", "\r\n\r\n\nGET");
  // The first empty lines may end a head that came before.
  assertEquals(of(spaced).frames, 42);
  // A body needs no line end, and a head may have come in part.
  const short = `${post}123456789`;
  assertEquals(of(short.repeat(8)).frames, 16);
  assertEquals(of(short.repeat(20)).cuts, [8 * short.length - 9, 16 * short.length - 9]);
  for (const cut of [1, 4, 5, 20]) assertEquals(of(short.repeat(8).slice(cut)).frames, 16);
  for (const method of ["GET", "M-SEARCH", "QUERY", "PRI"]) {
    assertEquals(of(`${method} / HTTP/1.0\r\n\r\n`.repeat(8)).frames, 16);
    assertEquals(of(`${method} /\r\n\r\n`.repeat(8)).frames, 16);
  }
});

// 200 connections without a key kept a call of a key at the other port waiting for a second, and over
// gRPC-Web for three: all that they sent was answered before anything else was looked at.
Deno.test("takeTurns: however many connections ask at once, few requests begin in a turn, in order", async () => {
  const asked: string[] = [];
  let [current, largest] = [0, 0];
  const http = boundedServer((request, outgoing) => {
    largest = Math.max(largest, ++current);
    request.on("data", (bytes) => asked.push(`${request.url} ${bytes}`));
    request.on("end", () => outgoing.end("x"));
  }, BOUNDS);
  keepForeignConnections(http, () => true);
  const tcp = createServer((socket) => {
    takeTurns(socket, undefined);
    http.emit("connection", socket);
  });
  await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
  const { port } = tcp.address() as AddressInfo;
  let isOver = false;
  const turn = () => {
    current = 0;
    if (!isOver) setImmediate(turn);
  };
  turn();
  const clients: Socket[] = [];
  const texts = Array.from({ length: CONNECTIONS }, () => "");
  for (let c = 0; c < CONNECTIONS; c++) {
    const client = connectTcp(port, "127.0.0.1");
    client.on("data", (bytes) => texts[c] += String(bytes));
    await new Promise<void>((resolve) => client.once("connect", resolve));
    clients.push(client);
  }
  const bodies = Array.from({ length: AHEAD }, (_, i) => String(i));
  for (const [c, client] of clients.entries()) {
    const posts = bodies.map((body) =>
      `POST /${c} HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    );
    client.write(posts.join(""));
  }
  const answers = (text: string) => text.split("HTTP/1.1 200").length - 1;
  await until("all are answered", () => texts.every((text) => answers(text) === AHEAD));
  for (let c = 0; c < CONNECTIONS; c++) {
    const own = asked.filter((text) => text.startsWith(`/${c} `));
    assertEquals(own, bodies.map((body) => `/${c} ${body}`));
  }
  // All of them without turns.
  assertLess(largest, CONNECTIONS * AHEAD / 2);
  isOver = true;
  for (const client of clients) client.destroy();
  await new Promise((resolve) => tcp.close(resolve));
});

// A socket that always has bytes was read until it was empty: an insert of 16 MiB that had come as a
// whole took ten turns of 20 ms. The socket here has as many as it is asked for.
Deno.test("takeTurns: of a body that has come as a whole, a turn hands on half a MiB, and all of it arrives", async () => {
  const [bytes, piece] = [16 << 20, new Uint8Array(65_536)];
  const head = `POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${bytes}\r\n\r\n`;
  let asked = 0;
  const socket = new Duplex({
    read() {
      if (asked === 0) this.push(Buffer.from(head));
      else if (asked <= bytes / piece.length) this.push(piece);
      asked++;
    },
    write: (_bytes, _encoding, done) => done(),
  });
  let [current, largest, all] = [0, 0, 0];
  let isOver = false;
  const http = boundedServer((request, outgoing) => {
    request.on("data", (some) => {
      all += some.length;
      largest = Math.max(largest, current += some.length);
    });
    request.on("end", () => {
      isOver = true;
      outgoing.end();
    });
  }, BOUNDS);
  takeTurns(socket as Socket, undefined);
  http.emit("connection", socket);
  const turn = () => {
    current = 0;
    if (!isOver) setImmediate(turn);
  };
  turn();
  await until("the body is there", () => isOver);
  assertEquals(all, bytes);
  assertLess(largest, 2 * TURN_FRAMES * FRAME_BYTES + 1);
  socket.destroy();
});
