/**
 * Reads through `serve` with and without worker threads, and through two servers of one file, one of
 * which only reads, with half of the clients each: eight clients that read flat out and only
 * count, of raw points and of windows that no stored statistics answer, and small calls meanwhile.
 * Other work on the machine lowers the rate, so CPU time is told, too, the rate that it allows, and how
 * long the threads of the server had work and no core. Beside other work on Linux, root can give the
 * bench a session with nearly all of the cores:
 *
 *     setsid -w sh -c 'echo -20 > /proc/self/autogroup; deno task bench workers'
 */

import { connect } from "../mod.ts";
import { ServerProcess } from "../tests/support/server_process.ts";
import { cpuMs, type ThreadTimes, threadTimes } from "./support/cpu.ts";
import { START } from "./support/data.ts";
import { type Figures, growth } from "./support/growth.ts";
import { percentile } from "./support/live.ts";
import { UUID } from "./support/served.ts";

const POINTS = 2_000_000;
const READERS = 8;
const SECONDS = 8;
/** Small calls measured. */
const CALLS = 200;
/** Cores that the bound is told for. */
const CORES = 2;

function sum(threads: readonly ThreadTimes[], time: "cpuMs" | "waitMs"): number {
  return threads.reduce((total, thread) => total + thread[time], 0);
}

/** Clients that read flat out, and when they began to count. */
interface Readers {
  readonly process: ServerProcess;
  readonly sinceMs: number;
}

async function startReaders(server: ServerProcess, clients: number, what: string[]) {
  const args = [server.address, String(POINTS), String(clients), ...what];
  const process = await ServerProcess.start("bench/support/count_flat_out.ts", args);
  return { process, sinceMs: performance.now() };
}

/** Ends clients; the millions that they have read a second. They read on until all are ended. */
async function rateOf(all: readonly Readers[]): Promise<number> {
  const endMs = performance.now();
  const rates = await Promise.all(all.map(async ({ process, sinceMs }) => {
    return Number(await process.end()) / 1e3 / (endMs - sinceMs);
  }));
  return rates.reduce((sum, rate) => sum + rate, 0);
}

/** CPU time of servers and clients so far, and the time in which threads had work and no core, ms. */
function spent(servers: readonly ServerProcess[], all: readonly Readers[]): number[] {
  const threads = servers.flatMap(({ pid }) => threadTimes(pid));
  const main = threads.filter(({ isMain }) => isMain);
  const reading = threads.filter(({ name }) => name.startsWith("worker-"));
  return [
    servers.reduce((total, { pid }) => total + cpuMs(pid), 0),
    sum(main, "cpuMs"),
    sum(reading, "cpuMs"),
    all.reduce((total, { process }) => total + cpuMs(process.pid), 0),
    sum(main, "waitMs"),
    sum(reading, "waitMs"),
  ];
}

/** The points that eight clients read, and the time that small calls take meanwhile. */
async function flatOut(
  servers: readonly ServerProcess[],
  workers: number,
  what: string[],
): Promise<Figures> {
  const each = READERS / servers.length;
  const clients = await Promise.all(servers.map((server) => startReaders(server, each, what)));
  await using db = await connect(servers[0]!.address);
  const stream = db.streamFromUUID(UUID);
  const before = spent(servers, clients);
  const start = performance.now();
  const callMs: number[] = [];
  for (let i = 0; i < CALLS; i++) {
    const sent = performance.now();
    await stream.nearest(START);
    callMs.push(performance.now() - sent);
    const wait = start + (i + 1) * SECONDS * 1000 / CALLS - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  }
  const seconds = (performance.now() - start) / 1000;
  const after = spent(servers, clients);
  const millions = await rateOf(clients) * seconds;
  for (const { process } of clients) await process[Symbol.asyncDispose]();
  const spentMs = after.map((ms, i) => ms - before[i]!);
  const [ofServer, ofMain, ofWorkers, ofClients] = spentMs.map((ms) => ms / millions);
  const [waitOfMain, waitOfWorkers] = spentMs.slice(4).map((ms) => ms / seconds / 10);
  // All threads share the cores, and a main thread has one of them at most.
  const leastMs = Math.max((ofServer! + ofClients!) / CORES, ofMain! / servers.length);
  return {
    "read a second, thousands": millions / seconds * 1000,
    "CPU of the server a million, ms": ofServer!,
    "CPU of its main thread a million, ms": ofMain!,
    "CPU of its workers a million, ms": ofWorkers!,
    "CPU of the clients a million, ms": ofClients!,
    [`most a second on ${CORES} cores, thousands`]: 1e6 / leastMs,
    "main thread has work and no core, %": waitOfMain! / servers.length,
    "workers have work and no core, % of each": workers === 0 ? 0 : waitOfWorkers! / workers,
    "small call, p50, ms": percentile(callMs, 50),
    "small call, p99, ms": percentile(callMs, 99),
  };
}

function program(name: string, source: URL): string {
  return new URL(`bench/support/${name}`, source).pathname;
}

/** One server, with so many worker threads. */
async function withWorkers(workers: number, source: URL, what: string[]): Promise<Figures> {
  const args = [String(POINTS), String(workers)];
  await using server = await ServerProcess.start(program("serve_file.ts", source), args);
  return await flatOut([server], workers, what);
}

/** The server that writes a file, and others that only read it. */
async function withServers(count: number, source: URL, what: string[]): Promise<Figures> {
  const folder = await Deno.makeTempDir({ prefix: "btrdb-bench-" });
  const servers: ServerProcess[] = [];
  try {
    const path = `${folder}/served.btrdb`;
    const args = [String(POINTS), "0", path];
    servers.push(await ServerProcess.start(program("serve_file.ts", source), args));
    while (servers.length < count) {
      servers.push(await ServerProcess.start(program("serve_same_file.ts", source), [path]));
    }
    return await flatOut(servers, 0, what);
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  }
}

const KINDS: [name: string, what: string[]][] = [
  ["raw points", []],
  ...[100n, 10_000n].map((points): [string, string[]] => [
    `windows of ${points} points`,
    [String(points * 8_333_333n)],
  ]),
];

for (const [kind, what] of KINDS) {
  const name = `${READERS} clients read ${kind} flat out`;
  growth({
    name,
    axis: "workers",
    sizes: [0, 2],
    run: (workers, source) => withWorkers(workers, source, what),
  });
  growth({
    name: `${name}, half of them at a server that only reads the file`,
    axis: "servers",
    sizes: [2],
    run: (servers, source) => withServers(servers, source, what),
  });
}
