/** Live connections to simulated PMUs, and their ingest into a database in memory. */

import { type FileHandle, open } from "node:fs/promises";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { setImmediate } from "node:timers";
import { BTrDBError, connect } from "../../../../mod.ts";
import {
  connectPmu,
  type DataFrame,
  encodeConfiguration,
  LiveIngest,
  type LiveIngestOptions,
  parsePmuTarget,
  simulatedConfiguration,
  type SimulatedPmu,
  simulatePmu,
  type SimulatePmuOptions,
} from "../../../../src/ingest/c37118/mod.ts";
import { PointSpool } from "../../../../src/ingest/c37118/point_spool.ts";
import { freePort, freeUdpPort } from "../../../support/free_port.ts";
import { until } from "../../../support/until.ts";
import type { ColumnPoints } from "../../../../src/ingest/c37118/channel_columns.ts";

/** Frames from a target. */
async function take(target: string, count: number): Promise<DataFrame[]> {
  const frames: DataFrame[] = [];
  await using pmu = await connectPmu(target);
  for await (const frame of pmu) {
    frames.push(frame);
    if (frames.length === count) break;
  }
  return frames;
}

/** Ways to connect, with the PMU that each needs. */
const WAYS: readonly [string, SimulatePmuOptions, (pmu: SimulatedPmu, port: number) => string][] = [
  ["TCP", {}, ({ address }) => `c37118://${address}?id=7`],
  ["CFG-3 in fragments", { fragmentBytes: 200 }, ({ address }) => `c37118://${address}?id=7&cfg=3`],
  ["UDP", { udpPort: 0 }, ({ udpPort }) => `c37118+udp://127.0.0.1:${udpPort}?id=7`],
  ["UDP data", { dataPort: 1 }, ({ address }, port) => `c37118://${address}?id=7&data=${port}`],
  [
    "unasked",
    { sendTo: { hostname: "127.0.0.1", port: 1 } },
    (_, port) => `c37118+udp://127.0.0.1:${port}`,
  ],
];

for (const [name, options, targetOf] of WAYS) {
  Deno.test(`connectPmu: ${name}, times on the grid, none missing`, async () => {
    const port = await freeUdpPort();
    const own = {
      ...options,
      ...(options.dataPort === undefined ? {} : { dataPort: port }),
      ...(options.sendTo === undefined ? {} : { sendTo: { hostname: "127.0.0.1", port } }),
    };
    await using pmu = await simulatePmu({ id: 7, rate: 100, ...own });
    const frames = await take(targetOf(pmu, port), 30);
    for (const [i, { time, stations }] of frames.entries()) {
      assertEquals(time - frames[0]!.time, BigInt(i) * 10_000_000n);
      assertEquals(stations[0]!.configuration.name, "SIM 7");
    }
  });
}

Deno.test("connectPmu: two clients of one PMU", async () => {
  await using pmu = await simulatePmu({ id: 7, rate: 100 });
  const target = `c37118://${pmu.address}?id=7`;
  const all = await Promise.all([take(target, 20), take(target, 20)]);
  assertEquals(all.map(({ length }) => length), [20, 20]);
});

Deno.test("connectPmu: nobody, a wrong number, an abort", async () => {
  const nobody = `127.0.0.1:${freePort()}`;
  await assertRejects(() => connectPmu(nobody, { id: 7 }), Error, "ECONNREFUSED");
  await using pmu = await simulatePmu({ id: 7 });
  const late = connectPmu(pmu.address, { id: 8, timeoutMs: 500 });
  await assertRejects(() => late, Error, "Cannot connect to the PMU: the deadline passed");
  const stop = new AbortController();
  const aborted = connectPmu(pmu.address, { id: 8, signal: stop.signal });
  stop.abort(new Error("enough"));
  await assertRejects(() => aborted, Error, "enough");
});

