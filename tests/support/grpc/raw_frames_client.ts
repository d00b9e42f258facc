/**
 * A client of servers that send frames which no server should send, in a process of its own.
 *
 *     deno run -A tests/support/grpc/raw_frames_client.ts PORT COUNT
 *
 * Makes `COUNT` connections one after another; the server plays the next attack on each. Prints a
 * line for each that was outlived.
 */

import { Channel } from "../../../src/grpc/transport/channel.ts";

const [port, count] = Deno.args.map(Number) as [number, number];
const settings = {
  watchers: {},
  flowControlWindow: 4 << 20,
  probeAfterMs: 10_000,
  probeTimeoutMs: 5_000,
};

for (let i = 0; i < count; i++) {
  const channel = new Channel({ host: "127.0.0.1", port, tls: false }, settings);
  const calls = [1, 2].map(() =>
    channel.start({
      rpc: "Info",
      path: "/grpcinterface.BTrDB/Info",
      message: new Uint8Array(0),
      attempt: 1,
      options: { deadlineMs: Date.now() + 250 },
    })
  );
  const ends = await Promise.allSettled(calls.map((call) => call.read()));
  console.log(
    i,
    ends.map((end) => end.status === "rejected" ? end.reason.status : "answer").join(),
  );
  for (const call of calls) call.cancel();
  await channel.close();
}
console.log("alive");
Deno.exit(0);
