/**
 * Reads through `serve` with and without worker threads: eight clients that read flat out and only
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

/** The points that eight clients read, and the time that small calls take meanwhile. */
async function flatOut(workers: number, source: URL, what: string[]): Promise<Figures> {
  const program = new URL("bench/support/serve_file.ts", source).pathname;
  await using server = await ServerProcess.start(program, [String(POINTS), String(workers)]);
  const args = [server.address, String(POINTS), String(READERS), ...what];
  await using readers = await ServerProcess.start("bench/support/count_flat_out.ts", args);
  await using db = await connect(server.address);
  const stream = db.streamFromUUID(UUID);
  const spent = (): number[] => {
    const threads = threadTimes(server.pid);
    const main = threads.filter(({ isMain }) => isMain);
    const reading = threads.filter(({ name }) => name.startsWith("worker-"));
    return [
      cpuMs(server.pid),
      sum(main, "cpuMs"),
      sum(reading, "cpuMs"),
      cpuMs(readers.pid),
      sum(main, "waitMs"),
      sum(reading, "waitMs"),
    ];
  };
  const before = spent();
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
  const after = spent();
  const millions = Number(await readers.end()) / 1e6;
  const spentMs = after.map((ms, i) => ms - before[i]!);
  const [ofServer, ofMain, ofWorkers, ofClients] = spentMs.map((ms) => ms / millions);
  const [waitOfMain, waitOfWorkers] = spentMs.slice(4).map((ms) => ms / seconds / 10);
  // All threads share the cores, and the main thread has one of them at most.
  const leastMs = Math.max((ofServer! + ofClients!) / CORES, ofMain!);
  return {
    "read a second, thousands": millions / seconds * 1000,
    "CPU of the server a million, ms": ofServer!,
    "CPU of its main thread a million, ms": ofMain!,
    "CPU of its workers a million, ms": ofWorkers!,
    "CPU of the clients a million, ms": ofClients!,
    [`most a second on ${CORES} cores, thousands`]: 1e6 / leastMs,
    "main thread has work and no core, %": waitOfMain!,
    "workers have work and no core, % of each": workers === 0 ? 0 : waitOfWorkers! / workers,
    "small call, p50, ms": percentile(callMs, 50),
    "small call, p99, ms": percentile(callMs, 99),
  };
}

growth({
  name: `${READERS} clients read raw points flat out`,
  axis: "workers",
  sizes: [0, 2],
  run: (workers, source) => flatOut(workers, source, []),
});

for (const points of [100n, 10_000n]) {
  growth({
    name: `${READERS} clients read windows of ${points} points flat out`,
    axis: "workers",
    sizes: [0, 2],
    run: (workers, source) => flatOut(workers, source, [String(points * 8_333_333n)]),
  });
}
