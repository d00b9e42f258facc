/**
 * Symmetrical components, and values in per unit.
 *
 * @module
 */

import { symmetricalColumns } from "../../kernel/phasor.ts";
import {
  type AngleOptions,
  checkColumns,
  checkPositive,
  inDegrees,
  type PolarColumns,
  polarOf,
} from "./columns.ts";

/** Symmetrical components of three phases. */
export interface SymmetricalComponents {
  /** Zero sequence. */
  zero: PolarColumns;
  /** Positive sequence, of phases a, b, c in this order. */
  positive: PolarColumns;
  /** Negative sequence. */
  negative: PolarColumns;
}

/**
 * Symmetrical components of three phases (Fortescue 1918).
 *
 * @param a Phasors of the first phase.
 * @param b Phasors of the second one, 120° behind it in a balanced system.
 * @param c Phasors of the third one.
 * @throws {TypeError | RangeError} If an argument is wrong.
 *
 * @example A balanced system has a positive sequence only
 * ```ts
 * import { symmetricalComponents } from "@btrdb/btrdb/phasor";
 * import { assert } from "@std/assert";
 *
 * const phase = (angle: number) => ({
 *   magnitude: Float64Array.of(230),
 *   angle: Float64Array.of(angle),
 * });
 * const { zero, positive, negative } = symmetricalComponents(phase(0), phase(-120), phase(120));
 * assert(Math.abs(positive.magnitude[0]! - 230) < 1e-12);
 * assert(zero.magnitude[0]! < 1e-12 && negative.magnitude[0]! < 1e-12);
 * ```
 */
export function symmetricalComponents(
  a: PolarColumns,
  b: PolarColumns,
  c: PolarColumns,
  options: AngleOptions = {},
): SymmetricalComponents {
  const action = "compute symmetrical components";
  checkColumns(action, { ...polarOf("a", a), ...polarOf("b", b), ...polarOf("c", c) });
  const columns = [a, b, c].flatMap(({ magnitude, angle }) => [magnitude, angle]);
  const out = symmetricalColumns(columns, inDegrees(action, options));
  const phasors = (at: number): PolarColumns => ({ magnitude: out[at]!, angle: out[at + 1]! });
  return { zero: phasors(0), positive: phasors(2), negative: phasors(4) };
}

/**
 * Values in per unit of a base.
 *
 * @param values Values.
 * @param base Value of 1 per unit, in the unit of the values.
 * @throws {TypeError | RangeError} If an argument is wrong.
 *
 * @example Of 132 kV
 * ```ts
 * import { perUnit } from "@btrdb/btrdb/phasor";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([...perUnit(Float64Array.of(66_000, 132_000), 132_000)], [0.5, 1]);
 * ```
 */
export function perUnit(values: Float64Array, base: number): Float64Array {
  const action = "compute per unit";
  checkColumns(action, { values });
  checkPositive(action, "base", base);
  const out = new Float64Array(values.length);
  for (let i = 0; i < out.length; i++) out[i] = values[i]! / base;
  return out;
}
