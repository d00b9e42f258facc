/** Changes of the configuration of a live connection whose frames keep their size. */

import { assert, assertEquals } from "@std/assert";
import { createServer, type Socket } from "node:net";
import { connect } from "../../../../mod.ts";
import {
  type Configuration,
  connectPmu,
  encodeConfiguration,
  LiveIngest,
  simulatedConfiguration,
} from "../../../../src/ingest/c37118/mod.ts";
import { crcCcitt } from "../../../../src/ingest/c37118/crc.ts";
import { stopClock } from "../../../support/clock.ts";
import { until } from "../../../support/until.ts";

const SOC = 1_700_000_000;
const RATE = 100;
const VOLTS = 6_000;
const STAT_CHANGE = 0x0400;
const [START, SEND_CFG2] = [2, 5];

/** A configuration of one phasor in integers, polar. */
function configured(scale: number): Configuration {
  const configuration = simulatedConfiguration({
    id: 7,
    rate: RATE,
    phasors: 1,
    analogs: 0,
    digitals: 0,
    format: 1,
  });
  configuration.stations[0]!.phasors[0]!.scale = scale;
  return configuration;
}

const [BEFORE, AFTER] = [configured(1), configured(10)];

/** Frame number `tick` of a device that measures 6 kV all the time. */
function dataFrame(tick: number, scale: number, stat: number): Uint8Array {
  const frame = new Uint8Array(26);
  const view = new DataView(frame.buffer);
  frame.set([0xaa, 0x01, 0, frame.length, 0, 7]);
  view.setUint32(6, SOC + Math.floor(tick / RATE));
  view.setUint32(10, tick % RATE * 1_000_000 / RATE);
  view.setUint16(14, stat);
  view.setUint16(16, VOLTS / scale);
  view.setUint16(24, crcCcitt(frame, 0, 24));
  return frame;
}

/** A device that announces a change, makes it, and does not say how until it is told to. */
async function changingDevice(framesAfter: number) {
  let last: Socket | undefined;
  let asked = 0;
  const server = createServer((socket) => {
    last = socket;
    socket.on("error", () => {});
    socket.on("data", (bytes: Uint8Array) => {
      for (let at = 0; at + 18 <= bytes.length; at += 18) {
        if (bytes[at + 15] === SEND_CFG2 && asked++ === 0) answer(BEFORE);
        if (bytes[at + 15] !== START) continue;
        for (let tick = 0; tick < 10 + framesAfter; tick++) {
          const isAfter = tick >= 10;
          socket.write(dataFrame(tick, isAfter ? 10 : 1, isAfter ? 0 : STAT_CHANGE));
        }
      }
    });
  });
  const answer = (configuration: Configuration): void => {
    const frames = encodeConfiguration(configuration, { soc: SOC, fraction: 0 });
    for (const frame of frames) last!.write(frame);
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as { port: number };
  return {
    target: `c37118://127.0.0.1:${port}?id=7`,
    answer,
    get asked() {
      return asked;
    },
    async [Symbol.asyncDispose]() {
      last?.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

// Frames after an announced change waited for the new configuration only if their size was another one.
// With another scale, they were read by the old one until it came, without a word: 600 V instead of 6 kV.
Deno.test("connectPmu: frames after an announced change wait for its configuration", async () => {
  // They wait for three seconds at most, which a busy machine may need to take them in.
  using _clock = stopClock();
  await using device = await changingDevice(20);
  await using pmu = await connectPmu(device.target);
  const volts: number[] = [];
  let isAnswered = false;
  for await (const { stations } of pmu) {
    volts.push(stations[0]!.phasors[0]!);
    if (volts.length === 10 && !isAnswered) {
      isAnswered = true;
      await until("all frames have come, and the configuration is asked for", () => {
        return device.asked >= 2 && pmu.counts.frames >= 31;
      });
      device.answer(AFTER);
    }
    if (volts.length === 30) break;
  }
  assertEquals(volts, volts.map(() => VOLTS));
  assertEquals([pmu.counts.outdated, pmu.counts.mismatched], [0, 0]);
});

Deno.test("LiveIngest: frames whose new configuration never comes are read by the old one, and counted", async () => {
  await using device = await changingDevice(300);
  await using db = await connect("memory:");
  const said: string[] = [];
  const live = new LiveIngest(() => Promise.resolve(db), [device.target], {
    everyMs: 20,
    onEvent: (text) => said.push(text),
  });
  const stop = new AbortController();
  const running = live.run(stop.signal);
  await until("all frames are read", () => live.report.sources[0]!.dataFrames >= 310);
  stop.abort();
  const { sources: [source] } = await running;
  assertEquals([source!.outdated, source!.mismatched, source!.lost], [300, 0, 0]);
  assert(said.some((text) => text.includes("its values are read by the old one")), said.join("\n"));
});
