/**
 * A client of servers that send frames which no server should send, in a process of its own.
 *
 *     deno run -A tests/support/grpc/raw_frames_client.ts PORT CONNECTIONS CALLS MODE [CA_FILE]
 *
 * Makes so many connections one after another, each with so many calls at once and then one more; the
 * server plays the next attack on each. Prints how the calls ended, a line for each connection that was
 * outlived, and `alive` at the end. With the mode `idle` all connections are there at once, and make their
 * last call when something comes on the standard input. With a file of certificates it speaks TLS.
 */

import { wasUnsent } from "../../../src/grpc/errors.ts";
import { delay } from "../../../src/core/call.ts";
import { HANG_MS } from "../until.ts";
import { Channel } from "../../../src/grpc/transport/channel.ts";
import { grpcJsTransport } from "../../../src/grpc/transport/grpc_js_transport.ts";

const [port, connections, calls] = Deno.args.slice(0, 3).map(Number) as [number, number, number];
const isIdle = Deno.args[3] === "idle";
const caFile = Deno.args[4];
/** Attacks that leave a call without an end are over after this; the calls of all others end. */
const STALLED_MS = 250;
/** Size of the message of the last call, by which the server knows it. */
const LAST_BYTES = 100;
const settings = {
  watchers: {},
  probeAfterMs: 100_000,
  probeTimeoutMs: 100_000,
  muteAfterMs: 100_000,
  transport: grpcJsTransport({
    maxMessageBytes: 64 << 20,
    flowControlWindow: 4 << 20,
    caBundle: caFile === undefined ? undefined : Deno.readTextFileSync(caFile),
  }),
};

/** Makes a call; how it ended. */
async function call(channel: Channel, bytes = 0): Promise<string> {
  const options = { deadlineMs: Date.now() + (calls > 2 || isIdle ? HANG_MS : STALLED_MS) };
  const rpc = channel.start({
    rpc: "Info",
    path: "/grpcinterface.BTrDB/Info",
    message: new Uint8Array(bytes),
    attempt: 1,
    options,
  });
  try {
    await rpc.read();
    await rpc.read();
    return "OK";
  } catch (error) {
    const { status } = error as { status: string };
    return wasUnsent(error as Parameters<typeof wasUnsent>[0]) ? `${status} unsent` : status;
  } finally {
    rpc.cancel();
  }
}

const told = isIdle ? Deno.stdin.read(new Uint8Array(1)) : undefined;

/** Makes a connection and its calls; how they ended. */
async function visit(): Promise<string> {
  const channel = new Channel({ host: "127.0.0.1", port, tls: caFile !== undefined }, settings);
  const ends = await Promise.all(Array.from({ length: calls }, () => call(channel)));
  if (isIdle) await told;
  let end = await call(channel, LAST_BYTES);
  // The connection may end in this very moment: then a call is made again, as the endpoint does.
  for (let i = 0; isIdle && end.startsWith("UNAVAILABLE") && i < 100; i++) {
    await delay(10);
    end = await call(channel, LAST_BYTES);
  }
  ends.push(end);
  const counts: Record<string, number> = {};
  for (const end of ends) counts[end] = (counts[end] ?? 0) + 1;
  await channel.close();
  return JSON.stringify(counts);
}

if (isIdle) {
  const visits = Array.from({ length: connections }, visit);
  for (const counts of await Promise.all(visits)) console.log(counts);
} else {
  for (let i = 0; i < connections; i++) console.log(await visit());
}
console.log("alive");
Deno.exit(0);
