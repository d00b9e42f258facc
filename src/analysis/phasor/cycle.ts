/**
 * Values of one cycle from samples of a wave (point on wave).
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";
import { describe } from "../../core/describe.ts";
import { checkObject } from "../../core/check_object.ts";
import { checkRaw } from "../../kernel/arguments.ts";
import { cycleSums, rectangularToPolar, sincosColumns } from "../../kernel/phasor.ts";
import { rateFraction } from "../rate_fraction.ts";
import { type AngleOptions, checkPositive, inDegrees, type PolarColumns } from "./columns.ts";

/** Options of {@linkcode cyclePhasors} and {@linkcode cycleRms}. */
export interface CycleOptions extends AngleOptions {
  /** Nominal frequency, Hz: 50 or 60. */
  frequency: number;
  /** Samples a cycle, from 3: the sampling rate divided by the frequency. */
  samplesPerCycle: number;
  /** Samples from one result to the next. @default {samplesPerCycle} */
  step?: number | undefined;
}

/** Phasors of a wave, one a cycle. */
export interface CyclePhasors extends PolarColumns {
  /** The middle of each cycle, ns since the Unix epoch, UTC. */
  times: BigInt64Array;
  /** Cycles left out because samples are missing in them or their times are not even. */
  skipped: number;
}

/** RMS values of a wave, one a cycle. */
export interface CycleRms extends RawColumns {
  /** Cycles left out because samples are missing in them or their times are not even. */
  skipped: number;
}

/** Part of a sampling interval by which an interval, and a whole cycle, may be off. */
const UNEVEN = 0.5;
const SECOND = 1_000_000_000n;

/**
 * Phasors of one cycle each, by a discrete Fourier transform at the nominal frequency. Magnitudes are
 * RMS; angles are those of IEEE C37.118: 0 where the cosine of nominal frequency that has its
 * maximum at the full UTC second is the wave. Cycles with missing samples are left out and counted.
 *
 * @param columns Samples, times in ns ascending.
 * @param options Frequency and samples a cycle.
 * @throws {TypeError | RangeError} If an argument is wrong.
 *
 * @example A cosine that is 30° ahead
 * ```ts
 * import { cyclePhasors } from "@btrdb/btrdb/phasor";
 * import { assert } from "@std/assert";
 *
 * const times = BigInt64Array.from({ length: 40 }, (_, i) => BigInt(i) * 1_000_000n);
 * const values = Float64Array.from(times, (time) =>
 *   Math.SQRT2 * 230 * Math.cos(2 * Math.PI * 50 * Number(time) / 1e9 + Math.PI / 6));
 * const phasors = cyclePhasors({ times, values }, { frequency: 50, samplesPerCycle: 20 });
 * assert(Math.abs(phasors.magnitude[1]! - 230) < 1e-10);
 * assert(Math.abs(phasors.angle[1]! - 30) < 1e-10);
 * ```
 */
export function cyclePhasors(columns: RawColumns, options: CycleOptions): CyclePhasors {
  const action = "compute phasors";
  const degrees = inDegrees(action, options);
  const plan = planOf(action, columns, options);
  const { length, step, windows } = plan;
  const cycle = Float64Array.from({ length }, (_, k) => 360 * k / length);
  const [sine, cosine] = sincosColumns(cycle, true);
  const sums = cycleSums(columns.values, [cosine, sine], step, windows.count);
  const kept = windows.even;
  const scale = Math.SQRT2 / length;
  const real = Float64Array.from(kept, (w) => scale * sums.real[w]!);
  const imaginary = Float64Array.from(kept, (w) => scale * sums.imaginary[w]!);
  const [magnitude, own] = rectangularToPolar(real, imaginary, true);
  const angle = new Float64Array(kept.length);
  kept.forEach((w, i) => {
    const turned = own[i]! - 360 * phaseAt(columns.times[w * step]!, options.frequency);
    const signed = turned > 180 ? turned - 360 : turned <= -180 ? turned + 360 : turned;
    angle[i] = degrees ? signed : signed * (Math.PI / 180);
  });
  return { times: middles(columns.times, plan), magnitude, angle, skipped: plan.skipped };
}

