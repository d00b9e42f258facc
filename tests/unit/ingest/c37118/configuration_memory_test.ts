/** Configurations of one stream that follow each other. */

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  type Configuration,
  crcCcitt,
  decodeFrames,
  encodeConfiguration,
  encodeValues,
  FrameDecoder,
  simulatedConfiguration,
  simulatedValues,
} from "@btrdb/btrdb/c37118";
import { DataLayout } from "../../../../src/ingest/c37118/data_layout.ts";
import { join } from "../../../support/made_capture.ts";

const SOC = 1_700_000_000;

/** A configuration, and one data frame by it. */
function framesBy(configuration: Configuration, tick: number): Uint8Array[] {
  const stamp = { soc: SOC, fraction: tick * 100_000 };
  const values = simulatedValues(configuration, SOC, tick, 1);
  return [
    ...encodeConfiguration(configuration, stamp),
    encodeValues(new DataLayout(configuration), values, stamp),
  ];
}

/** Magnitudes of the first phasor of each data frame. */
function magnitudesOf(frames: readonly Uint8Array[]): number[] {
  return [...decodeFrames(join(frames))].flatMap((frame) => {
    if (frame.type !== "data") return [];
    const { configuration: { polar }, phasors } = frame.stations[0]!;
    return [polar ? phasors[0]! : Math.hypot(phasors[0]!, phasors[1]!)];
  });
}

// A CFG-3 behind a CFG-2 with the same number of changes was thought to say the same. If it says that
// phasors are polar now, or has another scale, frames have the same length: real and imaginary parts were
// taken from magnitudes and angles, and volts were off by the factor, without a word.
Deno.test("decodeFrames: CFG-3 of another format or scale than the CFG-2 before it counts", () => {
  const options = { id: 7, rate: 10, phasors: 3 };
  for (const [before, after] of [[0, 1], [1, 0]] as const) {
    const old = simulatedConfiguration({ ...options, kind: 2, format: before });
    const changed = simulatedConfiguration({ ...options, kind: 3, format: after });
    const [first, second] = magnitudesOf([...framesBy(old, 0), ...framesBy(changed, 1)]);
    assertAlmostEquals(second!, first!, first! / 50);
  }
  const old = simulatedConfiguration({ ...options, kind: 2, format: 1 });
  const wider = structuredClone(simulatedConfiguration({ ...options, kind: 3, format: 1 }));
  for (const phasor of wider.stations[0]!.phasors) phasor.scale *= 2;
  const [first, second] = magnitudesOf([...framesBy(old, 0), ...framesBy(wider, 1)]);
  assertAlmostEquals(second!, first!, first! / 50);
});

Deno.test("decodeFrames: a CFG-3 that says what the CFG-2 before it says does not take its place", () => {
  const options = { id: 7, rate: 10, phasors: 3, format: 0 };
  const [two, three] = ([2, 3] as const).map((kind) =>
    simulatedConfiguration({ ...options, kind })
  );
  const layout = new DataLayout(two!);
  const data = encodeValues(layout, simulatedValues(two!, SOC, 0, 1), { soc: SOC, fraction: 0 });
  const frames = [
    ...encodeConfiguration(two!, { soc: SOC, fraction: 0 }),
    data,
    ...encodeConfiguration(three!, { soc: SOC, fraction: 0 }),
    data,
  ];
  const [first, second] = magnitudesOf(frames);
  assertEquals(second, first);
});

// Fragments were bounded by their bytes alone: 65,534 fragments of one byte each took 15 MB for 64 KB,
// and each was added up anew with all before it.
Deno.test("FrameDecoder: a CFG-3 of ever more fragments without an end is given up", () => {
  const frame = new Uint8Array(19);
  frame.set([0xaa, 0x52, 0, frame.length, 0, 7]);
  const view = new DataView(frame.buffer);
  const decoder = new FrameDecoder();
  let most = 0;
  for (let index = 1; index <= 5000; index++) {
    view.setUint16(14, index);
    view.setUint16(17, crcCcitt(frame, 0, 17));
    decoder.push(frame);
    most = Math.max(most, decoder.keptBytes);
  }
  // The last that fits, and those that follow one that does not.
  assertEquals(decoder.counts.malformed, 5000 - 4096);
  assert(most >= 4096 * 257 && most < 2 << 20, `${most} bytes`);
  assertEquals(decoder.keptBytes, 0);
});
