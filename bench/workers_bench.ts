/**
 * Reads through `serve` with and without worker threads: eight clients that read flat out and only
 * count, of raw points and of windows that no stored statistics answer, and small calls meanwhile.
 * Other work on the machine lowers the rate, so CPU time is told, too, and the rate that it allows.
 */

import { connect } from "../mod.ts";
import { ServerProcess } from "../tests/support/server_process.ts";
import { cpuMs, mainThreadCpuMs } from "./support/cpu.ts";
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

/** The points that eight clients read, and the time that small calls take meanwhile. */
async function flatOut(workers: number, source: URL, what: string[]): Promise<Figures> {
  const program = new URL("bench/support/serve_file.ts", source).pathname;
  await using server = await ServerProcess.start(program, [String(POINTS), String(workers)]);
  const args = [server.address, String(POINTS), String(READERS), ...what];
  await using readers = await ServerProcess.start("bench/support/count_flat_out.ts", args);
  await using db = await connect(server.address);
  const stream = db.streamFromUUID(UUID);
  const spent = (): number[] => [
    cpuMs(server.pid),
    mainThreadCpuMs(server.pid),
    cpuMs(readers.pid),
  ];
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
  const [ofServer, ofMain, ofClients] = after.map((ms, i) => (ms - before[i]!) / millions);
  // All threads share the cores, and the main thread has one of them at most.
  const leastMs = Math.max((ofServer! + ofClients!) / CORES, ofMain!);
  return {
    "read a second, thousands": millions / seconds * 1000,
    "CPU of the server a million, ms": ofServer!,
    "CPU of its main thread a million, ms": ofMain!,
    "CPU of the clients a million, ms": ofClients!,
    [`most a second on ${CORES} cores, thousands`]: 1e6 / leastMs,
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
