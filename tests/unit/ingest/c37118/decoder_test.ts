/** Frames of C37.118, against the standard's examples and made files. */

import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { crcCcitt } from "../../../../src/ingest/c37118/crc.ts";
import {
  type Configuration,
  type DataFrame,
  decodeFrames,
  encodeConfiguration,
  encodeData,
  exactTime,
  type Frame,
  FrameDecoder,
  gridTime,
  simulatedConfiguration,
  simulatedValues,
} from "../../../../src/ingest/c37118/mod.ts";
import { DataLayout } from "../../../../src/ingest/c37118/data_layout.ts";
import { encodeValues } from "../../../../src/ingest/c37118/encode_frame.ts";

const MADE = new URL("../../../../../shared/samples/made/", import.meta.url);
const bytesOf = (text: string) => new TextEncoder().encode(text);
const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(" ", ""));

/** A simulated second as frames, the configuration first. */
function second(configuration: Configuration, soc = 1_700_000_000): Uint8Array[] {
  const layout = new DataLayout(configuration);
  const frames: Uint8Array[] = encodeConfiguration(configuration, { soc, fraction: 0 });
  const { dataRate, timeBase } = configuration;
  for (let tick = 0; tick < dataRate; tick++) {
    const fraction = Math.round(tick * timeBase / dataRate);
    const values = simulatedValues(configuration, soc, tick, 1);
    frames.push(encodeValues(layout, values, { soc, fraction }));
  }
  return frames;
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(pieces.flatMap((piece) => [...piece]));
}

const isData = (frame: Frame): frame is DataFrame => frame.type === "data";

Deno.test("crcCcitt: examples of Annex B", () => {
  assertEquals(crcCcitt(bytesOf("ABCD")), 0xbffa);
  assertEquals(crcCcitt(bytesOf("123456")), 0x2ef4);
  assertEquals(crcCcitt(bytesOf("abc")), 0x514a);
});

Deno.test("decodeFrames: the data frame of the standard's example D.2", () => {
  const configuration = simulatedConfiguration({ id: 7734, phasors: 4, analogs: 3, digitals: 1 });
  const [station] = configuration.stations as [Configuration["stations"][0]];
  Object.assign(station, { polar: false, floatPhasors: false, floatAnalogs: true });
  station.floatFrequency = false;
  station.phasors.forEach((phasor, i) => phasor.scale = i === 3 ? 0.45776 : 9.15527);
  const data = hex(
    "AA01 0034 1E36 44853600 000041B1 0000 392B0000 E36ACE7C E36A3183 04440000 09C4 0000 42C80000" +
      "447A0000 461C4000 3C12 D43F",
  );
  const frames = encodeConfiguration(configuration, { soc: 0, fraction: 0 });
  const [frame] = [...decodeFrames(join([...frames, data]))].filter(isData);
  assertEquals(frame!.time, exactTime(0x44853600, 0x41b1, 1_000_000));
  const [values] = frame!.stations;
  assertAlmostEquals(values!.phasors[0]!, 14_635 * 9.15527, 1e-9);
  assertEquals([values!.frequency, values!.rocof], [62.5, 0]);
  assertEquals([...values!.analogs, ...values!.digitals], [100, 1000, 10_000, 0x3c12]);
});

Deno.test("gridTime: less than one unit of TIME_BASE snaps, one unit does not", () => {
  const ms = { timeBase: 1_000_000, dataRate: 60 };
  assertEquals(gridTime(7, 16_667, ms), 7_016_666_667n);
  assertEquals(gridTime(7, 16_666, ms), 7_016_666_667n);
  assertEquals(gridTime(7, 16_668, ms), 7_016_668_000n);
  assertEquals(gridTime(7, 983_333, ms), 7_983_333_333n);
  const base = { timeBase: 16_777_215, dataRate: 50 };
  assertEquals(gridTime(1, Math.round(0.74 * 16_777_215), base), 1_740_000_000n);
  assertEquals(exactTime(1, 12_415_139, 16_777_215), 1_739_999_994n);
  assertEquals(gridTime(5, 0, { timeBase: 1000, dataRate: -10 }), 5_000_000_000n);
  assertEquals(gridTime(5, 500, { timeBase: 1000, dataRate: -10 }), 5_500_000_000n);
  assertEquals(gridTime(5, 500, { timeBase: 1000, dataRate: 0 }), 5_500_000_000n);
});

