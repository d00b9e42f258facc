/**
 * Plain loops for phasors, one number at a time.
 *
 * @module
 */

import type { PolarColumns, RectangularColumns } from "@btrdb/btrdb/phasor";

const RADIANS = Math.PI / 180;

/** Real and imaginary parts; angles in radians times `unit`. */
export function plainRectangular(
  { magnitude, angle }: PolarColumns,
  unit: number = RADIANS,
): RectangularColumns {
  const real = new Float64Array(angle.length), imaginary = new Float64Array(angle.length);
  for (let i = 0; i < angle.length; i++) {
    real[i] = magnitude[i]! * Math.cos(angle[i]! * unit);
    imaginary[i] = magnitude[i]! * Math.sin(angle[i]! * unit);
  }
  return { real, imaginary };
}

/** Magnitudes and angles. */
export function plainPolar(
  { real, imaginary }: RectangularColumns,
  unit: number = RADIANS,
): PolarColumns {
  const magnitude = new Float64Array(real.length), angle = new Float64Array(real.length);
  for (let i = 0; i < real.length; i++) {
    magnitude[i] = Math.hypot(real[i]!, imaginary[i]!);
    angle[i] = Math.atan2(imaginary[i]!, real[i]!) / unit;
  }
  return { magnitude, angle };
}

/** Active, reactive and apparent power, and power factors. */
export function plainPower(
  voltage: PolarColumns,
  current: PolarColumns,
  unit: number = RADIANS,
): [
  active: Float64Array,
  reactive: Float64Array,
  apparent: Float64Array,
  powerFactor: Float64Array,
] {
  const n = voltage.angle.length;
  const [active, reactive, apparent, powerFactor] = [0, 0, 0, 0].map(() => new Float64Array(n));
  for (let i = 0; i < n; i++) {
    const s = voltage.magnitude[i]! * current.magnitude[i]!;
    const angle = (voltage.angle[i]! - current.angle[i]!) * unit;
    active![i] = s * Math.cos(angle);
    reactive![i] = s * Math.sin(angle);
    apparent![i] = s;
    powerFactor![i] = active![i]! / s;
  }
  return [active!, reactive!, apparent!, powerFactor!];
}

/** Zero, positive and negative sequence, by the matrix. */
export function plainSequences(
  phases: readonly PolarColumns[],
  unit: number = RADIANS,
): PolarColumns[] {
  const [a, b, c] = phases.map((phase) => plainRectangular(phase, unit));
  const turn = { x: -0.5, y: Math.sqrt(3) / 2 };
  const n = a!.real.length;
  return [0, 1, 2].map((sequence) => {
    const real = new Float64Array(n), imaginary = new Float64Array(n);
    const [fb, fc] = sequence === 0
      ? [{ x: 1, y: 0 }, { x: 1, y: 0 }]
      : sequence === 1
      ? [turn, { x: turn.x, y: -turn.y }]
      : [{ x: turn.x, y: -turn.y }, turn];
    for (let i = 0; i < n; i++) {
      const [bx, by, cx, cy] = [b!.real[i]!, b!.imaginary[i]!, c!.real[i]!, c!.imaginary[i]!];
      real[i] = (a!.real[i]! + fb.x * bx - fb.y * by + fc.x * cx - fc.y * cy) / 3;
      imaginary[i] = (a!.imaginary[i]! + fb.x * by + fb.y * bx + fc.x * cy + fc.y * cx) / 3;
    }
    return plainPolar({ real, imaginary }, unit);
  });
}
