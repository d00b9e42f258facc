/**
 * Measuring a job: all entries in turns, round by round.
 *
 * @module
 */

import type { Entry, Job } from "./job.ts";

/** Times of an entry. */
export interface EntryResult {
  name: string;
  /** Median time of one run, ns. */
  medianNs: number;
  /** Fastest round, ns a run. */
  minNs: number;
  /** Slowest but one in a hundred, ns; where each run was measured by itself. */
  p99Ns?: number;
  /** Rounds measured. */
  rounds: number;
  /** Work done per second at the median. */
  perSecond: number;
  /** Factor by which the first entry is faster; 1 for itself. */
  ratio: number;
  /** Goal for `ratio`. */
  atLeast?: number;
  /** Median CPU time of one run, ms; where the job compares it. */
  cpuMs?: number;
  /** Factor by which the first entry uses less CPU time. */
  cpuRatio?: number;
  /** Goal for `cpuRatio`. */
  atLeastCpu?: number;
}

/** Times of all entries of a job. */
export interface JobResult {
  name: string;
  work: { count: number; unit: string };
  goalMs?: number;
  goalP99Ms?: number;
  note?: string;
  entries: EntryResult[];
}

/** Shortest time of a round, ms: short runs are repeated until it is over. */
const ROUND_MS = 100;
const MIN_ROUNDS = 7;
const MAX_ROUNDS = 40;
/** An entry stops after so many ms, once it has {@linkcode MIN_ROUNDS}; the others go on without it. */
const BUDGET_MS = 4_000;
const WARMUP_MS = 200;
/**
 * Before each measured round of runs shorter than this there is one that is not measured, ms: it pays
 * for what the entry before left behind, a heap full of its objects and caches without ours.
 */
const SETTLE_BELOW_MS = 150;

/** Runs an entry `runs` times; ms per run. */
async function time<S>(entry: Entry<S>, state: S, runs: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < runs; i++) {
    const result = entry.run(state);
    if (result instanceof Promise) await result;
  }
  return (performance.now() - start) / runs;
}

/** Warms an entry up; ms of its fastest run. */
async function warm<S>(entry: Entry<S>, state: S): Promise<number> {
  const start = performance.now();
  let once = Infinity;
  do once = Math.min(once, await time(entry, state, 1)); while (
    performance.now() - start < WARMUP_MS
  );
  return once;
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/**
 * Measures a job.
 *
 * @param job Job to measure.
 * @returns Medians of all entries.
 */
export async function measure<S>(job: Job<S>): Promise<JobResult> {
  const state = await job.setup();
  const runs: number[] = [];
  const settling: boolean[] = [];
  for (const entry of job.entries) {
    const once = entry.rounds === undefined ? await warm(entry, state) : Infinity;
    runs.push(
      job.calls === undefined ? Math.max(1, Math.ceil(ROUND_MS / Math.max(once, 1e-4))) : 1,
    );
    settling.push(job.calls === undefined && once < SETTLE_BELOW_MS);
  }
  const times: number[][] = job.entries.map(() => []);
  const cpu: number[][] = job.entries.map(() => []);
  const spentMs: number[] = job.entries.map(() => 0);
  for (let round = 0; round < (job.calls ?? MAX_ROUNDS); round++) {
    for (const [i, entry] of job.entries.entries()) {
      const enough = job.calls === undefined && round >= MIN_ROUNDS && spentMs[i]! > BUDGET_MS;
      if (enough || round >= (entry.rounds ?? Infinity)) continue;
      const start = performance.now();
      if (settling[i]) await time(entry, state, runs[i]!);
      const before = entry.cpuMs?.(state) ?? NaN;
      times[i]!.push(await time(entry, state, runs[i]!));
      cpu[i]!.push(((entry.cpuMs?.(state) ?? NaN) - before) / runs[i]!);
      spentMs[i]! += performance.now() - start;
    }
  }
  await job.teardown?.(state);
  for (const list of [...times, ...cpu]) list.sort((a, b) => a - b);
  const own = median(times[0]!);
  const ownCpu = median(cpu[0]!);
  const entries = job.entries.map(({ name, atLeast, atLeastCpu, cpuMs }, i): EntryResult => ({
    name,
    medianNs: median(times[i]!) * 1e6,
    minNs: times[i]![0]! * 1e6,
    ...(job.calls === undefined
      ? {}
      : { p99Ns: times[i]![Math.floor(times[i]!.length * 0.99)]! * 1e6 }),
    rounds: times[i]!.length,
    perSecond: job.work.count / median(times[i]!) * 1e3,
    ratio: median(times[i]!) / own,
    ...(atLeast === undefined ? {} : { atLeast }),
    ...(cpuMs === undefined ? {} : { cpuMs: median(cpu[i]!), cpuRatio: median(cpu[i]!) / ownCpu }),
    ...(atLeastCpu === undefined ? {} : { atLeastCpu }),
  }));
  const { name, work, goalMs, goalP99Ms, note } = job;
  return {
    name,
    work,
    ...(goalMs === undefined ? {} : { goalMs }),
    ...(goalP99Ms === undefined ? {} : { goalP99Ms }),
    ...(note === undefined ? {} : { note }),
    entries,
  };
}
