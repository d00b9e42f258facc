/** Captures that are damaged, incomplete or made to deceive: everything left out is counted and named. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  CaptureSource,
  type Configuration,
  encodeConfiguration,
  encodeValues,
  simulatedConfiguration,
  simulatedValues,
} from "../../../../src/ingest/c37118/mod.ts";
import { DataLayout } from "../../../../src/ingest/c37118/data_layout.ts";
import {
  frames,
  join,
  open,
  packet,
  pcap,
  pcapng,
  pointsOf,
  second,
  segments,
  u16,
} from "../../../support/made_capture.ts";
import { connect } from "../../../../mod.ts";
import { CaptureReader } from "../../../../src/ingest/c37118/capture_reader.ts";
import { importFile } from "../../../../src/ingest/mod.ts";

const SOC = 1_700_000_000;

/** Configuration of one station, changed. */
function configured(
  change: (station: Configuration["stations"][0]) => void = () => {},
  options: Parameters<typeof simulatedConfiguration>[0] = {},
): Configuration {
  const configuration = simulatedConfiguration({ id: 7, rate: 10, phasors: 1, ...options });
  change(configuration.stations[0]!);
  return configuration;
}

/** A data frame of a simulated tick, changed before its checksum is made. */
function data(
  configuration: Configuration,
  tick: number,
  change: (values: Float64Array) => void = () => {},
  soc = SOC,
): Uint8Array {
  const values = new Float64Array(new DataLayout(configuration).slots);
  let at = 0;
  for (const station of configuration.stations) {
    const own = simulatedValues({ ...configuration, stations: [station] }, soc, tick, 1);
    values.set(own, at);
    at += own.length;
  }
  change(values);
  const stamp = { soc, fraction: tick * 100_000 };
  return encodeValues(new DataLayout(configuration), values, stamp);
}

const config = (configuration: Configuration): Uint8Array =>
  join(encodeConfiguration(configuration, { soc: SOC, fraction: 0 }));

Deno.test("CaptureSource: packets that the capture cut are counted", async () => {
  const list = second(7).map((frame) => packet(frame, { udp: true }));
  // The capture kept 40 bytes of the fourth packet.
  const file = pcap(list.map((bytes, i) => i === 3 ? bytes.subarray(0, 60) : bytes));
  const source = await open(file);
  assertEquals(await frames(source), { "7_SIM 7": 9 });
  assertEquals(source.notices, [
    "1 packets are cut, left out: the capture kept only their first bytes",
  ]);
  const six = second(7).map((frame) => packet(frame, { udp: true, v6: true }));
  const { notices } = await open(pcap(six.map((bytes, i) => i === 3 ? bytes.slice(0, 99) : bytes)));
  assertEquals(notices.length, 1);
});

Deno.test("CaptureSource: datagrams without all fragments are counted", async () => {
  const list = second(7).map((frame) => packet(frame, { udp: true }));
  const cut = packet(second(7)[4]!, { udp: true });
  // A first fragment that says more will come; none does.
  cut.set(u16(0x2000), 20);
  const source = await open(pcap([...list.toSpliced(4, 1), cut]));
  assertEquals(await frames(source), { "7_SIM 7": 9 });
  assertEquals(source.notices, ["1 datagrams in fragments are not complete, left out"]);
});

Deno.test("CaptureSource: packets of networks that are not read are counted", async () => {
  const bytes = pcap(second(7).map((frame) => packet(frame, { udp: true })), 105);
  await assertRejects(() => open(bytes), RangeError, "11 packets are of a network that cannot be");
});

Deno.test("CaptureSource: a new connection whose beginning was not captured", async () => {
  // The numbers of the second one are lower by chance: its bytes are no repetition.
  const list = [
    ...segments(join(second(7)), {}, 3_000_000_000),
    ...segments(join(second(7, SOC + 1)), {}, 2_000_000_000),
  ];
  assertEquals(await frames(await open(pcap(list))), { "7_SIM 7": 20 });
});

