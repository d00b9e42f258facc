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
  const seed = Deno.env.get("PROPERTY_SEED");
  fc.assert(property, {
    numRuns: Number(Deno.env.get("PROPERTY_RUNS") ?? runs),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  });
}
