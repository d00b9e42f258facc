/** An honest PMU beside one that does what it can to be the only one that is read. */

import { assert } from "@std/assert";
import { createServer, type Socket } from "node:net";
import {
  connectPmu,
  DataLayout,
  encodeConfiguration,
  encodeValues,
  simulatedConfiguration,
  simulatedValues,
} from "../../src/ingest/c37118/mod.ts";
import { until } from "../support/until.ts";

const SOC = 1_700_000_000;
const ROUNDS = 20;
const SEND_CFG2 = 5;

/** Starts the worker, and gives the port that it listens on. */
async function configuringPmu(): Promise<{ port: number; worker: Worker }> {
  const url = new URL("../support/configuring_pmu.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  const port = await new Promise<number>((resolve) => {
    worker.onmessage = ({ data }: MessageEvent<number>) => resolve(data);
  });
  return { port, worker };
}

/** A device that sends a frame when it is told to. */
async function toldDevice() {
  const configuration = simulatedConfiguration({ id: 7 });
  const layout = new DataLayout(configuration);
  const stamp = { soc: SOC, fraction: 0 };
  let socket: Socket | undefined;
  const server = createServer((accepted) => {
    socket = accepted;
    accepted.on("error", () => {});
    accepted.on("data", (bytes: Uint8Array) => {
      if (!bytes.some((byte, at) => at % 18 === 15 && byte === SEND_CFG2)) return;
      for (const frame of encodeConfiguration(configuration, stamp)) accepted.write(frame);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    target: `c37118://127.0.0.1:${(server.address() as { port: number }).port}?id=7`,
    send: () =>
      socket!.write(encodeValues(layout, simulatedValues(configuration, SOC, 0, 1), stamp)),
    async [Symbol.asyncDispose]() {
      socket?.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

// While a socket has bytes, Deno looks at the other ones every 61st turn only. A device that sent
// configurations of 64 KB without a pause was the only one that was read: of an honest PMU beside it, not
// one frame came in 12 s, and requests to the database met their deadline.
Deno.test("connectPmu: a device that sends ever other configurations takes turns with an honest one", async () => {
  const { port, worker } = await configuringPmu();
  await using device = await toldDevice();
  await using honest = await connectPmu(device.target);
  await using hostile = await connectPmu(`c37118://127.0.0.1:${port}?id=9`);
  await until("the hostile device sends", () => hostile.counts.frames > 20);
  let frames = 0;
  for (let round = 1; round <= ROUNDS; round++) {
    const before = hostile.counts.frames;
    device.send();
    await until("the honest frame has come", () => honest.counts.dataFrames >= round);
    frames += hostile.counts.frames - before;
  }
  worker.terminate();
  assert(frames < 61 * ROUNDS, `${frames} hostile frames`);
});
