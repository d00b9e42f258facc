import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
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
  type StationConfiguration,
} from "../../src/ingest/c37118/mod.ts";
import { crcCcitt, crcOfRange, crcPrefixes } from "../../src/ingest/c37118/crc.ts";
import { TcpStream } from "../../src/ingest/c37118/tcp_stream.ts";
import { CaptureSource } from "../../src/ingest/c37118/mod.ts";
import { Random } from "../support/random.ts";
import { holds } from "../support/property.ts";

const name = fc.string({ maxLength: 16, unit: fc.constantFrom(..."ABZaz09 _-/.$") })
  .map((text) => text.trimEnd());
const u16 = fc.integer({ min: 0, max: 65_535 });
const f32 = fc.float({ noDefaultInfinity: true });

/** Configurations of every format, with the kinds of frames that can say them. */
const configurations = fc.record({
  kind: fc.constantFrom<2 | 3>(2, 3),
  idcode: fc.integer({ min: 1, max: 65_534 }),
  timeBase: fc.integer({ min: 1, max: 0xff_ffff }),
  dataRate: fc.integer({ min: -32_768, max: 32_767 }),
}).chain(({ kind, ...rest }) => {
  const isThree = kind === 3;
  const scale = isThree
    ? fc.float({ min: Math.fround(1e-6), max: 1e6, noNaN: true })
    : fc.integer({ min: 1, max: 0xff_ffff }).map((n) => n / 1e5);
  const only = <T>(value: fc.Arbitrary<T>, otherwise: T) =>
    isThree ? value : fc.constant(otherwise);
  const station: fc.Arbitrary<StationConfiguration> = fc.record({
    name,
    idcode: u16,
    polar: fc.boolean(),
    floatPhasors: fc.boolean(),
    floatAnalogs: fc.boolean(),
    floatFrequency: fc.boolean(),
    phasors: fc.array(
      fc.record({
        name,
        quantity: fc.constantFrom<"voltage" | "current">("voltage", "current"),
        scale,
        angleOffset: fc.constant(0),
        flags: only(u16, 0),
        component: only(fc.nat(7), 0),
        user: only(fc.nat(255), 0),
      }),
      { maxLength: 4 },
    ),
    analogs: fc.array(
      fc.record({
        name,
        kind: isThree ? fc.constant(0) : fc.nat(255),
        scale: isThree
          ? fc.constantFrom(1, 0.5, -2, 4)
          : fc.integer({ min: -0x80_0000, max: 0x7f_ffff }),
        offset: only(fc.constantFrom(0, 1, -8), 0),
      }),
      { maxLength: 3 },
    ),
    digitals: fc.array(
      fc.record({
        names: fc.array(name, { minLength: 16, maxLength: 16 }),
        normal: u16,
        valid: u16,
      }),
      { maxLength: 2 },
    ),
    nominalFrequency: fc.constantFrom<50 | 60>(50, 60),
    changeCount: u16,
    ...(isThree
      ? {
        details: fc.record({
          globalId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
          latitude: f32,
          longitude: f32,
          elevation: fc.constant(Infinity),
          serviceClass: fc.constantFrom("M", "P"),
          window: fc.integer(),
          groupDelay: fc.integer(),
        }),
      }
      : {}),
  });
  return fc.array(station, { minLength: 1, maxLength: 3 })
    .map((stations): Configuration => ({ kind, ...rest, stations }));
});

/** A body of raw numbers in the format of a configuration, as a device would send it. */
function rawFrame(configuration: Configuration, random: Random): Uint8Array {
  const bytes: number[] = [];
  const put16 = (n: number): unknown => bytes.push(n >> 8 & 255, n & 255);
  const putFloat = (value: number): void => {
    const view = new DataView(new ArrayBuffer(4));
    view.setFloat32(0, value);
    for (let i = 0; i < 4; i++) bytes.push(view.getUint8(i));
  };
  const integer = (): number => random.chance(0.1) ? -32_768 : random.int(-32_767, 32_767);
  const float = (): number => random.chance(0.1) ? NaN : (random.next() - 0.5) * 1e6;
  for (const station of configuration.stations) {
    put16(random.int(0, 65_535));
    for (let i = 0; i < station.phasors.length; i++) {
      if (station.floatPhasors) {
        const [a, b] = [float(), float()];
        const isAbsent = Number.isNaN(a) || Number.isNaN(b);
        putFloat(isAbsent ? NaN : a);
        putFloat(isAbsent ? NaN : b);
      } else if (station.polar) {
        const angle = random.chance(0.1) ? -32_768 : random.int(-31_416, 31_416);
        put16(angle === -32_768 ? 0 : random.int(0, 65_535));
        put16(angle);
      } else {
        const [a, b] = [integer(), integer()];
        const isAbsent = a === -32_768 || b === -32_768;
        put16(isAbsent ? -32_768 : a);
        put16(isAbsent ? -32_768 : b);
      }
    }
    if (station.floatFrequency) {
      putFloat(random.chance(0.1) ? NaN : station.nominalFrequency + random.next());
      putFloat(float());
    } else {
      put16(integer());
      put16(integer());
    }
    for (let i = 0; i < station.analogs.length; i++) {
      if (station.floatAnalogs) putFloat(float());
      else put16(integer());
    }
    for (let i = 0; i < station.digitals.length; i++) put16(random.int(0, 65_535));
  }
  const size = bytes.length + 16;
  const head = [0xaa, configuration.kind === 3 ? 2 : 1, size >> 8, size & 255];
  const { idcode } = configuration;
  const soc = random.int(0, 2 ** 32 - 1);
  const fraction = random.int(0, configuration.timeBase - 1);
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, soc);
  view.setUint32(4, fraction);
  view.setUint8(4, random.int(0, 127));
  const frame = Uint8Array.from([
    ...[...head, idcode >> 8, idcode & 255],
    ...new Uint8Array(view.buffer),
    ...bytes,
    ...[0, 0],
  ]);
  new DataView(frame.buffer).setUint16(size - 2, crcCcitt(frame, 0, size - 2));
  return frame;
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

