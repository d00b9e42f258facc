/**
 * Running properties: how often, and from which seed.
 *
 * A failure prints the seed and the path to the smallest counterexample; `PROPERTY_SEED=…` runs that
 * seed again, `PROPERTY_RUNS=…` sets the number of cases of every property.
 *
 * @module
 */

import fc from "fast-check";

/** Cases of a property that does not say otherwise. */
const RUNS = 2_000;

/** Holds `property` against `runs` cases. */
export function holds<Ts>(property: fc.IProperty<Ts>, runs: number = RUNS): void {
  fc.assert(property, parameters(runs));
}

/** Holds an asynchronous property against `runs` cases. */
export async function holdsAsync<Ts>(
  property: fc.IAsyncProperty<Ts>,
  runs: number = RUNS,
): Promise<void> {
  await fc.assert(property, parameters(runs));
}

function parameters<Ts>(runs: number): fc.Parameters<Ts> {
  const seed = Deno.env.get("PROPERTY_SEED");
  return {
    numRuns: Number(Deno.env.get("PROPERTY_RUNS") ?? runs),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  };
}
