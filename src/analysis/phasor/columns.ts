/**
 * Columns of phasors, and checks of the arguments.
 *
 * @module
 */

import { describe } from "../../core/describe.ts";
import { checkObject } from "../../core/check_object.ts";
import { checkColumn } from "../../kernel/arguments.ts";

/** Unit of angles. */
export type AngleUnit = "degrees" | "radians";

/** Options of everything that takes or gives angles. */
export interface AngleOptions {
  /** Unit of all angles. @default {"degrees"} */
  unit?: AngleUnit | undefined;
}

/** Phasors in polar form, element `i` of each column belonging to phasor `i`. */
export interface PolarColumns {
  /** Magnitudes, in the unit of the quantity. */
  magnitude: Float64Array;
  /** Angles. */
  angle: Float64Array;
}

/** Phasors in rectangular form. */
export interface RectangularColumns {
  /** Real parts. */
  real: Float64Array;
  /** Imaginary parts. */
  imaginary: Float64Array;
}

/** Half a turn. */
const HALF_TURN: Readonly<Record<AngleUnit, number>> = { degrees: 180, radians: Math.PI };

/**
 * Half a turn in the unit of the options.
 *
 * @throws {TypeError} If the options are no object.
 * @throws {RangeError} If the unit is none.
 */
export function halfTurn(action: string, options: AngleOptions): number {
  checkObject(action, "options", options);
  const { unit = "degrees" } = options;
  const half = Object.hasOwn(HALF_TURN, unit) ? HALF_TURN[unit] : undefined;
  if (half === undefined) {
    throw new RangeError(
      `Cannot ${action}: unit is ${describe(unit)}, expected "degrees" or "radians"`,
    );
  }
  return half;
}

/** Tells whether angles are in degrees. */
export function inDegrees(action: string, options: AngleOptions): boolean {
  return halfTurn(action, options) === 180;
}

/**
 * Checks columns of doubles that belong together.
 *
 * @throws {TypeError} If one is no `Float64Array`, or its buffer was transferred away.
 * @throws {RangeError} If one is not as long as the first.
 */
export function checkColumns(action: string, columns: Readonly<Record<string, unknown>>): void {
  let first: { name: string; length: number } | undefined;
  for (const [name, column] of Object.entries(columns)) {
    checkColumn(action, name, column, Float64Array, undefined);
    const { length } = column as Float64Array;
    first ??= { name, length };
    if (length !== first.length) {
      throw new RangeError(
        `Cannot ${action}: ${name} has ${length} elements, expected ${first.length} as ` +
          `${first.name} has`,
      );
    }
  }
}

/** The columns of phasors by name, for {@linkcode checkColumns}. */
export function polarOf(name: string, phasors: PolarColumns): Record<string, unknown> {
  return {
    [`${name}.magnitude`]: phasors?.magnitude,
    [`${name}.angle`]: phasors?.angle,
  };
}

/** Checks a finite number above 0. */
export function checkPositive(action: string, name: string, value: unknown): void {
  if (typeof value === "number" && value > 0 && value < Infinity) return;
  throw new RangeError(
    `Cannot ${action}: ${name} is ${describe(value)}, expected a finite number above 0`,
  );
}
