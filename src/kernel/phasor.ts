/**
 * Phasor kernels on columns: pieces go through the arena one after the other.
 *
 * @module
 */

import { columnBytes } from "./arena.ts";
import { extendedArena } from "./extended_arena.ts";
import { type PhasorArena, phasorArena } from "./phasor_arena.ts";

/** Elements of each column in the arena at a time. */
const PIECE = 4096;

type Run = (
  memory: PhasorArena,
  inputs: number,
  column: number,
  outputs: number,
  n: number,
) => void;

/** Applies a kernel to equally long columns, piece by piece; each output is a new column. */
function mapColumns(inputs: readonly Float64Array[], outputs: number, run: Run): Float64Array[] {
  const { length } = inputs[0]!;
  const results = Array.from({ length: outputs }, () => new Float64Array(length));
  const column = columnBytes(Math.min(PIECE, length) + 1);
  for (let from = 0; from < length; from += PIECE) {
    const n = Math.min(PIECE, length - from);
    const memory = phasorArena((inputs.length + outputs) * column);
    const { base, f64 } = memory;
    inputs.forEach((input, c) => {
      const at = (base + c * column) >>> 3;
      f64.set(input.subarray(from, from + n), at);
      f64[at + n] = 0;
    });
    const to = base + inputs.length * column;
    run(memory, base, column, to, n);
    results.forEach((result, c) => {
      const at = (to + c * column) >>> 3;
      result.set(f64.subarray(at, at + n), from);
    });
  }
  return results;
}

/** Sine and cosine of each angle. */
export function sincosColumns(
  angles: Float64Array,
  degrees: boolean,
): [sine: Float64Array, cosine: Float64Array] {
  const [sine, cosine] = mapColumns([angles], 2, ({ exports }, from, column, to, n) => {
    exports.sincosColumns(from, n, degrees, to, to + column);
  });
  if (!degrees) correctLarge(angles, sine!, cosine!);
  return [sine!, cosine!];
}

/** Angles of this size the kernel reduces to 3 ulp only, rarely; in degrees it is exact at any size. */
const LARGE = 2 ** 20;

function correctLarge(angles: Float64Array, sine: Float64Array, cosine: Float64Array): void {
  for (let i = 0; i < angles.length; i++) {
    const angle = angles[i]!;
    if (angle < LARGE && angle > -LARGE) continue;
    sine[i] = Math.sin(angle);
    cosine[i] = Math.cos(angle);
  }
}

/** Real and imaginary part of each phasor. */
export function polarToRectangular(
  magnitude: Float64Array,
  angle: Float64Array,
  degrees: boolean,
): [real: Float64Array, imaginary: Float64Array] {
  const run: Run = ({ exports }, from, column, to, n) => {
    exports.polarToRectangular(from, from + column, n, degrees, to, to + column);
  };
  const [real, imaginary] = mapColumns([magnitude, angle], 2, run);
  return [real!, imaginary!];
}

/** Magnitude and angle of each phasor. */
export function rectangularToPolar(
  real: Float64Array,
  imaginary: Float64Array,
  degrees: boolean,
): [magnitude: Float64Array, angle: Float64Array] {
  const run: Run = ({ exports }, from, column, to, n) => {
    exports.rectangularToPolar(from, from + column, n, degrees, to, to + column);
  };
  const [magnitude, angle] = mapColumns([real, imaginary], 2, run);
  return [magnitude!, angle!];
}

/**
 * Active, reactive and apparent power, and the power factor.
 *
 * @param columns Magnitude and angle of the voltage, then of the current.
 */
export function powerColumns(
  columns: readonly Float64Array[],
  degrees: boolean,
  factor: number,
): [
  active: Float64Array,
  reactive: Float64Array,
  apparent: Float64Array,
  powerFactor: Float64Array,
] {
  const run: Run = ({ exports }, from, column, to, n) => {
    exports.powerColumns(
      from,
      from + column,
      from + 2 * column,
      from + 3 * column,
      n,
      degrees,
      factor,
      to,
      to + column,
      to + 2 * column,
      to + 3 * column,
    );
  };
  const [active, reactive, apparent, powerFactor] = mapColumns(columns, 4, run);
  return [active!, reactive!, apparent!, powerFactor!];
}

/**
 * Zero, positive and negative sequence.
 *
 * @param columns Magnitude and angle of a, b and c.
 * @returns Magnitude and angle of zero, positive and negative sequence.
 */
export function symmetricalColumns(
  columns: readonly Float64Array[],
  degrees: boolean,
): Float64Array[] {
  return mapColumns(columns, 6, ({ exports }, from, column, to, n) => {
    exports.symmetricalColumns(from, column, n, degrees, to);
  });
}

/** Sums over windows of a wave. */
export interface CycleSums {
  /** Sum of samples times cosines. */
  real: Float64Array;
  /** Sum of samples times minus sines. */
  imaginary: Float64Array;
  /** Sum of squares. */
  squares: Float64Array;
}

/**
 * Sums over windows of as many samples as a table has, `step` samples apart, the first from the
 * first sample on.
 *
 * @param windows Number of windows; all lie within the samples.
 */
export function cycleSums(
  values: Float64Array,
  [cosine, sine]: readonly [Float64Array, Float64Array],
  step: number,
  windows: number,
): CycleSums {
  const { length } = cosine;
  const sums: CycleSums = {
    real: new Float64Array(windows),
    imaginary: new Float64Array(windows),
    squares: new Float64Array(windows),
  };
  const table = columnBytes(length);
  const perPiece = Math.max(1, Math.floor((4 * PIECE) / step));
  for (let from = 0; from < windows; from += perPiece) {
    const n = Math.min(perPiece, windows - from);
    const samples = (n - 1) * step + length;
    const out = columnBytes(n);
    const memory = extendedArena(columnBytes(samples) + 2 * table + 3 * out);
    const { base, exports, f64 } = memory;
    f64.set(values.subarray(from * step, from * step + samples), base >>> 3);
    const tables = base + columnBytes(samples);
    f64.set(cosine, tables >>> 3);
    f64.set(sine, (tables + table) >>> 3);
    const to = tables + 2 * table;
    exports.cycleSums(base, length, step, n, tables, tables + table, to, to + out, to + 2 * out);
    [sums.real, sums.imaginary, sums.squares].forEach((column, c) => {
      const at = (to + c * out) >>> 3;
      column.set(f64.subarray(at, at + n), from);
    });
  }
  return sums;
}