// Errors of the system came as they were, without the address and without the documented status: a program
// that waits for a device could not tell them from its own mistakes.
Deno.test("connectPmu: nobody, and a device that closes during the commands, are UNAVAILABLE", async () => {
  const [configuration] = encodeConfiguration(simulatedConfiguration({ id: 7 }), {
    soc: 1_700_000_000,
    fraction: 0,
  });
  const server = createServer((socket) => {
    socket.on("error", () => {});
    // The command follows the 14 bytes of the header; 5 asks for CFG-2.
    socket.on("data", (frame: Uint8Array) => {
      if (frame[15] === 5) socket.end(configuration!);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as { port: number };
  for (const address of [`127.0.0.1:${freePort()}`, `127.0.0.1:${port}`]) {
    const error = await assertRejects(() => connectPmu(address, { id: 7 }), BTrDBError, address);
    assertEquals(error.status, "UNAVAILABLE");
  }
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

Deno.test("connectPmu: bytes that are no frames end by the deadline", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    const lie = new Uint8Array(50_000);
    for (let i = 0; i < lie.length; i += 4) lie.set([0xaa, 0x31, 0xff, 0xff], i);
    const send = (): void => void socket.write(lie, () => socket.destroyed || setImmediate(send));
    send();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as { port: number };
  const connecting = connectPmu(`127.0.0.1:${port}`, { id: 7, timeoutMs: 1500 });
  await assertRejects(() => connecting, Error, "the deadline passed");
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

Deno.test("parsePmuTarget: what is no address is refused by name", () => {
  assertEquals(parsePmuTarget("c37118://[::1]:5000?id=60&cfg=3"), {
    transport: "tcp",
    hostname: "::1",
    port: 5000,
    id: 60,
    cfg: 3,
    dataPort: undefined,
    text: "c37118://[::1]:5000?id=60&cfg=3",
  });
  assertEquals(parsePmuTarget("pdc.example", { id: 5 }).port, 4712);
  assertEquals(parsePmuTarget("c37118+udp://0.0.0.0").transport, "listen");
  for (
    const [text, message] of [
      ["http://x:1", 'Cannot use the address "http://x:1"'],
      ["x:99999", "port is 99999, expected 1 to 65535"],
      ["x?id=70000", 'id is "70000", expected 1 to 65534'],
      ["x?ID=7", "ID is not known, expected id, cfg, data"],
      ["x?cfg=1", 'cfg is "1", expected 2 to 3'],
      ["c37118+udp://x?id=1&data=5", "data belongs to c37118://"],
    ] as const
  ) assertThrows(() => parsePmuTarget(text), RangeError, message);
});

/** Runs an ingest of PMUs into memory until `isDone`, and gives the points of one stream of each. */
async function ingest(
  pmus: readonly SimulatedPmu[],
  options: LiveIngestOptions,
  during: (ingest: LiveIngest) => Promise<void>,
  name = "FREQ",
) {
  await using db = await connect("memory:");
  const targets = pmus.map(({ address, configuration }) =>
    `c37118://${address}?id=${configuration.idcode}`
  );
  const live = new LiveIngest(() => Promise.resolve(db), targets, {
    everyMs: 50,
    prefix: "t",
    ...options,
  });
  const stop = new AbortController();
  const running = live.run(stop.signal);
  await during(live);
  stop.abort();
  const report = await running;
  const times: bigint[][] = [];
  const streams = await Array.fromAsync(
    db.lookupStreams("t", { isCollectionPrefix: true, tags: { name } }),
  );
  for (const stream of streams) {
    times.push([...(await stream.rawValues(0n, 1n << 61n).collect()).times]);
  }
  let points = 0;
  for await (const stream of db.lookupStreams("t", { isCollectionPrefix: true })) {
    points += Number(await stream.count());
  }
  return { report, times, points };
}

Deno.test("LiveIngest: the summary is what is in the database", async () => {
  const pmus = [await simulatePmu({ id: 7 }), await simulatePmu({ id: 8, format: 0, rate: 50 })];
  const { report, points, times } = await ingest(
    pmus,
    {},
    (live) => until("2000 points are stored", () => live.report.stored > 2000),
  );
  for (const pmu of pmus) await pmu.close();
  assertEquals(points, report.stored);
  assertEquals([report.pending, report.dropped, report.refused, report.absent], [0, 0, 0, 0]);
  assertEquals(
    times.map(({ length }) => length).sort(),
    report.sources.map((s) => s.dataFrames).sort(),
  );
  assertEquals(report.sources.map(({ lost }) => lost), [0, 0]);
});

Deno.test("LiveIngest: a change of the configuration costs no frame", async () => {
  const pmu = await simulatePmu({ id: 7, rate: 100, changeAfter: 120, changeNotice: 50 });
  const { report, times } = await ingest(
    [pmu],
    {},
    (live) =>
      until(
        "a configuration and 200 ticks",
        () => live.report.sources[0]!.configurations === 1 && pmu.counts.ticks > 200,
      ),
  );
  await pmu.close();
  const [source] = report.sources;
  assertEquals([source!.lost, source!.mismatched], [0, 0]);
  for (const [i, time] of times[0]!.entries()) {
    assertEquals(time - times[0]![0]!, BigInt(i) * 10_000_000n);
  }
});

Deno.test("LiveIngest: frames left out are counted as lost", async () => {
  const pmu = await simulatePmu({ id: 7, rate: 200, missing: 0.2 });
  const { report, times } = await ingest(
    [pmu],
    {},
    (live) => until("150 data frames", () => live.report.sources[0]!.dataFrames > 150),
  );
  await pmu.close();
  const span = Number(times[0]!.at(-1)! - times[0]![0]!) / 5_000_000;
  assertEquals(report.sources[0]!.lost, span + 1 - times[0]!.length);
  assert(report.sources[0]!.lost > 10);
});

Deno.test("LiveIngest: a broken connection is made again", async () => {
  const pmu = await simulatePmu({ id: 7, rate: 100 });
  const { report } = await ingest([pmu], {}, async (live) => {
    await until("points are stored", () => live.report.stored > 0);
    pmu.disconnect();
    await until("a second connection", () => live.report.sources[0]!.connections === 2);
    const { stored } = live.report;
    await until("more points are stored", () => live.report.stored > stored);
  });
  await pmu.close();
  assert(report.sources[0]!.lost > 0);
  assertEquals(report.sources[0]!.configurations, 0);
});

Deno.test("LiveIngest: without a database a full spool drops, and says what", async () => {
  const folder = await Deno.makeTempDir();
  const pmu = await simulatePmu({ id: 7, rate: 100 });
  const said: string[] = [];
  const target = `c37118://${pmu.address}?id=7`;
  const live = new LiveIngest(() => Promise.reject(new Error("away")), [target], {
    everyMs: 20,
    spoolFolder: folder,
    spoolBytes: 40_000,
    onEvent: (text) => said.push(text),
  });
  const stop = new AbortController();
  const running = live.run(stop.signal);
  await until("points are dropped", () => live.report.dropped > 0);
  stop.abort();
  const report = await running;
  await pmu.close();
  const frames = report.sources[0]!.dataFrames;
  assertEquals(report.spooled + report.dropped, frames * 18);
  assertEquals(report.stored, 0);
  assert(report.spoolBytes <= 40_000 && report.spooled > 0);
  assert(said.some((text) => text.includes("The database does not answer: away")));
  const drop = said.find((text) => text.startsWith("Dropped"))!;
  assert(
    /^Dropped \d+ points from \d{4}-.*Z to .*Z: the spool is full; \d+ in all$/.test(drop),
    drop,
  );

  // The next run stores what the spool kept.
  await using db = await connect("memory:");
  const next = new LiveIngest(() => Promise.resolve(db), ["127.0.0.1:1"], {
    everyMs: 20,
    spoolFolder: folder,
  });
  const end = new AbortController();
  const second = next.run(end.signal);
  await until("the spool is stored", () => next.report.stored === report.spooled);
  end.abort();
  assertEquals((await second).spooled, 0);
  await Deno.remove(folder, { recursive: true });
});

/** One column of points from 0. */
function points(count: number, name = "a"): ColumnPoints[] {
  return [{
    column: { name, collection: "c" },
    points: {
      times: BigInt64Array.from({ length: count }, (_, i) => BigInt(i)),
      values: Float64Array.from({ length: count }, (_, i) => i / 3),
    },
  }];
}

Deno.test("PointSpool: what it took is there after a crash, a cut record is not", async () => {
  const folder = await Deno.makeTempDir();
  const spool = await PointSpool.open(folder, 1 << 20);
  await assertRejects(() => PointSpool.open(folder, 1 << 20), Error, "uses it");
  assert(await spool.append(points(10)));
  assert(await spool.append(points(5, "b")));
  await spool[Symbol.asyncDispose]();
  const [file] = [...Deno.readDirSync(folder)].filter(({ name }) => name.endsWith(".spool"));
  const path = `${folder}/${file!.name}`;
  await Deno.truncate(path, (await Deno.stat(path)).size - 1);
  // The lock of a process that is gone is taken over.
  await Deno.writeTextFile(`${folder}/lock`, "999999999 1");
  await using again = await PointSpool.open(folder, 1 << 20);
  assertEquals(again.points, 10);
  assert(again.notices[0]!.includes("were cut by a crash"));
  const oldest = await again.oldest();
  assertEquals(oldest!.columns, points(10));
  await again.remove(oldest!.name);
  assertEquals([again.points, again.bytes, await again.oldest()], [0, 0, undefined]);
  await Deno.remove(folder, { recursive: true });
});

// Half a record stayed in the file when the disk was full for a moment. What was kept behind it could not
// be read, was removed with the file, and was counted nowhere.
// A lock that had no text yet, and one that had just been made in place of one left behind, were taken
// for left behind: of eight that began at once, six had the spool, and stored its points.
Deno.test("PointSpool: of those that open a spool at once, one has it", async () => {
  for (let round = 0; round < 40; round++) {
    const folder = await Deno.makeTempDir();
    if (round % 2 === 1) await Deno.writeTextFile(`${folder}/lock`, "999999999 1");
    const opened = await Promise.allSettled(
      Array.from({ length: 8 }, () => PointSpool.open(folder, 1 << 20)),
    );
    const spools = opened.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    assertEquals(spools.length, 1);
    for (const spool of spools) await spool[Symbol.asyncDispose]();
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), []);
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("PointSpool: a record that was written in part costs none of those behind it", async () => {
  const folder = await Deno.makeTempDir();
  await using spool = await PointSpool.open(folder, 1 << 20);
  assert(await spool.append(points(10)));
  await using handle = await open(`${folder}/other`, "a");
  const prototype = Object.getPrototypeOf(handle);
  const { appendFile } = prototype;
  prototype.appendFile = async function (this: FileHandle, record: Uint8Array): Promise<void> {
    await appendFile.call(this, record.subarray(0, record.length / 2));
    throw new Error("no space left on device");
  };
  try {
    await assertRejects(() => spool.append(points(3)), Error, "no space left");
  } finally {
    prototype.appendFile = appendFile;
  }
  assert(await spool.append(points(5)));
  let read = 0;
  for (let segment = await spool.oldest(); segment; segment = await spool.oldest()) {
    assertEquals(segment.lost, 0);
    read += segment.points;
    await spool.remove(segment.name);
  }
  assertEquals([read, spool.points], [15, 0]);
  await spool[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

// A file of the spool that was damaged or removed while the command ran was taken for a database that
// does not answer, for ever, or its points were left out and counted nowhere.
Deno.test("PointSpool: points of files that were damaged or removed are counted", async () => {
  const folder = await Deno.makeTempDir();
  await using spool = await PointSpool.open(folder, 1 << 20);
  const fileOf = (n: number) => `${folder}/${String(n).padStart(10, "0")}.spool`;
  assert(await spool.append(points(10)));
  assert(await spool.append(points(5)));
  await Deno.truncate(fileOf(1), (await Deno.stat(fileOf(1))).size - 1);
  const damaged = await spool.oldest();
  assertEquals([damaged?.points, damaged?.lost], [10, 5]);
  await spool.remove(damaged!.name);
  assert(await spool.append(points(7)));
  await Deno.remove(fileOf(2));
  const removed = await spool.oldest();
  assertEquals([removed?.points, removed?.lost], [0, 7]);
  await spool.remove(removed!.name);
  assertEquals([spool.points, await spool.oldest()], [0, undefined]);
  await spool[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

// A file that could not be deleted was stored again at every try, and counted as stored each time; the
// database was said not to answer.
Deno.test("PointSpool: a file that cannot be removed does not come again", async () => {
  const folder = await Deno.makeTempDir();
  await using spool = await PointSpool.open(folder, 1 << 20);
  assert(await spool.append(points(10)));
  const first = await spool.oldest();
  const { bytes } = spool;
  // Not even root removes a folder as a file.
  await Deno.remove(`${folder}/${first!.name}`);
  await Deno.mkdir(`${folder}/${first!.name}`);
  await assertRejects(() => spool.remove(first!.name), Error, first!.name);
  assertEquals([spool.points, spool.bytes], [0, bytes]);
  assertEquals(await spool.oldest(), undefined);
  assert(await spool.append(points(5)));
  assertEquals((await spool.oldest())?.points, 5);
  await spool[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("PointSpool: never more than its bound", async () => {
  const folder = await Deno.makeTempDir();
  await using spool = await PointSpool.open(folder, 10_000);
  let kept = 0;
  while (await spool.append(points(50))) kept += 50;
  assert(kept >= 400 && spool.bytes <= 10_000);
  assertEquals(spool.points, kept);
  const first = await spool.oldest();
  await spool.remove(first!.name);
  assert(await spool.append(points(50)));
  let read = first!.points;
  for (let segment = await spool.oldest(); segment; segment = await spool.oldest()) {
    read += segment.points;
    await spool.remove(segment.name);
  }
  assertEquals(read, kept + 50);
  await spool[Symbol.asyncDispose]();
  await Deno.remove(folder, { recursive: true });
});

// Datagrams of anyone who could reach the port were taken for those of the device that had been asked:
// another device of the same number, set to the same port, gave its values to the streams of this one.
Deno.test({
  name: "connectPmu: datagrams of another address than the device's are left out and counted",
  ignore: Deno.build.os !== "linux", // All of 127.0.0.0/8 is this machine there.
  async fn() {
    const port = await freeUdpPort();
    await using pmu = await simulatePmu({ id: 7, rate: 100, dataPort: port });
    const configuration = simulatedConfiguration({ id: 7, phasors: 1, rate: 100 });
    const [lie] = encodeConfiguration(configuration, { soc: 1_700_000_000, fraction: 0 });
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.2", () => resolve()));
    await using link = await connectPmu(`c37118://${pmu.address}?id=7&data=${port}`);
    const sizes = new Set<number>();
    for await (const { stations } of link) {
      sizes.add(stations[0]!.phasors.length);
      const { foreign, dataFrames } = link.counts;
      if (foreign >= 5 && dataFrames >= 20 || dataFrames >= 1000) break;
      socket.send(lie!, port, "127.0.0.1");
    }
    const { foreign, mismatched, malformed, unconfigured } = link.counts;
    assert(foreign >= 5, `${foreign} datagrams were left out`);
    assertEquals([sizes.size, mismatched, malformed, unconfigured], [1, 0, 0, 0]);
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  },
});