/**
 * RMS values of one cycle each: the root of the mean square of its samples. Cycles with missing
 * samples are left out and counted.
 *
 * @param columns Samples, times in ns ascending.
 * @param options Frequency and samples a cycle.
 * @throws {TypeError | RangeError} If an argument is wrong.
 *
 * @example A sine of amplitude 2
 * ```ts
 * import { cycleRms } from "@btrdb/btrdb/phasor";
 * import { assert } from "@std/assert";
 *
 * const times = BigInt64Array.from({ length: 40 }, (_, i) => BigInt(i) * 1_000_000n);
 * const values = Float64Array.from(times, (_, i) => 2 * Math.sin(Math.PI * i / 10));
 * const { values: rms } = cycleRms({ times, values }, { frequency: 50, samplesPerCycle: 20 });
 * assert(Math.abs(rms[0]! - Math.SQRT2) < 1e-14);
 * ```
 */
export function cycleRms(columns: RawColumns, options: CycleOptions): CycleRms {
  const action = "compute RMS";
  const plan = planOf(action, columns, options);
  const none = new Float64Array(plan.length);
  const { squares } = cycleSums(columns.values, [none, none], plan.step, plan.windows.count);
  const values = Float64Array.from(
    plan.windows.even,
    (w) => Math.sqrt(squares[w]! / plan.length),
  );
  return { times: middles(columns.times, plan), values, skipped: plan.skipped };
}

interface Plan {
  length: number;
  step: number;
  /** ns of `length` sampling intervals. */
  cycle: number;
  windows: { count: number; even: number[] };
  skipped: number;
}

function planOf(action: string, columns: RawColumns, options: CycleOptions): Plan {
  checkObject(action, "options", options);
  checkRaw(action, columns);
  const { frequency, samplesPerCycle: length, step = length } = options;
  checkPositive(action, "frequency", frequency);
  if (!Number.isSafeInteger(length) || length < 3 || length > 1e6) {
    throw new RangeError(
      `Cannot ${action}: samplesPerCycle is ${
        describe(length)
      }, expected an integer from 3 to 1000000`,
    );
  }
  if (!Number.isSafeInteger(step) || step < 1) {
    throw new RangeError(
      `Cannot ${action}: step is ${describe(step)}, expected an integer from 1`,
    );
  }
  const { times } = columns;
  const cycle = 1e9 / frequency;
  const count = times.length < length ? 0 : Math.floor((times.length - length) / step) + 1;
  const interval = cycle / length;
  const uneven = unevenBefore(times, interval);
  const even: number[] = [];
  for (let w = 0; w < count; w++) {
    const from = w * step;
    const last = from + length - 1;
    const off = Number(times[last]! - times[from]!) - interval * (length - 1);
    if (uneven[last] === uneven[from] && Math.abs(off) <= UNEVEN * interval) even.push(w);
  }
  return { length, step, cycle, windows: { count, even }, skipped: count - even.length };
}

/** For each sample how many of the intervals up to it are not of the length that they should be. */
function unevenBefore(times: BigInt64Array, interval: number): Float64Array {
  const out = new Float64Array(times.length);
  for (let i = 1; i < times.length; i++) {
    const off = Number(times[i]! - times[i - 1]!) - interval;
    out[i] = out[i - 1]! + (Math.abs(off) <= UNEVEN * interval ? 0 : 1);
  }
  return out;
}

/** The part of a turn that the nominal cosine has made at a moment, 0 to 1. */
function phaseAt(time: bigint, frequency: number): number {
  const { count, seconds } = rateFraction(frequency);
  const turn = SECOND * seconds;
  const part = (time * count) % turn;
  return Number(part < 0n ? part + turn : part) / Number(turn);
}

function middles(times: BigInt64Array, { step, cycle, windows, length }: Plan): BigInt64Array {
  const half = BigInt(Math.round(cycle * (length - 1) / length / 2));
  return BigInt64Array.from(windows.even, (w) => times[w * step]! + half);
}
