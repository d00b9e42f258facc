/** Configurations that come in datagrams: as many as can be read, and none that is out of date. */

import { assert, assertEquals } from "@std/assert";
import { createSocket } from "node:dgram";
import {
  connectPmu,
  DataLayout,
  encodeConfiguration,
  encodeValues,
  simulatedConfiguration,
} from "../../../../src/ingest/c37118/mod.ts";
import { ConfigurationBudget } from "../../../../src/ingest/c37118/configuration_budget.ts";
import { ConfigurationMemory } from "../../../../src/ingest/c37118/configuration_memory.ts";
import { FrameDecoder } from "../../../../src/ingest/c37118/frame_decoder.ts";
import { until } from "../../../support/until.ts";

const STAMP = { soc: 1_700_000_000, fraction: 0 };

/** A configuration of 54 KB with names of its own, and data by it. */
function framesOf(idcode: number, station: string) {
  const configuration = simulatedConfiguration({ id: idcode, station, phasors: 1000 });
  configuration.stations = Array.from({ length: 2 }, () => configuration.stations[0]!);
  const [frame] = encodeConfiguration(configuration, STAMP);
  const layout = new DataLayout(configuration);
  return { frame: frame!, data: encodeValues(layout, new Float64Array(layout.slots), STAMP) };
}

// Each new configuration was decoded as it came. 120 a second, with data by each, kept timers and all other
// connections waiting for up to 3 s.
Deno.test("FrameDecoder: configurations beyond the budget are left out, and so are data by them", () => {
  let refused = 0;
  const budget = new ConfigurationBudget(() => refused++);
  const decoder = new FrameDecoder({}, [""], new ConfigurationMemory(budget));
  let read = 0;
  const take = (frame: Uint8Array): void => decoder.datagramRaw(frame, () => {}, () => read++);
  const first = framesOf(7, "FIRST");
  take(first.frame);
  take(first.data);
  assertEquals([read, refused], [1, 0]);
  // What a device repeats costs nothing.
  for (let i = 0; i < 100; i++) take(first.frame);
  assertEquals(refused, 0);
  const [even, odd] = [framesOf(7, "EVEN"), framesOf(7, "ODD")];
  let sent = 0;
  for (; refused === 0; sent++) take([even, odd][sent % 2]!.frame);
  // Its values would be read by the scales of the configuration before.
  take(even.data);
  assertEquals([read, decoder.counts.unconfigured], [1, 1]);
  assert(sent > 5, `${sent} configurations`);
});

Deno.test("connectPmu: configurations in datagrams that are left out are counted", async () => {
  await using pmu = await connectPmu("c37118+udp://127.0.0.1:0");
  const frames = Array.from({ length: 40 }, (_, i) => framesOf(1 + i, `S${i}`).frame);
  const socket = createSocket("udp4");
  const send = (frame: Uint8Array) =>
    new Promise<void>((resolve, reject) =>
      socket.send(frame, pmu.udpPort!, "127.0.0.1", (error) => error ? reject(error) : resolve())
    );
  for (let i = 0; pmu.counts.overrun === 0; i++) {
    const before = pmu.counts.frames;
    await send(frames[i % frames.length]!);
    await until("the configuration came", () => pmu.counts.frames > before);
  }
  socket.close();
  assert(pmu.configurations.length > 5);
});