Deno.test("encodeConfiguration: read back it is the same, in fragments too", () => {
  holds(
    fc.property(configurations, fc.integer({ min: 40, max: 65_535 }), (configuration, size) => {
      const frames = encodeConfiguration(configuration, { soc: 5, fraction: 0 }, size);
      const read = [...decodeFrames(join(frames))];
      assertEquals(read.length, 1);
      assert(read[0]!.type === "configuration");
      assertEquals(read[0]!.configuration, configuration);
    }),
    500,
  );
});

Deno.test("encodeData: what was read is written as the same bytes, in all 16 formats", () => {
  const formats = new Set<number>();
  holds(
    fc.property(configurations, fc.integer(), (configuration, seed) => {
      const random = new Random(seed);
      const frames = [rawFrame(configuration, random), rawFrame(configuration, random)];
      const head = encodeConfiguration(configuration, { soc: 5, fraction: 0 });
      const read = [...decodeFrames(join([...head, ...frames]))]
        .filter((frame): frame is DataFrame => frame.type === "data");
      assertEquals(read.length, 2);
      for (const [i, { stations, soc, quality }] of read.entries()) {
        const fraction = new DataView(frames[i]!.buffer).getUint32(10) & 0xff_ffff;
        const stamp = { soc, fraction, quality };
        assertEquals(encodeData(configuration, stations, stamp), frames[i]);
      }
      for (const { polar, floatPhasors, floatAnalogs, floatFrequency } of configuration.stations) {
        const bits = [polar, floatPhasors, floatAnalogs, floatFrequency];
        formats.add(bits.reduce((sum, bit, i) => sum + Number(bit) * 2 ** i, 0));
      }
    }),
    1_000,
  );
  assertEquals(formats.size, 16);
});

Deno.test("crcOfRange: as the checksum of the bytes", () => {
  const property = fc.property(
    fc.uint8Array({ minLength: 1, maxLength: 3000, size: "max" }),
    fc.nat(),
    fc.nat(),
    fc.nat(65_535),
    (bytes, a, b, first) => {
      const prefixes = new Uint16Array(bytes.length + 1);
      prefixes[0] = first;
      crcPrefixes(bytes, prefixes, 0, bytes.length);
      const [start, end] = [a % (bytes.length + 1), b % (bytes.length + 1)].sort((x, y) => x - y);
      assertEquals(crcOfRange(prefixes, start!, end!), crcCcitt(bytes, start, end));
    },
  );
  holds(property, 500);
});

Deno.test("gridTime: within one unit of TIME_BASE of the exact time, else the exact time", () => {
  const property = fc.property(
    fc.integer({ min: 1, max: 0xff_ffff }),
    fc.nat(0xff_fffe),
    fc.integer({ min: -100, max: 32_767 }),
    (timeBase, n, dataRate) => {
      const fraction = n % timeBase;
      const exact = exactTime(9, fraction, timeBase);
      const time = gridTime(9, fraction, { timeBase, dataRate });
      if (time === exact) return;
      const distance = Math.abs(Number(time - exact));
      assert(distance <= 1e9 / timeBase + 1, `${distance} ns`);
      const rate = dataRate < 0 ? 1 : dataRate;
      const tick = Math.round(Number(time - 9_000_000_000n) * rate / 1e9);
      assertEquals(time, 9_000_000_000n + BigInt(Math.round(tick * 1e9 / rate)));
    },
  );
  holds(property);
});

