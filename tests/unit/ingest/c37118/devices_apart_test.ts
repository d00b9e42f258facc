/** Devices that send to one port, or from one address: each keeps its points, and its place. */

import { assert, assertEquals } from "@std/assert";
import { createSocket } from "node:dgram";
import { connect } from "../../../../mod.ts";
import {
  type Configuration,
  encodeConfiguration,
  encodeValues,
  LiveIngest,
  simulatedConfiguration,
  simulatedValues,
  simulatePmu,
} from "../../../../src/ingest/c37118/mod.ts";
import { CollectionOwners } from "../../../../src/ingest/c37118/collection_owners.ts";
import { DataLayout } from "../../../../src/ingest/c37118/data_layout.ts";
import { StreamTimes } from "../../../../src/ingest/c37118/link_statistics.ts";
import { SendingDevices } from "../../../../src/ingest/c37118/sending_devices.ts";
import { until } from "../../../support/until.ts";

const SOC = 1_700_000_000;
const FRAMES = 10;

/** A configuration with a frequency of its own in all frames, and these. */
function framesOf(configuration: Configuration, hertz: number): Uint8Array[] {
  const layout = new DataLayout(configuration);
  const data = Array.from({ length: FRAMES }, (_, tick) => {
    const values = simulatedValues(configuration, SOC, tick, 1);
    values[layout.slots - 2 - configuration.stations[0]!.digitals.length] = 0;
    values[1 + 2 * configuration.stations[0]!.phasors.length] = hertz;
    return encodeValues(layout, values, { soc: SOC, fraction: tick * 100_000 });
  });
  return [...encodeConfiguration(configuration, { soc: SOC, fraction: 0 }), ...data];
}

/** Frequencies in each collection, as `collection: count × values`, after so many frames of each source. */
async function ingested(
  targets: readonly string[],
  frames: number,
  send: (port: number, came: (frames: number) => Promise<void>) => Promise<void>,
): Promise<string[]> {
  await using db = await connect("memory:");
  let port = 0;
  const live = new LiveIngest(() => Promise.resolve(db), targets, {
    everyMs: 20,
    prefix: "t",
    onEvent: (text) => port = Number(/listening on port (\d+)/.exec(text)?.[1] ?? port),
  });
  const stop = new AbortController();
  const running = live.run(stop.signal);
  const isConnected = () => live.report.sources.every(({ connected }) => connected);
  await until("all sources are connected", isConnected);
  const sum = () => live.report.sources.reduce((sum, { frames }) => sum + frames, 0);
  const came = (count: number) => until(`${count} frames came`, () => sum() >= count);
  await send(port, came);
  await until(`${frames} data frames came from each source`, () => {
    return live.report.sources.every(({ dataFrames }) => dataFrames >= frames);
  });
  stop.abort();
  const { sources } = await running;
  assertEquals(
    sources.map(({ overrun, repeated }) => [overrun, repeated]),
    targets.map(() => [0, 0]),
  );
  const found: string[] = [];
  const options = { isCollectionPrefix: true, tags: { name: "FREQ" } };
  for await (const stream of db.lookupStreams("t", options)) {
    const { times, values } = await stream.rawValues(0n, 1n << 61n).collect();
    found.push(`${await stream.collection()}: ${times.length} × ${[...new Set(values)]}`);
  }
  return found.sort();
}

/** Sends the frames of devices that take turns, each from a port of its own; none is overtaken. */
async function sendAll(
  port: number,
  devices: readonly Uint8Array[][],
  came: (frames: number) => Promise<void>,
): Promise<number[]> {
  const sockets = devices.map(() => createSocket("udp4"));
  let sent = 0;
  for (let at = 0; at <= FRAMES; at++) {
    for (const [i, frames] of devices.entries()) {
      sockets[i]!.send(frames[at]!, port, "127.0.0.1");
      await came(++sent);
    }
  }
  const ports = sockets.map((socket) => socket.address().port);
  await Promise.all(
    sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))),
  );
  return ports;
}

// Layouts of a source were bounded to 16, and each device has its own: of 20 honest PMUs that sent to
// one port, the frames of four were dropped, as "the configuration changes too often".
Deno.test("LiveIngest: twenty devices send to one port", async () => {
  const ids = Array.from({ length: 20 }, (_, i) => i + 1);
  const devices = ids.map((id) =>
    framesOf(simulatedConfiguration({ id, rate: 10, station: "S" }), 50 + id)
  );
  const found = await ingested(["c37118+udp://127.0.0.1:0"], 20 * FRAMES, async (port, came) => {
    await sendAll(port, devices, came);
  });
  assertEquals(found, ids.map((id) => `t/${id}_S: ${FRAMES} × ${50 + id}`).sort());
});