Deno.test("decodeFrames: TIME_BASE is masked to 24 bits", () => {
  const configuration = simulatedConfiguration();
  const [frame] = encodeConfiguration(configuration, { soc: 1, fraction: 0 });
  frame![14] = 0x7f;
  new DataView(frame!.buffer).setUint16(frame!.length - 2, crcCcitt(frame!, 0, frame!.length - 2));
  const [read] = [...decodeFrames(frame!)];
  assert(read?.type === "configuration");
  assertEquals(read.configuration, configuration);
});

Deno.test("FrameDecoder: garbage, a flipped bit and cuts anywhere", () => {
  const frames = second(simulatedConfiguration({ rate: 30, format: 3 }));
  const bad = frames[5]!.slice();
  bad[30]! ^= 4;
  const garbage = Uint8Array.from({ length: 99 }, (_, i) => i % 2 === 0 ? 0xaa : 0x01);
  const bytes = join([garbage, ...frames.slice(0, 5), bad, ...frames.slice(6), garbage]);
  const want = [...decodeFrames(join([...frames.slice(0, 5), ...frames.slice(6)]))];
  for (const size of [1, 7, 100, 4096, bytes.length]) {
    const decoder = new FrameDecoder();
    const got: Frame[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      got.push(...decoder.push(bytes.subarray(at, at + size)));
    }
    got.push(...decoder.end());
    assertEquals(got, want);
    assertEquals(decoder.counts.frames, 30);
    assertEquals(decoder.counts.skippedBytes, 2 * garbage.length + bad.length);
  }
});

Deno.test("FrameDecoder: a size that is a lie does not hold up what follows", () => {
  const frames = second(simulatedConfiguration({ rate: 30 }));
  const decoder = new FrameDecoder();
  decoder.push(frames[0]!);
  assertEquals(decoder.push(Uint8Array.of(0xaa, 1, 0xff, 0xff)), []);
  const got = frames.slice(1).flatMap((frame) => decoder.push(frame));
  assertEquals(got.length >= 28, true, `${got.length} frames`);
  assertEquals([...got, ...decoder.end()].length, 30);
  assertEquals(decoder.counts.badCrc, 1);
});

Deno.test("FrameDecoder: overlapping candidates cost no more than other bytes", () => {
  const bytes = new Uint8Array(1 << 21);
  for (let i = 0; i < bytes.length; i += 2) bytes.set([0xaa, 0x01], i);
  const decoder = new FrameDecoder();
  // By checksums of their own this would read 45 GB.
  assertEquals(decoder.push(bytes).length, 0);
  assert(decoder.counts.skippedBytes > bytes.length - 66_000);
});

Deno.test("FrameDecoder: data without configuration, of another size, of a wrong second", () => {
  const configuration = simulatedConfiguration({ timeBase: 1000, rate: 10 });
  const frames = second(configuration);
  const other = second(simulatedConfiguration({ rate: 10, phasors: 3 }));
  const layout = new DataLayout(configuration);
  const values = simulatedValues(configuration, 1, 0, 1);
  const beyond = encodeValues(layout, values, { soc: 1, fraction: 1000 });
  const decoder = new FrameDecoder();
  decoder.push(join([frames[1]!, frames[0]!, frames[1]!, other[1]!, beyond]));
  const { dataFrames, unconfigured, mismatched, malformed } = decoder.counts;
  assertEquals({ dataFrames, unconfigured, mismatched, malformed }, {
    dataFrames: 1,
    unconfigured: 1,
    mismatched: 1,
    malformed: 1,
  });
});

Deno.test("FrameDecoder: configurations that lie about their size are counted, not believed", () => {
  for (const [at, value] of [[18, 0xffff], [42, 0xffff], [44, 0xffff], [18, 0]] as const) {
    const [frame] = encodeConfiguration(simulatedConfiguration(), { soc: 1, fraction: 0 });
    const view = new DataView(frame!.buffer);
    view.setUint16(at, value);
    view.setUint16(frame!.length - 2, crcCcitt(frame!, 0, frame!.length - 2));
    const decoder = new FrameDecoder();
    assertEquals(decoder.push(frame!), []);
    assertEquals(decoder.counts.malformed, 1);
    assert(decoder.lastProblem!.startsWith("Cannot read the configuration: "));
  }
});

