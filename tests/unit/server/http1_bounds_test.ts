/** Bounds on connections of HTTP/1.1 beyond their first request (docs/security.md). */

import type { IncomingMessage, ServerResponse } from "node:http";
import { connect as connectTcp, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { assert, assertEquals } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import { boundedServer } from "../../../src/server/http/http1_bounds.ts";
import { serve } from "../../../src/server/mod.ts";
import { until } from "../../support/until.ts";

const LONG_MS = 60_000;
const GET = "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n";
const POST = "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n";

/** A connection, and what came of it. */
class Client implements AsyncDisposable {
  readonly #socket: Socket;
  readonly closed: Promise<void>;
  isClosed = false;
  text = "";

  constructor(port: number) {
    this.#socket = connectTcp(port, "127.0.0.1");
    this.closed = new Promise((resolve) =>
      this.#socket.once("close", () => {
        this.isClosed = true;
        resolve();
      })
    );
    this.#socket.on("error", () => {});
    this.#socket.on("data", (bytes) => this.text += String(bytes));
  }

  /** Answers that have come. */
  get answers(): number {
    return this.text.split("HTTP/1.1 ").length - 1;
  }

  send(text: string): void {
    if (!this.isClosed) this.#socket.write(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy();
    await this.closed;
  }
}

async function withServer(
  listener: (incoming: IncomingMessage, outgoing: ServerResponse) => void,
  waits: { restMs: number; nextMs: number; smallBytes?: () => number },
  use: (port: number) => Promise<void>,
): Promise<void> {
  const server = boundedServer(listener, { smallBytes: () => 0, ...waits });
  server.keepAliveTimeout = LONG_MS;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }
}

Deno.test("boundedServer: some requests may be ahead of their answers, and one more ends all", () => {
  const waiting: ServerResponse[] = [];
  const listener = (_: unknown, outgoing: ServerResponse) => void waiting.push(outgoing);
  return withServer(listener, { restMs: LONG_MS, nextMs: LONG_MS }, async (port) => {
    await using honest = new Client(port);
    honest.send(GET.repeat(16));
    await until("all have come", () => waiting.length === 16);
    for (const outgoing of waiting.splice(0)) outgoing.end("x");
    await until("all are answered", () => honest.answers === 16);
    honest.send(GET);
    await until("one more has come", () => waiting.length === 1);
    await using greedy = new Client(port);
    greedy.send(GET.repeat(2_000));
    await greedy.closed;
    // Of those in one piece with the one too many, none was begun.
    assertEquals(waiting.length, 17);
    waiting[0]!.end("x");
    await until("the other is answered", () => honest.answers === 17);
  });
});

// The runtime answered each of them by itself, 1,700 of one look at the socket, which took 160 ms of
// the event loop.
Deno.test("boundedServer: requests that expect something are counted like all others", () => {
  const waiting: ServerResponse[] = [];
  const listener = (_: unknown, outgoing: ServerResponse) => void waiting.push(outgoing);
  return withServer(listener, { restMs: LONG_MS, nextMs: LONG_MS }, async (port) => {
    for (const expected of ["x", "100-continue", "x, 100-continue"]) {
      const expecting = `${GET.slice(0, -2)}Expect: ${expected}\r\n\r\n`;
      await using honest = new Client(port);
      honest.send(expecting);
      await until("it has come", () => waiting.length === 1);
      waiting.pop()!.end("x");
      await until("it is answered", () => honest.text.includes("HTTP/1.1 200"));
      await using greedy = new Client(port);
      greedy.send(expecting.repeat(2_000));
      await greedy.closed;
      assertEquals(waiting.splice(0).length, 16, expected);
    }
  });
});

// Deno stopped reading it at the fourth, and did not begin again.
Deno.test("boundedServer: a connection that asked for 160 KB at once is read on", () => {
  const long = "x".repeat(20_000);
  const listener = (_: unknown, outgoing: ServerResponse) => void outgoing.end(long);
  return withServer(listener, { restMs: LONG_MS, nextMs: LONG_MS }, async (port) => {
    await using client = new Client(port);
    for (const answers of [8, 16, 24]) {
      client.send(GET.repeat(8));
      await until("all are answered", () => client.answers === answers);
    }
  });
});

Deno.test("boundedServer: the rest of an answered request has its time, however it drips", () =>
  withServer((_, outgoing) => outgoing.end("x"), { restMs: 300, nextMs: LONG_MS }, async (port) => {
    await using slow = new Client(port);
    slow.send(POST);
    const timer = setInterval(() => slow.send("."), 20);
    await slow.closed;
    clearInterval(timer);
    assertEquals(slow.answers, 1);
    await using whole = new Client(port);
    whole.send(POST + ".".repeat(100) + GET);
    await until("both are answered", () => whole.answers === 2);
    assert(!whole.isClosed);
  }));

Deno.test("boundedServer: the next head has its time, however it drips", () =>
  withServer((_, outgoing) => outgoing.end("x"), { restMs: LONG_MS, nextMs: 300 }, async (port) => {
    await using slow = new Client(port);
    slow.send(GET + "GET /x HTTP/1.1\r\n");
    const timer = setInterval(() => slow.send("a: b\r\n"), 20);
    await slow.closed;
    clearInterval(timer);
    assertEquals(slow.answers, 1);
  }));

// Eight bodies of chunks of one byte kept all others out for seconds, with a key and without.
Deno.test("boundedServer: chunks of a few bytes by thousands end their connection, others do not", async () => {
  const waits = { restMs: LONG_MS, nextMs: LONG_MS, smallBytes: () => 3 };
  let pieces = 0;
  const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
    incoming.on("data", () => pieces++);
    incoming.on("end", () => outgoing.end("x"));
  };
  await withServer(listener, waits, async (port) => {
    const head = "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    await using honest = new Client(port);
    honest.send(head + "1\r\n.\r\n".repeat(1_000) + "3\r\n...\r\n".repeat(20_000));
    honest.send("0\r\n\r\n");
    await until("it is answered", () => honest.answers === 1);
    assertEquals(pieces, 21_000);
    await using greedy = new Client(port);
    greedy.send(head);
    const timer = setInterval(() => greedy.send("1\r\n.\r\n".repeat(5_000)), 1);
    await greedy.closed;
    clearInterval(timer);
    assertEquals(greedy.answers, 0);
  });
});

// 200,000 requests on four connections kept all others out for seconds, and 2 GB.
Deno.test("serve: requests by thousands ahead of their answers end their connection", async () => {
  await using endpoint = await openEngine();
  const apiKeys = [{ key: "root", capabilities: ["read"] }] as const;
  await using server = await serve(endpoint, {
    port: 0,
    hostname: "127.0.0.1",
    http: { port: 0 },
    metricsPort: 0,
    apiKeys: [...apiKeys],
  });
  for (const port of [server.httpPort!, server.metricsPort!]) {
    await using greedy = new Client(port);
    greedy.send(GET.repeat(50_000));
    await greedy.closed;
    assert(greedy.answers < 50_000, `${greedy.answers} answers`);
  }
  const headers = { authorization: "Bearer root" };
  const url = `http://127.0.0.1:${server.httpPort}/api/v1/collections`;
  assertEquals(await (await fetch(url, { headers })).json(), []);
});
