/** A worker with a PMU that sends ever other configurations, of the largest size, as fast as they are taken. */

import { createServer, type Socket } from "node:net";
import { encodeConfiguration, simulatedConfiguration } from "../../src/ingest/c37118/mod.ts";

const STAMP = { soc: 1_700_000_000, fraction: 0 };
const START = 2;

function frameOf(station: string): Uint8Array {
  const configuration = simulatedConfiguration({ id: 9, station, phasors: 1000 });
  configuration.stations = Array.from({ length: 3 }, () => configuration.stations[0]!);
  return encodeConfiguration(configuration, STAMP)[0]!;
}

const FRAMES = Array.from({ length: 40 }, (_, i) => frameOf(`S${i}`));

async function send(socket: Socket): Promise<void> {
  for (let i = 0; !socket.destroyed; i++) {
    if (socket.write(FRAMES[i % FRAMES.length]!)) continue;
    await new Promise<void>((resolve) => {
      socket.once("drain", () => resolve());
      socket.once("close", () => resolve());
    });
  }
}

const server = createServer((socket) => {
  socket.on("error", () => {});
  socket.on("data", (bytes: Uint8Array) => {
    for (let at = 0; at + 18 <= bytes.length; at += 18) {
      if (bytes[at + 15] === START) send(socket);
      else socket.write(FRAMES[0]!);
    }
  });
});
server.listen(0, "127.0.0.1", () => {
  (globalThis as unknown as { postMessage(port: number): void })
    .postMessage((server.address() as { port: number }).port);
});
