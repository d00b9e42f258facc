/**
 * Phasors on plain columns: angles, frequency, power, symmetrical components, and one-cycle values of
 * waves, usable without any database. Sines, cosines and angles of vectors are computed in
 * WebAssembly, two at a time.
 *
 * Angles are in degrees unless `unit` says `"radians"`; times are ns since the Unix epoch, UTC. Inputs
 * are not changed, results belong to the caller. NaN gives NaN.
 *
 * @example The angle between two buses, and the power that flows
 * ```ts
 * import { angleDifference, powerOf } from "@btrdb/btrdb/phasor";
 * import { assertEquals } from "@std/assert";
 *
 * const voltage = { magnitude: Float64Array.of(230, 231), angle: Float64Array.of(10, 12) };
 * const current = { magnitude: Float64Array.of(5, 5), angle: Float64Array.of(10, -48) };
 * assertEquals([...angleDifference(voltage.angle, current.angle)], [0, 60]);
 * assertEquals(powerOf(voltage, current).active[0], 1150);
 * ```
 *
 * @module
 */

export {
  angleDifference,
  unwrapAngles,
  type UnwrapOptions,
  wrapAngles,
  type WrapOptions,
} from "./phasor/angles.ts";
export type {
  AngleOptions,
  AngleUnit,
  PolarColumns,
  RectangularColumns,
} from "./phasor/columns.ts";
export {
  type CycleOptions,
  type CyclePhasors,
  cyclePhasors,
  type CycleRms,
  cycleRms,
} from "./phasor/cycle.ts";
export {
  type DerivativeOptions,
  frequencyOf,
  type FrequencyOptions,
  rocofOf,
} from "./phasor/frequency.ts";
export { type PowerColumns, powerOf, type PowerOptions } from "./phasor/power.ts";
export { sincos, type SineColumns, toPolar, toRectangular } from "./phasor/rectangular.ts";
export { perUnit, type SymmetricalComponents, symmetricalComponents } from "./phasor/sequence.ts";
export type { RawColumns } from "../core/columns.ts";
