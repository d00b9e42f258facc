/**
 * Live ingest from simulated PMUs while everything around it is killed, and what must be true after it.
 * Everything happens after counts, never after times.
 */

import { assert, assertEquals } from "@std/assert";
import { connect } from "../../../mod.ts";
import { freePort } from "../../support/free_port.ts";
import { DataLayout, gridTime, simulatedValues } from "../../../src/ingest/c37118/mod.ts";
import {
  type IngestReport,
  simulatePmu,
  type SimulatePmuOptions,
} from "../../../src/ingest/c37118/mod.ts";

const MAIN = new URL("../../../src/cli/main.ts", import.meta.url).pathname;

/** Size of a run. */
export interface LivePlan {
  pmus: number;
  rate: number;
  /** Phasors of each PMU; two streams each, beside six others. */
  phasors: number;
  /** Points that must be stored in each of the phases before the next thing is killed. */
  pointsPerPhase: number;
  /** Points that must be in the spool while the database is away. */
  spooled: number;
  mergePolicy: "never" | "replace";
}

/** Findings of a run. */
export interface LiveResult {
  /** Points that ingest said were stored or safe, over all its runs. */
  acknowledged: number;
  /** Points in the database. */
  points: number;
  /** CPU time of the ingest processes, s, their largest memory, MiB, and how long they ran, s. */
  cpuSeconds: number;
  maxRssMiB: number;
  seconds: number;
}

/** A child process that prints JSON lines. */
class JsonProcess {
  readonly child: Deno.ChildProcess;
  readonly #done: Promise<void>;
  readonly #waiting = new Set<() => void>();
  last: unknown;
  report: IngestReport | undefined;
  text = "";
  #ended = false;

  constructor(args: readonly string[], state: string) {
    this.child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--no-check", MAIN, ...args],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
      env: { BTRDB_STATE_DIR: state, BTRDB_ENDPOINTS: "" },
    }).spawn();
    this.#done = this.#read();
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const piece of this.child.stdout.pipeThrough(new TextDecoderStream())) {
      rest += piece;
      const lines = rest.split("\n");
      rest = lines.pop()!;
      for (const line of lines.filter((line) => line !== "")) {
        this.last = JSON.parse(line);
        if ((this.last as { event?: string }).event !== undefined) this.text += `${line}\n`;
        else this.report = this.last as IngestReport;
        for (const wake of this.#waiting) wake();
      }
    }
    this.#ended = true;
    for (const wake of this.#waiting) wake();
  }

  /** Waits until something is true of the last line. */
  async until(what: string, isTrue: () => boolean): Promise<void> {
    while (!isTrue()) {
      if (this.#ended) throw new Error(`The process ended before ${what}\n${this.text}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  async end(signal: Deno.Signal): Promise<Deno.CommandStatus> {
    this.child.kill(signal);
    await this.#done;
    return await this.child.status;
  }
}

/** CPU seconds and peak memory of a process, from /proc; nothing elsewhere. */
function usageOf(pid: number): { cpuSeconds: number; maxRssMiB: number } {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1]!.split(" ");
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    const peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
    return { cpuSeconds: (Number(stat[11]) + Number(stat[12])) / 100, maxRssMiB: peak / 1024 };
  } catch {
    return { cpuSeconds: 0, maxRssMiB: 0 };
  }
}

