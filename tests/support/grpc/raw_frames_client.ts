/**
 * A client of servers that send frames which no server should send, in a process of its own.
 *
 *     deno run -A tests/support/grpc/raw_frames_client.ts PORT CONNECTIONS CALLS IDLE_MS [CA_FILE]
 *
 * Makes so many connections one after another, each with so many calls at once and then one more; the
 * server plays the next attack on each. Prints how the calls ended, a line for each connection that was
 * outlived, and `alive` at the end. With a time to be idle in front of the last call, all connections
 * are there at once. With a file of certificates it speaks TLS.
 */

import { delay } from "../../../src/core/call.ts";
import { wasUnsent } from "../../../src/grpc/errors.ts";
import { Channel } from "../../../src/grpc/transport/channel.ts";
import { grpcJsTransport } from "../../../src/grpc/transport/grpc_js_transport.ts";

const [port, connections, calls, idleMs] = Deno.args.slice(0, 4).map(Number) as [
  number,
  number,
  number,
  number,
];
const caFile = Deno.args[4];
/** Attacks that leave a call without an end are over after this; the calls of all others end. */
const STALLED_MS = 250;
/** Size of the message of the last call, by which the server knows it. */
const LAST_BYTES = 100;
const settings = {
  watchers: {},
  probeAfterMs: 100_000,
  probeTimeoutMs: 100_000,
  transport: grpcJsTransport({
    maxMessageBytes: 64 << 20,
    flowControlWindow: 4 << 20,
    caBundle: caFile === undefined ? undefined : Deno.readTextFileSync(caFile),
  }),
};

/** Makes a call; how it ended. */
async function call(channel: Channel, bytes = 0): Promise<string> {
  const options = calls > 2 ? {} : { deadlineMs: Date.now() + STALLED_MS };
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

/** Makes a connection and its calls; how they ended. */
async function visit(): Promise<string> {
  const channel = new Channel({ host: "127.0.0.1", port, tls: caFile !== undefined }, settings);
  const ends = await Promise.all(Array.from({ length: calls }, () => call(channel)));
  if (idleMs > 0) await delay(idleMs);
  ends.push(await call(channel, LAST_BYTES));
  const counts: Record<string, number> = {};
  for (const end of ends) counts[end] = (counts[end] ?? 0) + 1;
  await channel.close();
  return JSON.stringify(counts);
}

if (idleMs > 0) {
  const visits = Array.from({ length: connections }, visit);
  for (const counts of await Promise.all(visits)) console.log(counts);
} else {
  for (let i = 0; i < connections; i++) console.log(await visit());
}
console.log("alive");
Deno.exit(0);
