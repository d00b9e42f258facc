/**
 * Frequency and its rate of change from synchrophasor angles.
 *
 * @module
 */

import { describe } from "../../core/describe.ts";
import type { RawColumns } from "../../core/columns.ts";
import { checkObject } from "../../core/check_object.ts";
import { checkRaw } from "../../kernel/arguments.ts";
import { wrapped } from "./angles.ts";
import { type AngleOptions, checkPositive, halfTurn } from "./columns.ts";

/** Options of derivatives. */
export interface DerivativeOptions {
  /**
   * A distance of more ns than this is a gap, across which nothing is computed.
   *
   * @default {undefined} one and a half times the median distance
   */
  over?: bigint | undefined;
}

/** Options of {@linkcode frequencyOf}. */
export interface FrequencyOptions extends AngleOptions, DerivativeOptions {
  /** Frequency at which the angle stands still, Hz: 50 or 60. */
  nominal: number;
}

/**
 * Frequency from the angles of a synchrophasor: the nominal frequency plus the slope of the angle,
 * across the neighbours on both sides where there are any, else to the one there is. A value has NaN
 * where it has no neighbour, and where an angle is NaN. From one angle to the next may be less than
 * half a turn: at 50 frames a second, frequencies up to 25 Hz away from the nominal one.
 *
 * @param columns Times in ns, strictly ascending, and angles.
 * @param options Nominal frequency, unit and longest distance.
 * @returns Frequency in Hz at the same times.
 * @throws {TypeError | RangeError} If an argument is wrong, or times are not ascending.
 *
 * @example Half a hertz below
 * ```ts
 * import { frequencyOf } from "@btrdb/btrdb/phasor";
 * import { assertEquals } from "@std/assert";
 *
 * const times = BigInt64Array.of(0n, 20_000_000n, 40_000_000n, 60_000_000n);
 * const values = Float64Array.of(3.6, 0, -3.6, -7.2);
 * const { values: hertz } = frequencyOf({ times, values }, { nominal: 60 });
 * assertEquals([...hertz].map((value) => value.toFixed(9)), Array(4).fill("59.500000000"));
 * ```
 */
export function frequencyOf(columns: RawColumns, options: FrequencyOptions): RawColumns {
  const action = "compute frequency";
  const half = halfTurn(action, options);
  checkPositive(action, "nominal", options.nominal);
  const slope = derivative(action, columns, options, (after, before) => {
    return wrapped(after - before, half);
  });
  const turn = 2 * half;
  for (let i = 0; i < slope.length; i++) slope[i] = options.nominal + slope[i]! / turn;
  return { times: columns.times.slice(), values: slope };
}

/**
 * Rate of change of frequency (ROCOF): the slope of a frequency, as {@linkcode frequencyOf} takes it.
 *
 * @param columns Times in ns, strictly ascending, and frequencies in Hz.
 * @param options Longest distance.
 * @returns Hz/s at the same times; NaN where there is no neighbour.
 * @throws {TypeError | RangeError} If an argument is wrong, or times are not ascending.
 *
 * @example A tenth of a hertz a second
 * ```ts
 * import { rocofOf } from "@btrdb/btrdb/phasor";
 * import { assertEquals } from "@std/assert";
 *
 * const times = BigInt64Array.of(0n, 1_000_000_000n, 2_000_000_000n);
 * const values = Float64Array.of(60, 60.125, 60.25);
 * assertEquals([...rocofOf({ times, values }).values], [0.125, 0.125, 0.125]);
 * ```
 */
export function rocofOf(columns: RawColumns, options: DerivativeOptions = {}): RawColumns {
  const values = derivative("compute ROCOF", columns, options, (after, before) => after - before);
  return { times: columns.times.slice(), values };
}

/** Slopes per second, gap-aware. */
function derivative(
  action: string,
  columns: RawColumns,
  options: DerivativeOptions,
  step: (after: number, before: number) => number,
): Float64Array {
  checkObject(action, "options", options);
  const { over } = options;
  checkRaw(action, columns);
  if (over !== undefined && (typeof over !== "bigint" || over < 1n)) {
    throw new RangeError(`Cannot ${action}: over is ${describe(over)}, expected a bigint from 1`);
  }
  const { times, values } = columns;
  const n = times.length;
  const out = new Float64Array(n).fill(NaN);
  const distances = distancesOf(action, times);
  const longest = over === undefined ? 1.5 * medianOf(distances) : Number(over);
  let distanceBefore = Infinity, stepBefore = NaN;
  for (let i = 0; i < n; i++) {
    const distance = i + 1 < n ? distances[i]! : Infinity;
    const stepAfter = distance <= longest ? step(values[i + 1]!, values[i]!) : NaN;
    const [hasBefore, hasAfter] = [!Number.isNaN(stepBefore), !Number.isNaN(stepAfter)];
    if (hasBefore && hasAfter) {
      out[i] = (stepBefore + stepAfter) / (distanceBefore + distance) * 1e9;
    } else if (hasAfter) out[i] = stepAfter / distance * 1e9;
    else if (hasBefore) out[i] = stepBefore / distanceBefore * 1e9;
    [distanceBefore, stepBefore] = [distance, stepAfter];
  }
  return out;
}

/** Distances in ns, exact below 2^53. */
function distancesOf(action: string, times: BigInt64Array): Float64Array {
  const out = new Float64Array(Math.max(0, times.length - 1));
  for (let i = 0; i < out.length; i++) {
    const distance = times[i + 1]! - times[i]!;
    if (distance <= 0n) {
      throw new RangeError(
        `Cannot ${action}: times[${i + 1}] is ${times[i + 1]}, expected after ${
          times[i]
        }, the one ` +
          `before it`,
      );
    }
    out[i] = Number(distance);
  }
  return out;
}

function medianOf(distances: Float64Array): number {
  return distances.length === 0 ? Infinity : distances.slice().sort()[(distances.length - 1) >> 1]!;
}