Deno.test("TcpStream: any order, any overlap, the bytes once", () => {
  const property = fc.property(fc.integer(), fc.nat(0xffff_ffff), (seed, first) => {
    const random = new Random(seed);
    const bytes = Uint8Array.from({ length: random.int(1, 500) }, () => random.int(0, 255));
    const pieces: [number, number][] = [];
    for (let at = 0; at < bytes.length;) {
      const end = Math.min(bytes.length, at + random.int(1, 60));
      pieces.push([at, end]);
      if (random.chance(0.3)) pieces.push([at, Math.min(bytes.length, end + random.int(0, 40))]);
      at = end;
    }
    const head = pieces.shift()!;
    pieces.sort(() => random.next() - 0.5);
    const stream = new TcpStream();
    const out = [head, ...pieces].flatMap(([at, end]) =>
      stream.push(first + at >>> 0, 0x18, bytes.slice(at, end))
    );
    assertEquals(join([...out, ...stream.flush()]), bytes);
    assertEquals(stream.gaps, 0);
  });
  holds(property, 500);
});

/** Values that a frame says: fuzzed bytes must give none that were not sent. */
function key(frame: Frame): string {
  if (frame.type !== "data") return "";
  return `${frame.time} ${frame.stations.map(({ phasors }) => phasors.join()).join()}`;
}

Deno.test("FrameDecoder: changed bytes give no value that was not sent", () => {
  const seed = Number(Deno.env.get("PROPERTY_SEED") ?? Date.now());
  console.log(`seed ${seed}`);
  const random = new Random(seed);
  const [sample] = fc.sample(configurations, { numRuns: 1, seed });
  const configuration = { ...sample!, kind: 2 as const, dataRate: 50, timeBase: 1_000_000 };
  for (const { phasors, analogs } of configuration.stations) {
    for (const phasor of phasors) phasor.scale = 5;
    for (const analog of analogs) Object.assign(analog, { scale: 1, offset: 0, kind: 0 });
  }
  const frames = encodeConfiguration(configuration, { soc: 5, fraction: 0 });
  const data = Array.from({ length: 20 }, () => rawFrame(configuration, random));
  const bytes = join([...frames, ...data]);
  const known = new Set([...decodeFrames(bytes)].map(key));
  let [read, accidents] = [0, 0];
  for (let round = 0; round < 3000; round++) {
    const copy = bytes.slice();
    for (let i = random.int(1, 20); i > 0; i--) {
      const at = random.int(frames[0]!.length, copy.length - 1);
      if (random.chance(0.5)) copy[at]! ^= 1 << random.int(0, 7);
      else copy.fill(random.int(0, 255), at, at + random.int(1, 30));
    }
    const from = random.int(frames[0]!.length, copy.length);
    const cut = random.chance(0.3) ? join([copy.slice(0, from), copy.slice(from + 9)]) : copy;
    for (const frame of decodeFrames(cut)) {
      read++;
      if (!known.has(key(frame))) accidents++;
    }
  }
  assert(read > 10_000, `${read} frames read`);
  // A checksum of 16 bits passes one change in 65536.
  assert(accidents <= 5, `seed ${seed}: ${accidents} frames were never sent`);
});

Deno.test("FrameDecoder and CaptureSource: random bytes end, within bounds", async () => {
  const seed = Number(Deno.env.get("PROPERTY_SEED") ?? Date.now());
  console.log(`seed ${seed}`);
  const random = new Random(seed);
  for (let round = 0; round < 200; round++) {
    const bytes = Uint8Array.from({ length: random.int(0, 20_000) }, () => random.int(0, 255));
    // Much that looks like the beginning of frames, captures and blocks.
    for (let i = random.int(0, 300); i > 0 && bytes.length > 40; i--) {
      const at = random.int(0, bytes.length - 30);
      bytes.set(random.pick(BEGINNINGS), at);
    }
    if (random.chance(0.7) && bytes.length > 40) bytes.set(random.pick(BEGINNINGS), 0);
    const decoder = new FrameDecoder();
    decoder.push(bytes);
    decoder.end();
    try {
      const source = await CaptureSource.open({
        async *read() {
          yield bytes;
        },
      }, {});
      for await (const { columns } of source.batches({ offset: 0, lines: 0, rows: 0 })) {
        for (const { times, values } of columns) assertEquals(times.length, values.length);
      }
    } catch (error) {
      assert(error instanceof RangeError, `seed ${seed}: ${error}`);
    }
  }
});

const BEGINNINGS: readonly (readonly number[])[] = [
  [0xaa, 0x01, 0xff, 0xff],
  [0xaa, 0x31, 0x00, 0x20],
  [0xaa, 0x52, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
  [0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 1],
  [0x0a, 0x0d, 0x0d, 0x0a, 0, 0, 0, 28, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0],
  [0x00, 0x00, 0x00, 0x06, 0x00, 0x00, 0x00, 0x20],
  [0x08, 0x00, 0x45, 0x00, 0x00, 0x28, 0x00, 0x01, 0x20, 0x00, 0x40, 0x11],
];
