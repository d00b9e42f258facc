/** Runs of fuzzers: a few by default, for minutes when asked. */

import { Random } from "./random.ts";

/**
 * Generators of numbers, one a run, each from a seed of its own, which is printed where a run fails or
 * takes long. `FUZZ_MINUTES` says how long it goes on, `FUZZ_SEED` with which seed it begins.
 *
 * @param what Name of the fuzzer.
 * @param runs Number of runs by default.
 */
export function* fuzzing(what: string, runs: number): Generator<Random> {
  const minutes = Number(Deno.env.get("FUZZ_MINUTES") ?? 0);
  const first = Number(Deno.env.get("FUZZ_SEED") ?? 1);
  const endMs = performance.now() + minutes * 60_000;
  let seed = first;
  let slowest = 0;
  let isDone = false;
  try {
    for (; seed < first + runs || performance.now() < endMs; seed++) {
      const began = performance.now();
      yield new Random(seed);
      slowest = Math.max(slowest, performance.now() - began);
    }
    isDone = true;
  } finally {
    const text = `${what}: seeds ${first} to ${seed}, slowest run ${Math.round(slowest)} ms`;
    if (!isDone || minutes > 0) console.warn(text);
  }
}
