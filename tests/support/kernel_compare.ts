/**
 * Holding windows against those of the reference.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import type { RawColumns, StatColumns } from "../../src/core/columns.ts";

/** Largest magnitude of the input, the unit of the bounds. */
export function magnitude(columns: RawColumns | StatColumns): number {
  const all = "values" in columns
    ? columns.values
    : Float64Array.of(...columns.min, ...columns.max);
  return all.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
}

/**
 * Times, counts, smallest and largest values must be the same, but for the sign of zero. The order of
 * a sum is not the reference's, so means may differ by 2^-48 of the largest magnitude (and the least
 * double or two), and standard deviations by that and 2^-36 of themselves. Means lie within [min, max].
 */
export function assertWindows(actual: StatColumns, expected: StatColumns, scale: number): void {
  assertEquals(actual.times, expected.times);
  assertEquals(actual.count, expected.count);
  assertEquals(actual.min, expected.min);
  assertEquals(actual.max, expected.max);
  assertEquals(actual.stddev === undefined, expected.stddev === undefined);
  for (let i = 0; i < actual.times.length; i++) {
    const small = scale * 2 ** -48 + 1e-323;
    within(actual.mean[i]!, expected.mean[i]!, small, `mean of window ${i}`);
    const [min, mean, max] = [actual.min[i]!, actual.mean[i]!, actual.max[i]!];
    assert(min <= mean && mean <= max, `window ${i}: ${min} <= ${mean} <= ${max} does not hold`);
    if (expected.stddev === undefined) continue;
    const bound = small + expected.stddev[i]! * 2 ** -36;
    within(actual.stddev![i]!, expected.stddev[i]!, bound, `stddev of window ${i}`);
  }
}

function within(actual: number, expected: number, bound: number, what: string): void {
  const far = Math.abs(actual - expected);
  assert(far <= bound, `${what} is ${actual}, expected ${expected} within ${bound}`);
}

/** The bits of doubles: `assertEquals` does not tell 0 from -0, nor one NaN from another. */
export function bits(values: Float64Array): BigUint64Array {
  return new BigUint64Array(values.slice().buffer);
}