Deno.test("CaptureSource: segments from before the first one are counted", async () => {
  const bytes = join([
    config(configured()),
    ...Array.from({ length: 9 }, (_, i) => data(configured(), i)),
  ]);
  const all = [
    packet(bytes.subarray(400), { sequence: 1400 }),
    packet(bytes.subarray(0, 400), { sequence: 1000 }),
    ...segments(join(second(8)), { from: 2 }),
  ];
  const { notices } = await open(pcap(all));
  assert(notices.includes("1 gaps in TCP connections, the capture missed packets"), notices.join());
});

Deno.test("CaptureSource: blocks of pcapng that lie are errors", async () => {
  const file = pcapng(second(7).map((frame) => packet(frame, { udp: true })));
  const first = 28 + 20;
  const view = new DataView(file.buffer);
  const changed = (at: number, value: number): Uint8Array => {
    const copy = file.slice();
    new DataView(copy.buffer).setUint32(at, value);
    return copy;
  };
  await open(file);
  // More bytes than its block has; an end that is not its size; a byte order of no meaning.
  await assertRejects(() => open(changed(first + 20, 4000)), RangeError, "has room for");
  const end = first + view.getUint32(first + 4) - 4;
  await assertRejects(() => open(changed(end, 8)), RangeError, "does not end as it begins");
  await assertRejects(() => open(changed(8, 7)), RangeError, "no byte order");
});

Deno.test("CaptureSource: names made to collide stay apart", async () => {
  const station = (name: string) => configured((station) => station.name = name).stations[0]!;
  const configuration = {
    ...configured(),
    stations: [station("A#3"), station("A"), station("A"), station("A#3")],
  };
  const source = await open(join([config(configuration), data(configuration, 0)]));
  const found = await frames(source);
  assertEquals(Object.values(found), [1, 1, 1, 1]);
  // And with the address behind a name, of another device.
  const [one, two] = ["A@10.0.0.2", "A"].map((name) =>
    configured((station) => station.name = name)
  );
  const bytes = [
    ...[config(one!), data(one!, 0), config(two!), data(two!, 1)].map((frame) =>
      packet(frame, { udp: true, from: 1 })
    ),
    ...[config(two!), data(two!, 2)].map((frame) => packet(frame, { udp: true, from: 2 })),
  ];
  assertEquals(Object.values(await frames(await open(pcap(bytes)))), [1, 1, 1]);
});

Deno.test("CaptureSource: channels with the name that another gets stay apart", async () => {
  const names = ["V", "V", "V magnitude #2", "frequency", ""];
  const configuration = configured((station) => {
    station.analogs = names.map((name) => ({ name, kind: 0, scale: 1, offset: 0 }));
    station.phasors.push({ ...station.phasors[0]! });
    station.phasors.forEach((phasor) => phasor.name = "V");
    station.analogs[0]!.name = "V magnitude";
  });
  const bytes = join([config(configuration), data(configuration, 0)]);
  const read = async function* (): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(bytes);
  };
  const source = await CaptureSource.open({ read }, { names: "plain" });
  const columns = 4 + 4 + 5 + 1;
  assertEquals(new Set(source.columns.map(({ name }) => name)).size, columns);
  for (const { times } of (await pointsOf(source)).values()) assertEquals(times.length, 1);
});

Deno.test("CaptureSource: a long name is cut between characters", async () => {
  const name = "😀".repeat(63);
  const configuration = configured((station) => station.analogs[0]!.name = name, { kind: 3 });
  const { columns } = await open(join([config(configuration), data(configuration, 0)]));
  for (const { name } of columns) assert(name.isWellFormed(), name);
});