// The owner of a collection was the address listened on, which is the same for all devices: of two
// devices of one number and name, the points of the second replaced those of the first, and all
// counted as stored.
Deno.test("LiveIngest: devices of one number and name that send to one port stay apart", async () => {
  const configuration = simulatedConfiguration({ id: 7, rate: 10, station: "S" });
  const devices = [51, 52, 53].map((hertz) => framesOf(configuration, hertz));
  let ports: number[] = [];
  const found = await ingested(["c37118+udp://127.0.0.1:0"], 3 * FRAMES, async (port, came) => {
    ports = await sendAll(port, devices, came);
  });
  assertEquals(
    found,
    [
      `t/7_S: ${FRAMES} × 51`,
      `t/7_S@127.0.0.1: ${FRAMES} × 52`,
      `t/7_S@127.0.0.1:${ports[2]}: ${FRAMES} × 53`,
    ].sort(),
  );
});

// The second and the third device of a name both got the address of their host behind it. At three ports
// of one gateway, points of the third replaced those of the second.
Deno.test("LiveIngest: three devices of one number and name at one host stay apart", async () => {
  const pmus = await Promise.all([1, 2, 3].map(() => simulatePmu({ id: 7, station: "S" })));
  const addresses = pmus.map(({ address }) => address);
  const targets = addresses.map((address) => `c37118://${address}?id=7`);
  const found = await ingested(targets, 20, async () => {});
  for (const pmu of pmus) await pmu.close();
  const [first, second, third] = found.map((line) => line.split(": ")[0]!);
  assertEquals([first, second], ["t/7_S", "t/7_S@127.0.0.1"]);
  assert(addresses.some((address) => third === `t/7_S@${address}`), third);
});

Deno.test("CollectionOwners: a silent device that comes back with another port has its collection", () => {
  const owners = new CollectionOwners();
  const seenMs = Date.now();
  const old = { source: "s", address: "10.0.0.5", port: 1000, seenMs, silentMs: 60_000 };
  assertEquals(owners.claim("7_S", "", old)?.collection, "7_S");
  const again = { ...old, port: 2000 };
  assertEquals(owners.claim("7_S", "", again)?.collection, "7_S@10.0.0.5");
  old.seenMs -= 60_001;
  const later = { ...old, port: 3000, seenMs };
  assertEquals(owners.claim("7_S", "", later), { collection: "7_S", before: old });
  // The old port has lost it, also if it speaks again; so has another address.
  old.seenMs = seenMs;
  assertEquals(owners.claim("7_S", "", old)?.collection, "7_S@10.0.0.5:1000");
  const other = { ...old, address: "10.0.0.6" };
  assertEquals(owners.claim("7_S", "", other)?.collection, "7_S@10.0.0.6");
});

// There were places for 100,000 names, for whoever came first. One device whose configuration named ever
// new stations had all of them in a minute: new devices were left out, and the points of streams that
// were new were refused, until a restart.
Deno.test("CollectionOwners: a device with ever new names leaves room for others", () => {
  const owners = new CollectionOwners();
  const sender = (address: string) => ({
    source: "s",
    address,
    port: 1000,
    seenMs: Date.now(),
    silentMs: 1_000,
  });
  const column = (name: string) => ({ name, collection: "c" });
  const thousand = (name: string) => Array.from({ length: 1_000 }, (_, i) => column(`${name}${i}`));
  const hostile = sender("10.0.0.6");
  let admitted = 0;
  while (owners.admit(thousand(`h${admitted} `), hostile)) admitted++;
  assertEquals(admitted, 150);
  for (let n = 0; n < 1_000; n++) owners.claim(`h${n}`, "", hostile);
  assertEquals(owners.claim("h", "", hostile), undefined);
  // What it has, it keeps.
  assert(owners.admit(thousand("h7 "), hostile));
  for (const host of [1, 2, 3]) {
    const honest = sender(`10.0.1.${host}`);
    assertEquals(owners.claim(`${host}_S`, "", honest)?.collection, `${host}_S`);
    assert(owners.admit(thousand(`honest ${host} `), honest));
  }
});

/** Gives a datagram to the device it comes from; the device, or `undefined` if there is no place for it. */
function give(devices: SendingDevices, address: string, port: number, datagram: Uint8Array) {
  const device = devices.find(address, port);
  device?.decoder.datagramRaw(datagram, () => {}, () => {});
  if (device !== undefined) devices.settle(device);
  return device;
}