Deno.test("decodeFrames: CFG-3 in fragments, and out of order", () => {
  const configuration = simulatedConfiguration({ kind: 3, phasors: 40, station: "Süd 1" });
  configuration.stations[0]!.details = {
    globalId: Uint8Array.from({ length: 16 }, (_, i) => i),
    latitude: 47.5,
    longitude: 8.25,
    elevation: Infinity,
    serviceClass: "M",
    window: 100_000,
    groupDelay: 50_000,
  };
  const fragments = encodeConfiguration(configuration, { soc: 1, fraction: 0 }, 100);
  assert(fragments.length > 5);
  const [whole] = [...decodeFrames(join(fragments))];
  assertEquals(whole?.type === "configuration" && whole.configuration, configuration);
  const decoder = new FrameDecoder();
  decoder.push(join([fragments[0]!, fragments[2]!, ...fragments.slice(3)]));
  assertEquals(decoder.counts.malformed, fragments.length - 2);
});

Deno.test("encodeData: what does not fit is refused by name", () => {
  const configuration = simulatedConfiguration({ format: 0, phasors: 1, analogs: 0, digitals: 0 });
  const station = {
    stat: 0,
    phasors: Float64Array.of(1e9, 0),
    frequency: 60,
    rocof: 0,
    analogs: new Float64Array(0),
    digitals: new Uint16Array(0),
  };
  assertThrows(
    () => encodeData(configuration, [station], { soc: 0, fraction: 0 }),
    RangeError,
    'Cannot write "VA"',
  );
});

interface Told {
  idcode: number;
  format: number;
  time_ns: string;
  grid_ns: string;
  stat: number;
  phasors: ([number, number] | null)[];
  freq: number | null;
  rocof: number | null;
  analog: number | null;
  digital: number;
}

Deno.test("decodeFrames: the made file in all 16 formats", async () => {
  let bytes: Uint8Array, told: Told[];
  try {
    bytes = await Deno.readFile(new URL("c37_formats.bin", MADE));
    told = JSON.parse(await Deno.readTextFile(new URL("c37_formats.json", MADE)));
  } catch {
    console.warn("skipped, the sample files are absent");
    return;
  }
  const frames = [...decodeFrames(bytes)];
  const data = frames.filter(isData);
  const exact = [...decodeFrames(bytes, { exactTimes: true })].filter(isData);
  assertEquals(data.length, told.length);
  for (const [i, want] of told.entries()) {
    const { time, stations: [got] } = data[i]!;
    assertEquals([String(time), String(exact[i]!.time)], [want.grid_ns, want.time_ns]);
    assertEquals([got!.stat, got!.digitals[0]], [want.stat, want.digital]);
    const near = (value: number, wanted: number | null, tolerance: number) =>
      wanted === null
        ? assert(Number.isNaN(value))
        : assertAlmostEquals(value, wanted, tolerance, `${want.format} ${i}`);
    near(got!.frequency, want.freq, 5e-4);
    near(got!.rocof, want.rocof, 5e-3);
    near(got!.analogs[0]!, want.analog, 1e-6);
    for (const [k, wanted] of want.phasors.entries()) {
      const [a, b] = got!.phasors.subarray(2 * k) as unknown as [number, number];
      const polar = got!.configuration.polar;
      near(polar ? a : Math.hypot(a, b), wanted?.[0] ?? null, k === 0 ? 10 : 0.5);
      near((polar ? b : Math.atan2(b, a)) * 180 / Math.PI, wanted?.[1] ?? null, 0.1);
    }
  }
  const last = frames.at(-1);
  assert(last?.type === "configuration" && last.configuration.kind === 3);
  assertEquals(last.configuration.stations[0]!.name, "Umspannwerk Süd, Leistungstransformator 1");
  assertEquals(last.configuration.stations[0]!.details!.elevation, Infinity);
});

// Over TCP comes a configuration in pieces, and over UDP data meanwhile: the first datagram cut the
// configuration in two, which was skipped and asked for once more, and again.
Deno.test("FrameDecoder: a datagram between two pieces of a stream cuts neither", () => {
  const configuration = simulatedConfiguration({ id: 7, phasors: 3 });
  const [first, ...data] = second(configuration);
  const decoder = new FrameDecoder();
  decoder.push(first!);
  const types: string[] = [];
  const take = (frame: Frame) => types.push(frame.type);
  const pieces = [first!.subarray(0, 100), first!.subarray(100)];
  decoder.pushRaw(pieces[0]!, take, () => types.push("data"));
  decoder.datagramRaw(data[0]!, take, () => types.push("data"));
  decoder.datagramRaw(data[1]!.subarray(0, 20), take, () => types.push("data"));
  decoder.pushRaw(pieces[1]!, take, () => types.push("data"));
  assertEquals(types, ["data", "configuration"]);
  const { frames, dataFrames, skippedBytes } = decoder.counts;
  assertEquals([frames, dataFrames, skippedBytes], [3, 1, 20]);
});
