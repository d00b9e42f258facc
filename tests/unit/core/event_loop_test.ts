/**
 * Work that gives way with a mere `setImmediate` kept the requests of a busy server unseen for 61
 * slices, a quarter of a second. Slices are counted here, not milliseconds.
 */

import { assert, assertEquals } from "@std/assert";
import { once } from "node:events";
import net from "node:net";
import { socketsSeen } from "../../../src/core/event_loop.ts";
import { isDue, yieldToEventLoop } from "../../../src/core/pacer.ts";
import { FairSending } from "../../../src/server/transport/fair_sending.ts";

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
  assertSoon(await slicesPerRoundTrip(async () => await pace.take(1 << 20)));
});

Deno.test("FairSending: streamed answers take turns, whoever waits longest first", async () => {
  const pace = new FairSending();
  const sent: string[] = [];
  const send = async (name: string, messages: number) => {
    for (let i = 0; i < messages; i++) {
      await pace.take(300 << 10);
      sent.push(name);
    }
  };
  await Promise.all([send("a", 4), send("b", 4), send("c", 2)]);
  assertEquals(sent.join(""), "abcabcabab");
});
