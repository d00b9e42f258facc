/**
 * Synchrophasor data: what a phasor measurement unit sends 120 times a second.
 *
 * @module
 */

import type { RawColumns } from "../../src/core/columns.ts";
import { generator, START } from "./data.ts";

/** Numbers that are normally distributed, mean 0 and deviation 1, from a table of a seeded generator. */
export function normal(seed: number): (i: number) => number {
  const next = generator(seed);
  const table = Float64Array.from({ length: 1 << 16 }, () => {
    const u = (next() + 1) / 4294967297, v = next() / 4294967296;
    return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
  });
  return (i) => table[(i * 7919 + (i >>> 16)) & 0xffff]!;
}

/** Time of sample `i`, ns: 120 a second, rounded down to whole ns as GPS clocks report them. */
export function sampleTime(i: number): bigint {
  return START + BigInt(i) * 25_000_000n / 3n;
}

/**
 * A voltage magnitude, volts: 7.2 kV that drifts and carries noise of 0.01 %, in the single
 * precision of IEEE C37.118.
 *
 * @param n Samples.
 * @param from Index of the first one.
 * @param double Keep double precision, which such devices do not have.
 */
export function magnitudes(n: number, from = 0, double = false): RawColumns {
  const noise = normal(7);
  const times = new BigInt64Array(n), values = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const k = from + i;
    times[i] = sampleTime(k);
    const value = 7200 + 10 * Math.sin(k / 5000) + 0.72 * noise(k);
    values[i] = double ? value : Math.fround(value);
  }
  return { times, values };
}