Deno.test("CaptureSource: values without a point are counted, and infinite parts have no angle", async () => {
  const configuration = configured((station) => station.polar = false);
  const source = await open(join([
    config(configuration),
    data(configuration, 0),
    data(configuration, 1, (values) => values[1] = Infinity),
    data(configuration, 2, (values) => values[0] = 0x8000),
  ]));
  const points = await pointsOf(source);
  // The angle of (Infinity, y) would be 0 degrees.
  assertEquals(points.get("7_SIM 7/PH0ANG VA")!.times.length, 1);
  assertEquals(points.get("7_SIM 7/PH0MAG VA")!.times.length, 1);
  // Two of the infinite phasor; six of the station that says that its data are bad.
  assertEquals(source.notices, [
    "8 values make no point: absent, not finite, or of a station that marks them so",
  ]);
  const notices: string[] = [];
  const folder = await Deno.makeTempDir();
  await using db = await connect("memory:");
  const bytes = join([
    config(configuration),
    data(configuration, 2, (values) => values[0] = 0x8000),
  ]);
  await importFile(db, bytes, {
    stateFolder: folder,
    into: "a",
    onNotice: (text) => notices.push(text),
  });
  assertEquals(notices.filter((text) => text.startsWith("6 values make no point")).length, 1);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("CaptureSource: scales of CFG-3 that are no numbers are unknown ones", async () => {
  const configuration = configured((station) => {
    Object.assign(station, { floatPhasors: false, floatAnalogs: false });
    station.phasors[0]!.angleOffset = NaN;
    station.analogs[0]!.offset = Infinity;
  }, { kind: 3 });
  const frame = data(
    configured((station) => {
      Object.assign(station, { floatPhasors: false, floatAnalogs: false });
    }, { kind: 3 }),
    0,
  );
  const { notices } = await open(join([config(configuration), frame]));
  assertEquals(notices.slice(0, 2), [
    "The scale is unknown of SIM 7: VA: its values are left out",
    "The scale is unknown of SIM 7: P1: its values are left out",
  ]);
});

Deno.test("CaptureSource: two frames of one time with other values are a warning", async () => {
  const configuration = configured();
  // A leap second has the number of the second after it.
  const bytes = join([
    config(configuration),
    data(configuration, 0),
    data(configuration, 5),
    data(configuration, 0, (values) => values[1]! *= 2),
    data(configuration, 5, (values) => values[1]! *= 2),
  ]);
  const source = await open(bytes);
  assertEquals(source.warnings.length, 1);
  assert(source.warnings[0]!.startsWith("2 data frames have the time of an earlier frame"));
  assertEquals((await open(join(second(7)))).warnings, []);
});

// Columns were told apart by their names alone: of a phasor that became a current, the amperes were among
// the volts.
Deno.test("CaptureSource: a phasor that becomes a current has a column of its own", async () => {
  const voltage = configured();
  const current = configured((station) => station.phasors[0]!.quantity = "current");
  const bytes = join([
    config(voltage),
    ...[0, 1].map((tick) => data(voltage, tick)),
    config(current),
    ...[2, 3, 4].map((tick) => data(current, tick)),
    config(voltage),
    data(voltage, 5),
  ]);
  const source = await open(bytes);
  const sizes = source.columns.map(() => 0);
  for await (const { columns } of source.batches({ offset: 0, lines: 0, rows: 0 })) {
    for (const [i, { times }] of columns.entries()) sizes[i]! += times.length;
  }
  const found = source.columns.map(({ name, unit }, i) => `${name} in ${unit}: ${sizes[i]}`);
  const magnitudes = found.filter((text) => text.startsWith("PH0MAG"));
  const { name } = voltage.stations[0]!.phasors[0]!;
  assertEquals(magnitudes, [
    `PH0MAG ${name} in Volt: 3`,
    `PH0MAG ${name} Amp in Amp: 3`,
  ]);
});

Deno.test("CaptureSource: data after an announced change, before its configuration, are a warning", async () => {
  const configuration = configured();
  const announce = (values: Float64Array): void => void (values[0] = 0x0400);
  const other = configured((station) => {
    station.changeCount++;
    station.phasors[0]!.name = "VX";
  });
  const before = [config(configuration), data(configuration, 0), data(configuration, 1, announce)];
  const source = await open(join([
    ...before,
    data(configuration, 2),
    data(configuration, 3),
    config(other),
    data(other, 4),
  ]));
  assertEquals(source.warnings, [
    "2 data frames come after an announced change of the configuration and before any other " +
    "configuration: they are read by the old one",
  ]);
  const good = await open(join([...before, config(other), data(other, 4)]));
  assertEquals(good.warnings, []);
  // The same configuration again says that nothing changed.
  const same = await open(join([...before, config(configuration), data(configuration, 4)]));
  assertEquals(same.warnings, []);
});

Deno.test("CaptureSource: thousands of configurations take little memory", async () => {
  // Two configurations that take turns, with one frame each.
  const pair = [configured(), configured((station) => station.changeCount++)];
  const configs = pair.map(config);
  const pieces: Uint8Array[] = [];
  for (let i = 0; i < 2000; i++) {
    pieces.push(configs[i % 2]!, data(pair[i % 2]!, 0, () => {}, SOC + i));
  }
  const bytes = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  const before = Deno.memoryUsage().external;
  const source = await open(bytes, 1 << 16);
  let [most, rows] = [0, 0];
  for await (const { next } of source.batches({ offset: 0, lines: 0, rows: 0 })) {
    most = Math.max(most, Deno.memoryUsage().external - before);
    rows = next.rows;
  }
  assertEquals(rows, 2000);
  assert(most < 48 << 20, `${most} bytes`);
});

Deno.test("CaptureSource: more streams than 100,000 are refused", async () => {
  const pieces = Array.from({ length: 34 }, (_, i) => {
    const one = simulatedConfiguration({ id: i + 1, phasors: 1000, analogs: 1000, rate: 10 });
    return [config(one), data(one, 0)];
  });
  const bytes = new Uint8Array(await new Blob(pieces.flat() as BlobPart[]).arrayBuffer());
  await assertRejects(() => open(bytes, 1 << 16), RangeError, "more than 100000 streams");
});

Deno.test("CaptureSource: a thousand connections of others take little memory, and cost none of ours", () => {
  const ours = segments(join(second(7, SOC, 50)), { from: 3 });
  // Bytes that look like a long frame for long, each time in a connection of its own.
  const noise = new Uint8Array(20_000);
  noise.set([0xaa, 1, 0xff, 0xff]);
  const record = (one: Uint8Array): Uint8Array => pcap([one]).slice(24);
  const foreign = record(packet(noise, { sequence: 7 }));
  const packets = ours.slice(0, 9).map(record);
  for (let i = 0; i < 1500; i++) {
    const one = foreign.slice();
    one.set(u16(10_000 + i), 16 + 34);
    packets.push(one);
  }
  packets.push(...ours.slice(9).map(record));
  const before = Deno.memoryUsage().external;
  let most = 0;
  let found = 0;
  const reader = new CaptureReader("pcap", {}, () => found++);
  reader.push(pcap([]));
  for (const bytes of packets) {
    reader.push(bytes);
    most = Math.max(most, Deno.memoryUsage().external - before);
  }
  reader.end();
  assertEquals(found, 50);
  assertEquals(reader.counts.badCrc + reader.counts.skippedBytes, 0);
  assert(most < 300 << 20, `${most} bytes`);
});

// Packets whose length of UDP or IP was damaged, and those of which not even the addresses were kept, were
// left out without a word: the capture seemed whole.
Deno.test("CaptureSource: packets with damaged lengths, and ones cut in their headers, are counted", async () => {
  const sent = second(7).map((frame) => packet(frame, { udp: true }));
  const damagedAt = (at: number, bytes: readonly number[], v6 = false): Uint8Array => {
    const whole = packet(second(7).at(-1)!, { udp: true, v6 });
    whole.set(bytes, at);
    return whole;
  };
  const damaged = [
    damagedAt(38, [0xff, 0xff]), // UDP: more than there is
    damagedAt(38, [0, 7]), // UDP: less than its header
    damagedAt(14, [0x44]), // IPv4: a header of 16 bytes
    damagedAt(14, [0x65]), // IPv4: version 6
    damagedAt(16, [0, 19]), // IPv4: less than its header
    damagedAt(14, [0x45], true), // IPv6: version 4
    packet(second(7).at(-1)!).with(46, 0xf0).slice(0, 70).with(17, 56), // TCP: a header of 60 bytes
  ];
  const cut = [
    sent[1]!.subarray(0, 10),
    sent[1]!.subarray(0, 30),
    damagedAt(0, [], true).slice(0, 50),
  ];
  const source = await open(pcap([...sent, ...damaged, ...cut]));
  assertEquals(source.notices, [
    "3 packets are cut, left out: the capture kept only their first bytes",
    "7 packets have lengths that do not fit to each other, left out",
  ]);
  const points = await pointsOf(source);
  assertEquals([...points.values()][0]?.times.length, 10);
});
