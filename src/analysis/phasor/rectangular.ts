/**
 * Polar and rectangular form of phasors.
 *
 * @module
 */

import { polarToRectangular, rectangularToPolar, sincosColumns } from "../../kernel/phasor.ts";
import {
  type AngleOptions,
  checkColumns,
  inDegrees,
  type PolarColumns,
  polarOf,
  type RectangularColumns,
} from "./columns.ts";

/** Sine and cosine of angles. */
export interface SineColumns {
  /** Sines. */
  sine: Float64Array;
  /** Cosines. */
  cosine: Float64Array;
}

/**
 * Sine and cosine of each angle, to 1 ulp; in degrees multiples of 90 are exact.
 *
 * @param angles Angles.
 * @throws {TypeError | RangeError} If an argument is wrong.
 *
 * @example Exact where it can be
 * ```ts
 * import { sincos } from "@btrdb/btrdb/phasor";
 * import { assertEquals } from "@std/assert";
 *
 * const { sine, cosine } = sincos(Float64Array.of(0, 90, 180));
 * assertEquals([...sine].map((value) => value + 0), [0, 1, 0]);
 * assertEquals([...cosine].map((value) => value + 0), [1, 0, -1]);
 * ```
 */
export function sincos(angles: Float64Array, options: AngleOptions = {}): SineColumns {
  const action = "compute sines";
  checkColumns(action, { angles });
  const [sine, cosine] = sincosColumns(angles, inDegrees(action, options));
  return { sine, cosine };
}

/**
 * Real and imaginary parts of phasors.
 *
 * @param phasors Magnitudes and angles.
 * @throws {TypeError | RangeError} If an argument is wrong.
 *
 * @example Three phasors
 * ```ts
 * import { toRectangular } from "@btrdb/btrdb/phasor";
 * import { assertEquals } from "@std/assert";
 *
 * const phasors = { magnitude: Float64Array.of(2, 2), angle: Float64Array.of(0, 90) };
 * const { real, imaginary } = toRectangular(phasors);
 * assertEquals([[...real], [...imaginary]], [[2, 0], [0, 2]]);
 * ```
 */
export function toRectangular(
  phasors: PolarColumns,
  options: AngleOptions = {},
): RectangularColumns {
  const action = "make phasors rectangular";
  checkColumns(action, polarOf("phasors", phasors));
  const { magnitude, angle } = phasors;
  const [real, imaginary] = polarToRectangular(magnitude, angle, inDegrees(action, options));
  return { real, imaginary };
}

/**
 * Magnitudes and angles of phasors, angles from −180° to 180°.
 *
 * @param phasors Real and imaginary parts.
 * @throws {TypeError | RangeError} If an argument is wrong.
 *
 * @example There and back
 * ```ts
 * import { toPolar } from "@btrdb/btrdb/phasor";
 * import { assertEquals } from "@std/assert";
 *
 * const { magnitude, angle } = toPolar({
 *   real: Float64Array.of(3, 0),
 *   imaginary: Float64Array.of(4, -2),
 * });
 * assertEquals([...magnitude], [5, 2]);
 * assertEquals(angle[1], -90);
 * ```
 */
export function toPolar(phasors: RectangularColumns, options: AngleOptions = {}): PolarColumns {
  const action = "make phasors polar";
  checkColumns(action, {
    "phasors.real": phasors?.real,
    "phasors.imaginary": phasors?.imaginary,
  });
  const { real, imaginary } = phasors;
  const [magnitude, angle] = rectangularToPolar(real, imaginary, inDegrees(action, options));
  return { magnitude, angle };
}
