/**
 * Work that gives way with a mere `setImmediate` kept the requests of a busy server unseen for 61
 * slices, a quarter of a second. Slices are counted here, not milliseconds.
 */

import { assert, assertEquals, assertLess } from "@std/assert";
import { once } from "node:events";
import net from "node:net";
import { socketsSeen } from "../../../src/core/event_loop.ts";
import { isDue, yieldToEventLoop } from "../../../src/core/pacer.ts";
import { FairSending } from "../../../src/server/transport/fair_sending.ts";
import type { Turn } from "../../../src/server/transport/turns.ts";

/** Round trips over a socket while `work` runs, again and again: how many times it ran in each. */
async function slicesPerRoundTrip(work: () => Promise<void>): Promise<number[]> {
  const server = net.createServer((socket) => socket.pipe(socket)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  await once(client, "connect");
  let slices = 0;
  let over = false;
  const working = (async () => {
    while (!over) {
      slices++;
      await work();
    }
  })();
  const counts: number[] = [];
  for (let i = 0; i < 20; i++) {
    const before = slices;
    client.write("x");
    await once(client, "data");
    counts.push(slices - before);
  }
  over = true;
  await working;
  client.destroy();
  server.close();
  await once(server, "close");
  return counts;
}

/** There and back are two looks; the loop may be anywhere within one. */
function assertSoon(counts: readonly number[]): void {
  assert(Math.max(...counts) <= 5, `slices of each round trip: ${counts}`);
}

Deno.test("socketsSeen: after socketsSeen, what was in a socket has been read", async () => {
  assertSoon(await slicesPerRoundTrip(socketsSeen));
});

Deno.test("yieldToEventLoop: the engine's turns let sockets be read", async () => {
  // Waits shorter than a slice share one look at the sockets.
  const slice = async () => {
    while (!isDue());
    await yieldToEventLoop();
  };
  assertSoon(await slicesPerRoundTrip(slice));
});

Deno.test("FairSending: streamed answers let sockets be read", async () => {
  const pace = new FairSending();
  assertSoon(
    await slicesPerRoundTrip(async () => await pace.take(1 << 20, () => [undefined, "net", "a"])),
  );
});

/** A caller that sends so many messages. */
type Sender = [name: string, messages: number, turn: Turn];

/** The order in which messages of 300 KiB are sent. */
async function order(senders: readonly Sender[]): Promise<string> {
  const pace = new FairSending();
  const sent: string[] = [];
  await Promise.all(senders.map(async ([name, messages, turn]) => {
    for (let i = 0; i < messages; i++) {
      await pace.take(300 << 10, () => turn);
      sent.push(name);
    }
  }));
  return sent.join("");
}

Deno.test("FairSending: streamed answers take turns, whoever waits longest first", async () => {
  const turn = (peer: string): Turn => [undefined, "net", peer];
  const sent = await order([["a", 4, turn("a")], ["b", 4, turn("b")], ["c", 2, turn("c")]]);
  assertEquals(sent, "abcabcabab");
});

// Answers took turns one by one: whoever asked for many at once, on many connections, had most of the
// turns, and an answer of another key waited for one message of each.
Deno.test("FairSending: turns go round the keys, however many answers each of them waits for", async () => {
  const [a, b] = [{}, {}];
  const many = Array.from("12345678", (name): Sender => [name, 2, [a, "net", name]]);
  const sent = await order([...many, ["b", 4, [b, "net", "b"]]]);
  const between = sent.slice(0, sent.lastIndexOf("b")).split("b");
  assertLess(Math.max(...between.slice(1).map(({ length }) => length)), 3, sent);
});
