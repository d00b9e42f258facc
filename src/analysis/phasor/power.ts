/**
 * Power from phasors.
 *
 * @module
 */

import { describe } from "../../core/describe.ts";
import { powerColumns } from "../../kernel/phasor.ts";
import {
  type AngleOptions,
  checkColumns,
  inDegrees,
  type PolarColumns,
  polarOf,
} from "./columns.ts";

/** Options of {@linkcode powerOf}. */
export interface PowerOptions extends AngleOptions {
  /**
   * 1 for one phase; 3 for all three of a balanced system, from voltages to neutral or positive
   * sequences.
   *
   * @default {1}
   */
  phases?: 1 | 3 | undefined;
}

/** Power, in W, var and VA where voltages are in V and currents in A. */
export interface PowerColumns {
  /** Active power P. */
  active: Float64Array;
  /** Reactive power Q, above 0 where the current is behind the voltage. */
  reactive: Float64Array;
  /** Apparent power S. */
  apparent: Float64Array;
  /** Power factor P/S, −1 to 1; NaN where S is 0. */
  powerFactor: Float64Array;
}

/**
 * Active, reactive and apparent power and the power factor of voltages and currents (RMS values):
 * S = V·I, P = S·cos φ, Q = S·sin φ with φ from the current to the voltage.
 *
 * @param voltage Phasors of the voltage.
 * @param current Phasors of the current, at the same moments.
 * @throws {TypeError | RangeError} If an argument is wrong.
 *
 * @example A current that is 90° behind
 * ```ts
 * import { powerOf } from "@btrdb/btrdb/phasor";
 * import { assertEquals } from "@std/assert";
 *
 * const voltage = { magnitude: Float64Array.of(230), angle: Float64Array.of(0) };
 * const current = { magnitude: Float64Array.of(10), angle: Float64Array.of(-90) };
 * const { active, reactive, apparent } = powerOf(voltage, current);
 * assertEquals([active[0], reactive[0], apparent[0]], [0, 2300, 2300]);
 * ```
 */
export function powerOf(
  voltage: PolarColumns,
  current: PolarColumns,
  options: PowerOptions = {},
): PowerColumns {
  const action = "compute power";
  checkColumns(action, { ...polarOf("voltage", voltage), ...polarOf("current", current) });
  const degrees = inDegrees(action, options);
  const { phases = 1 } = options;
  if (phases !== 1 && phases !== 3) {
    throw new RangeError(`Cannot ${action}: phases is ${describe(phases)}, expected 1 or 3`);
  }
  const columns = [voltage.magnitude, voltage.angle, current.magnitude, current.angle];
  const [active, reactive, apparent, powerFactor] = powerColumns(
    columns,
    degrees,
    phases,
  );
  return { active, reactive, apparent, powerFactor };
}
