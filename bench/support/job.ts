/**
 * Jobs: the same work done by this package and by others, side by side. A job registers its entries
 * as one `Deno.bench` group, the package's own as the baseline, so `deno bench` runs it; and it keeps
 * them for tools/bench.ts, which takes turns among them and reports medians.
 *
 * @module
 */

/** One way to do a job. */
export interface Entry<State> {
  /** Name of the code measured: `"kernel"`, `"protobuf-es"`, `"memcpy"`, … */
  readonly name: string;
  /** Does the job once. */
  readonly run: (state: State) => unknown;
  /** Factor by which the first entry is meant to be faster than this one. */
  readonly atLeast?: number;
  /** Rounds to measure, without warming up, for what takes many seconds. */
  readonly rounds?: number;
  /** CPU time so far of the process that does the job, ms; where that is to be compared too. */
  readonly cpuMs?: (state: State) => number;
  /** Factor by which the first entry is meant to use less CPU time than this one. */
  readonly atLeastCpu?: number;
}

/** A task, its input, and the entries that are compared on it. */
export interface Job<State> {
  /** Name of the task. */
  readonly name: string;
  /** Work in one run, e.g. `{ count: 10_000_000, unit: "points" }`. */
  readonly work: { readonly count: number; readonly unit: string };
  /** Makes the data all entries work on. */
  readonly setup: () => State | Promise<State>;
  /** Frees what needs freeing. */
  readonly teardown?: (state: State) => void | Promise<void>;
  /** The package's own first, then the others. */
  readonly entries: readonly Entry<State>[];
  /** Longest one run of the first entry should take, ms. */
  readonly goalMs?: number;
  /** Runs of each entry, each measured by itself, so that the slow ones can be told: their p99. */
  readonly calls?: number;
  /** Longest the 99th percentile of the first entry should be, ms; for jobs with `calls`. */
  readonly goalP99Ms?: number;
  /** Remark on the figures. */
  readonly note?: string;
}

// deno-lint-ignore no-explicit-any -- every job has a state of its own type
const registered: Job<any>[] = [];

/** All jobs of the modules imported so far. */
// deno-lint-ignore no-explicit-any -- as above
export function jobs(): readonly Job<any>[] {
  return registered;
}

/**
 * Registers a job.
 *
 * @param definition A task, its input, and the entries that are compared on it.
 */
export function job<State>(definition: Job<State>): void {
  registered.push(definition);
  let state: Promise<State> | undefined;
  const { teardown } = definition;
  if (teardown !== undefined) {
    addEventListener("unload", () => state?.then((ready) => teardown(ready)));
  }
  definition.entries.forEach(({ name, run, rounds }, i) => {
    Deno.bench({
      name,
      group: definition.name,
      baseline: i === 0,
      ...(rounds === undefined ? {} : { n: rounds, warmup: 0 }),
      async fn(b) {
        state ??= Promise.resolve(definition.setup());
        const ready = await state;
        b.start();
        const result = run(ready);
        if (result instanceof Promise) await result;
        b.end();
      },
    });
  });
}
