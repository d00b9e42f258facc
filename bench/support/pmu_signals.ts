/**
 * The eight signals of a phasor measurement unit, 120 samples a second, in the single precision of
 * IEEE C37.118.
 *
 * @module
 */

import type { RawColumns } from "../../src/core/columns.ts";
import { normal, sampleTime } from "./synchrophasor.ts";

/** Names of the signals. */
export const SIGNALS: readonly string[] = [
  "l1mag",
  "l1ang",
  "l2mag",
  "l2ang",
  "l3mag",
  "l3ang",
  "freq",
  "rocof",
];

/** A day of samples. */
export const DAY_SAMPLES = 10_368_000;

/** Level, swing, samples of a radian, and noise of a signal. */
function shapeOf(signal: number): readonly [number, number, number, number] {
  if (signal === 6) return [60, 0.02, 4000, 0.0005];
  if (signal === 7) return [0, 0.01, 4000, 0.002];
  const phase = signal >> 1;
  return signal % 2 === 0 ? [7200, 10, 5000 + phase, 0.72] : [120 * phase - 90, 25, 9000, 0.006];
}

/** Times of the samples `[from, from + n)`, ns. */
export function sampleTimes(n: number, from = 0): BigInt64Array {
  return BigInt64Array.from({ length: n }, (_, i) => sampleTime(from + i));
}

/** Values of the samples `[from, from + n)` of a signal. */
export function signalValues(signal: number, n: number, from = 0): Float64Array {
  const noise = normal(7 + signal);
  const [level, swing, radian, deviation] = shapeOf(signal);
  const values = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const k = from + i;
    values[i] = Math.fround(level + swing * Math.sin(k / radian) + deviation * noise(k));
  }
  return values;
}

/**
 * A million points that go on after a day of the first signal and `batch` such millions, in the order
 * of their arrival: in each thousand a hundred, at its end, are late by up to a day.
 */
export function lateMillion(batch: number): RawColumns {
  const n = 1_000_000;
  const values = signalValues(0, n, DAY_SAMPLES + batch * n);
  const times = new BigInt64Array(n);
  let next = DAY_SAMPLES + batch * n * 0.9;
  let state = batch + 1;
  for (let i = 0; i < n; i++) {
    if (i % 1000 < 900) {
      times[i] = sampleTime(next++);
      continue;
    }
    state = Math.imul(state, 1_664_525) + 1_013_904_223 >>> 0;
    const back = Math.floor(state / 2 ** 32 * DAY_SAMPLES);
    // Between two samples, where no other late point is.
    times[i] = sampleTime(next - 1 - back) + BigInt(1 + batch * n + i);
  }
  return { times, values };
}