/** Runs a plan in a folder; fails if an acknowledged point is lost, doubled or wrong. */
export async function runLivePlan(plan: LivePlan, folder: string): Promise<LiveResult> {
  const file = `file:${folder}/live.btrdb`;
  const pmuOptions = (i: number): SimulatePmuOptions => ({
    id: 10 + i,
    rate: plan.rate,
    phasors: plan.phasors,
    analogs: 1,
    digitals: 1,
    seed: 100 + i,
    // All formats of numbers take part.
    format: [15, 0, 3, 9][i % 4],
  });
  const pmus = await Promise.all(
    Array.from(
      { length: plan.pmus },
      (_, i) => simulatePmu({ ...pmuOptions(i), port: freePort() }),
    ),
  );
  const ports = pmus.map(({ port }) => port);
  const serve = async (listen: string): Promise<JsonProcess> => {
    const server = new JsonProcess(["serve", file, "--listen", listen, "--json"], folder);
    await server.until("it listened", () => server.last !== undefined);
    return server;
  };
  let server = await serve(`127.0.0.1:${freePort()}`);
  const address = `127.0.0.1:${(server.last as { port: number }).port}`;
  const ingest = (): JsonProcess =>
    new JsonProcess([
      "-d",
      address,
      "--timeout",
      "5s",
      "ingest",
      ...ports.map((port, i) => `c37118://127.0.0.1:${port}?id=${10 + i}`),
      ...["--every", "200ms", "--report", "200ms", "--json", "--merge", plan.mergePolicy],
    ], folder);
  const startMs = performance.now();
  let cpuSeconds = 0, maxRssMiB = 0;
  const count = (process: JsonProcess): void => {
    const usage = usageOf(process.child.pid);
    cpuSeconds += usage.cpuSeconds;
    maxRssMiB = Math.max(maxRssMiB, usage.maxRssMiB);
  };
  let run = ingest();
  const stored = (): number => run.report?.stored ?? 0;
  const spooled = (): number => run.report?.spooled ?? 0;
  // A machine that is too slow for the PMUs always has some points in the spool: those that are there
  // now, and more, must be stored.
  const more = async (what: string): Promise<void> => {
    const goal = stored() + spooled() + plan.pointsPerPhase;
    await run.until(what, () => stored() >= goal);
  };
  await more("points were stored");

  // The database is killed, and comes back.
  await server.end("SIGKILL");
  await run.until("points were spooled", () => spooled() >= plan.spooled);
  server = await serve(address);
  await more("the spool was stored");

  // A PMU is killed, and comes back.
  await pmus[0]!.close();
  const connections = run.report!.sources[0]!.connections;
  await run.until("the PMU was missed", () => !run.report!.sources[0]!.connected);
  pmus[0] = await simulatePmu({ ...pmuOptions(0), port: ports[0]! });
  await run.until(
    "the PMU was found again",
    () => run.report!.sources[0]!.connections > connections,
  );
  await more("points were stored after the PMU");

  // Ingest is killed while the database is away, so that all it has is in the spool.
  await server.end("SIGKILL");
  await run.until("points were spooled again", () => spooled() >= plan.spooled);
  count(run);
  await run.end("SIGKILL");
  const { stored: storedFirst, spooled: left } = run.report!;
  assertEquals(run.report!.dropped + run.report!.refused, 0);
  server = await serve(address);
  run = ingest();
  await more("the spool of the run before was stored");
  for (const pmu of pmus) await pmu.close();
  await run.until("all was stored", () => spooled() === 0);
  count(run);
  const { code } = await run.end("SIGINT");
  assertEquals(code, 0);
  const last = run.report!;
  assert(last.stored >= left, `${last.stored} of ${left} points of the spool were stored`);
  assertEquals([last.spooled, last.pending, last.dropped, last.refused], [0, 0, 0, 0]);
  const seconds = (performance.now() - startMs) / 1000;
  await server.end("SIGINT");

  const points = await check(file, plan, pmuOptions);
  // What the second run stored holds the spool of the first one.
  return { acknowledged: storedFirst + last.stored, points, cpuSeconds, maxRssMiB, seconds };
}

/** Reads everything back; each point must be what the PMU measured at its time, once. */
async function check(
  file: string,
  plan: LivePlan,
  pmuOptions: (i: number) => SimulatePmuOptions,
): Promise<number> {
  await using db = await connect(file);
  let points = 0;
  for (let i = 0; i < plan.pmus; i++) {
    const options = pmuOptions(i);
    await using pmu = await simulatePmu(options);
    const layout = new DataLayout(pmu.configuration);
    const { station, slot } = layout.stations[0]!;
    const collection = `pmu/${options.id}_SIM ${options.id}`;
    const streams = await Array.fromAsync(db.lookupStreams(collection));
    assertEquals(streams.length, 6 + 2 * plan.phasors, collection);
    for (const stream of streams) {
      const { name } = await stream.tags() as { name: string };
      const { times, values } = await stream.rawValues(0n, 1n << 61n).collect();
      points += times.length;
      for (let k = 0; k < times.length; k++) {
        const time = times[k]!;
        assert(k === 0 || time > times[k - 1]!, `${collection}/${name}: ${time} twice`);
        if (name !== "STAT" && name !== "FREQ") continue;
        const soc = Number(time / 1_000_000_000n);
        const tick = Math.round(Number(time % 1_000_000_000n) * plan.rate / 1e9);
        assertEquals(gridTime(soc, tick, { timeBase: plan.rate, dataRate: plan.rate }), time);
        const want = simulatedValues(pmu.configuration, soc, tick, options.seed!);
        const at = name === "STAT" ? slot : slot + 1 + 2 * station.phasors.length;
        assert(Math.abs(values[k]! - want[at]!) <= 1e-3, `${collection}/${name} at ${time}`);
      }
    }
  }
  return points;
}