// The first 256 ports that sent anything had the places for good: one sender that changed its port, or
// an honest device after its 256th restart, kept every new device out.
Deno.test("SendingDevices: one address with many ports does not keep another one out", () => {
  const devices = new SendingDevices({});
  const [frame] = framesOf(simulatedConfiguration({ id: 7, rate: 10 }), 50);
  const honest = give(devices, "10.0.0.5", 4713, frame!);
  for (let port = 1; port <= 400; port++) give(devices, "10.0.0.66", port, frame!);
  assertEquals(give(devices, "10.0.0.66", 401, frame!), undefined);
  assert(give(devices, "10.0.0.6", 4713, frame!) !== undefined);
  assertEquals(devices.find("10.0.0.5", 4713), honest);
});

// Datagrams that hold no frame, each from an address of its own, took all places, and those of a
// concentrator whose devices share an address.
Deno.test("SendingDevices: noise from very many addresses takes no place of a device, nor keeps one out", () => {
  const devices = new SendingDevices({});
  const [frame] = framesOf(simulatedConfiguration({ id: 7, rate: 10 }), 50);
  const honest = [1, 2, 3, 4].map((port) => give(devices, "10.0.0.5", port, frame!));
  const damaged = frame!.with(20, frame![20]! ^ 1);
  const noises = [new Uint8Array(0), new Uint8Array(40).fill(0xaa), damaged];
  for (let i = 0; i < 1_000; i++) {
    give(devices, `127.${i >> 8}.${i & 255}.1`, 1, noises[i % noises.length]!);
  }
  const late = give(devices, "10.0.0.6", 4713, frame!);
  for (let i = 0; i < 1_000; i++) give(devices, `127.${i >> 8}.${i & 255}.2`, 1, damaged);
  assert(late !== undefined);
  assertEquals(devices.find("10.0.0.6", 4713), late);
  assertEquals([1, 2, 3, 4].map((port) => devices.find("10.0.0.5", port)), honest);
  assertEquals(devices.counts.frames, 5);
});

// Each of 256 devices could have 4 MiB of configurations and 16 MiB of their fragments: by datagrams of
// ever new ones, the process grew by tens of GB.
Deno.test("SendingDevices: configurations of one address are bounded, and cost no other device its own", () => {
  const devices = new SendingDevices({});
  let sent = 0;
  /** Gives frames to a device; returns how many were data that could be read. */
  const take = (address: string, port: number, frames: readonly Uint8Array[]): number => {
    const device = devices.find(address, port)!;
    const before = device.decoder.keptBytes;
    let data = 0;
    for (const frame of frames) device.decoder.datagramRaw(frame, () => {}, () => data++);
    sent += device.decoder.keptBytes - before;
    devices.settle(device);
    return data;
  };
  const [configuration, data] = framesOf(simulatedConfiguration({ id: 7, rate: 10 }), 50);
  take("10.0.0.5", 4713, [configuration!]);
  const many = [1, 2, 3, 4].flatMap((id) => {
    const large = simulatedConfiguration({ id, phasors: 1000, rate: 10 });
    return encodeConfiguration(large, { soc: SOC, fraction: 0 });
  });
  for (let port = 1; port <= 250; port++) take("10.0.0.66", port, many);
  assert(sent > 192 << 20, `${sent} bytes`);
  assert(devices.keptBytes <= 128 << 20, `${devices.keptBytes} bytes`);
  assertEquals(take("10.0.0.5", 4713, [data!]), 1);
});

// After one frame of the year 2100, all later ones were late, and none was counted as lost any more.
Deno.test("StreamTimes: a frame of a wrong year does not end the counting", () => {
  const times = new StreamTimes();
  const second = 1_000_000_000n;
  const start = BigInt(SOC) * second;
  times.add(start, 1);
  times.add(4_200_000_000n * second, 1);
  times.add(start + second, 1);
  times.add(start + 4n * second, 1);
  times.add(start + 3n * second, 1);
  assertEquals([times.lost, times.late], [1, 1]);
});

// Each late frame was taken off the lost ones: after a leap second, or once a clock was set back, a
// minute of frames that had never come was no longer counted.
Deno.test("StreamTimes: a late frame is one that was lost only where one was missing", () => {
  const times = new StreamTimes();
  const at = (second: number) => times.add(BigInt(SOC + second) * 1_000_000_000n, 1);
  for (const second of [0, 1, 5, 6, 7]) at(second);
  assertEquals([times.lost, times.late], [3, 0]);
  // The clock is set back.
  for (const second of [6, 5, 1]) at(second);
  assertEquals([times.lost, times.late], [3, 3]);
  for (const second of [3, 2]) at(second);
  assertEquals([times.lost, times.late], [1, 5]);
  // More than were missing.
  for (const second of [4, 4, 4]) at(second);
  assertEquals([times.lost, times.late], [0, 8]);
});
