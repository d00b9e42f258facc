/**
 * Data that benches work on: always the same, from seeded generators.
 *
 * @module
 */

import type { RawColumns, StatColumns } from "../../src/core/columns.ts";
import { rewindow } from "../../src/kernel/mod.ts";

/** ns between samples at 120 Hz. */
export const STEP = 8_333_333n;
/** 2024-01-01T00:00:00Z. */
export const START = 1_704_067_200_000_000_000n;

/** Numbers from 0 to 2^32 - 1, the same for the same seed (xorshift). */
export function generator(seed = 1): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** A signal sampled at 120 Hz: a sine around 230 with noise, in order of time. */
export function samples(n: number, seed = 1): RawColumns {
  const next = generator(seed);
  const times = new BigInt64Array(n), values = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    times[i] = START + BigInt(i) * STEP;
    values[i] = 230 + 5 * Math.sin(i / 50) + next() / 2 ** 32;
  }
  return { times, values };
}

/** The same points in random order. */
export function shuffled({ times, values }: RawColumns, seed = 1): RawColumns {
  const next = generator(seed);
  const out: RawColumns = { times: times.slice(), values: values.slice() };
  for (let i = times.length - 1; i > 0; i--) {
    const j = next() % (i + 1);
    [out.times[i], out.times[j]] = [out.times[j]!, out.times[i]!];
    [out.values[i], out.values[j]] = [out.values[j]!, out.values[i]!];
  }
  return out;
}

/** `n` windows of `points` samples each. */
export function windows(n: number, points = 12): StatColumns {
  const width = STEP * BigInt(points);
  const end = START + width * BigInt(n);
  return rewindow(samples(n * points), { start: START, end, width, stddev: true });
}
