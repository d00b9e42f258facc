/**
 * Live load: 1,000 streams at 120 Hz, each sent as one insert a second, all at the same moment, through
 * `serve` in a process of its own, first as fast as they are taken, then a second every second, without
 * and with 50 dashboards and 100 subscribers in a third process. Before and after a change:
 *
 *     BENCH_BASE=/path/of/another/checkout deno task bench live
 *
 * `BENCH_LARGE=1` lets the live load go on for ten minutes. `BENCH_WORKERS=N` serves with workers.
 */

import { pid } from "node:process";
import { connect } from "../mod.ts";
import type { BTrDB, Stream } from "../mod.ts";
import { ServerProcess } from "../tests/support/server_process.ts";
import { cpuMs } from "./support/cpu.ts";
import { type Figures, growth } from "./support/growth.ts";
import { liveUuid, nowSecond, percentile } from "./support/live.ts";

const SECONDS = Deno.env.get("BENCH_LARGE") === "1" ? 600 : 20;
const WORKERS = Deno.env.get("BENCH_WORKERS") ?? "0";
/**
 * Seconds of the live load whose acknowledgements are a figure of their own: a server that has just
 * begun compiles what it runs.
 */
const WARM_UP = 3;
/** Seconds of inserts that are sent as fast as they are taken. */
const FLAT_OUT = 15;
/** Seconds of points before the live ones: what dashboards show. */
const HISTORY = 60;
const RATE = 120;
const DASHBOARDS = 50;
const SUBSCRIBERS = 100;

/** Points of some seconds of a stream. */
function points(second: bigint, seconds: number) {
  const times = new BigInt64Array(seconds * RATE), values = new Float64Array(times.length);
  for (let i = 0; i < times.length; i++) {
    times[i] = second * 1_000_000_000n + BigInt(i) * 1_000_000_000n / BigInt(RATE);
    values[i] = Math.fround(7200 + 10 * Math.sin(i / 50) + Math.random());
  }
  return { times, values };
}

/** Server, client and streams. */
interface Served {
  readonly server: ServerProcess;
  readonly db: BTrDB;
  readonly streams: readonly Stream[];
}

async function withServer<T>(
  source: URL,
  count: number,
  work: (served: Served) => Promise<T>,
): Promise<T> {
  // The server of the sources that are measured; this client.
  const program = new URL("bench/support/serve_file.ts", source).pathname;
  await using server = await ServerProcess.start(program, ["1", WORKERS]);
  await using db = await connect(server.address);
  const streams: Stream[] = [];
  for (let i = 0; i < count; i++) {
    streams.push(await db.create(liveUuid(i), "live", { tags: { name: `s${i}` } }));
  }
  return await work({ server, db, streams });
}

/** CPU time an insert, of server and client, ms. */
function cpuOf({ server }: Served): (inserts: number) => { server: number; client: number } {
  const [before, own] = [cpuMs(server.pid), cpuMs(pid)];
  return (inserts) => ({
    server: (cpuMs(server.pid) - before) / inserts,
    client: (cpuMs(pid) - own) / inserts,
  });
}

growth({
  name: "inserts of a second at 120 Hz, all streams at once, as fast as they are taken",
  axis: "streams",
  sizes: [1000],
  run: (count, source) =>
    withServer(source, count, async (served): Promise<Figures> => {
      const first = nowSecond();
      const cpu = cpuOf(served);
      const start = performance.now();
      for (let s = 0; s < FLAT_OUT; s++) {
        const second = points(first + BigInt(s), 1);
        await Promise.all(served.streams.map((stream) => stream.insert(second)));
      }
      const inserts = FLAT_OUT * count;
      const spent = cpu(inserts);
      return {
        "inserts a second": inserts / (performance.now() - start) * 1000,
        "CPU of the server an insert, ms": spent.server,
        "CPU of the client an insert, ms": spent.client,
      };
    }),
});

/** Sends a second of all streams every second. */
async function live(served: Served): Promise<Figures> {
  const { streams } = served;
  const ackMs: number[] = [], warmUpMs: number[] = [];
  let open = 0, backlog = 0;
  const begun = performance.now();
  const cpu = cpuOf(served);
  const pending: Promise<unknown>[] = [];
  for (let s = 0; s < SECONDS; s++) {
    const wait = begun + s * 1000 - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    backlog = Math.max(backlog, open);
    const second = points(nowSecond(), 1);
    pending[s % 2] = Promise.all(streams.map(async (stream) => {
      open++;
      const sent = performance.now();
      await stream.insert(second);
      (s < WARM_UP ? warmUpMs : ackMs).push(performance.now() - sent);
      open--;
    }));
  }
  await new Promise((resolve) => setTimeout(resolve, begun + SECONDS * 1000 - performance.now()));
  const behind = open;
  await Promise.all(pending);
  const spent = cpu(SECONDS * streams.length);
  return {
    [`acknowledgement in the first ${WARM_UP} s, most, ms`]: percentile(warmUpMs, 100),
    "acknowledgement, median, ms": percentile(ackMs, 50),
    "acknowledgement, p99, ms": percentile(ackMs, 99),
    "most inserts behind": backlog,
    "inserts behind at the end": behind,
    "CPU of the server a second, ms": spent.server * streams.length,
    "CPU of the client a second, ms": spent.client * streams.length,
  };
}

async function withHistory(count: number, source: URL, work: (served: Served) => Promise<Figures>) {
  return await withServer(source, count, async (served) => {
    const before = points(nowSecond() - BigInt(HISTORY), HISTORY);
    for (const stream of served.streams) await stream.insert(before);
    return await work(served);
  });
}

growth({
  name: "a second at 120 Hz of all streams every second",
  axis: "streams",
  sizes: [1000],
  run: (count, source) => withHistory(count, source, live),
});

growth({
  name: `the same, with ${DASHBOARDS} dashboards and ${SUBSCRIBERS} subscribers`,
  axis: "streams",
  sizes: [1000],
  run: (count, source) =>
    withHistory(count, source, async (served): Promise<Figures> => {
      const args = [served.server.address, count, DASHBOARDS, SUBSCRIBERS].map(String);
      await using watchers = await ServerProcess.start("bench/support/watch_live.ts", args);
      const figures = await live(served);
      const [reads, p99, late, seen] = (await watchers.end()).trim().split(" ").map(Number);
      return {
        ...figures,
        "reads of a dashboard a second": reads! / SECONDS,
        "read of a dashboard, p99, ms": p99!,
        "reads that began late": late!,
        "points that subscribers got a second": seen! / SECONDS,
      };
    }),
});
