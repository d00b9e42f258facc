// Phasors as columns: sine and cosine, polar and rectangular form, power, symmetrical components, and
// sums over the samples of a wave. Columns are 16-byte aligned and `n` is rounded up to an even number
// by the caller, who lays out room for it.

import { atan2Of, exactAtan2Of } from "./atan2";
import { madd, nmadd } from "./fused";
import { cosines, sincosOf, sincosOfDegrees, sines } from "./sincos";

/** Constants, each twice, as in sincos.ts. */
const TABLE: usize = memory.data<f64>([
  5.72957795130823228647e+01, 5.72957795130823228647e+01,
  1e-280, 1e-280,
  1e280, 1e280,
  3, 3,
  0.5, 0.5,
  8.66025403784438707611e-01, 8.66025403784438707611e-01,
], 16);
const DEGREES: usize = 0; // 180/pi
const TINY: usize = 16;
const HUGE: usize = 32;
const THREE: usize = 48;
const HALF: usize = 64;
const ROOT: usize = 80; // half of the square root of 3

@inline
function k(constant: usize): v128 {
  return v128.load(TABLE + constant);
}

/** Sine and cosine of two angles, in the unit that `degrees` says. */
@inline
function trig(x: v128, degrees: bool): void {
  if (degrees) sincosOfDegrees(x);
  else sincosOf(x);
}

/**
 * Lengths of two vectors, a third of them if `third`, and their angles, to `length` and `angle`. Vectors
 * that are very small, very large or not finite are computed apart.
 */
@inline
function polarTo(y: v128, x: v128, third: bool, degrees: bool, length: usize, angle: usize): void {
  const squares = madd(x, x, f64x2.mul(y, y));
  const root = f64x2.sqrt(squares);
  v128.store(length, third ? f64x2.div(root, k(THREE)) : root);
  const radians = atan2Of(y, x);
  v128.store(angle, degrees ? f64x2.mul(radians, k(DEGREES)) : radians);
  const usual = v128.and(f64x2.gt(squares, k(TINY)), f64x2.lt(squares, k(HUGE)));
  if (!i64x2.all_true(usual)) oneByOne(y, x, third, degrees, usual, length, angle);
}

/** The lanes that are not usual; a result must not depend on what stands beside it. */
function oneByOne(
  y: v128, x: v128, third: bool, degrees: bool, usual: v128, length: usize, angle: usize,
): void {
  const radians = exactAtan2Of(y, x);
  const angles = degrees ? f64x2.mul(radians, k(DEGREES)) : radians;
  if (third) {
    y = f64x2.div(y, k(THREE));
    x = f64x2.div(x, k(THREE));
  }
  const lengths = f64x2(
    NativeMath.hypot(f64x2.extract_lane(x, 0), f64x2.extract_lane(y, 0)),
    NativeMath.hypot(f64x2.extract_lane(x, 1), f64x2.extract_lane(y, 1)),
  );
  v128.store(length, v128.bitselect(v128.load(length), lengths, usual));
  v128.store(angle, v128.bitselect(v128.load(angle), angles, usual));
}

/** Sines and cosines of `n` angles. */
export function sincosColumns(angles: usize, n: usize, degrees: bool, sine: usize, cosine: usize): void {
  for (let i: usize = 0, end = n << 3; i < end; i += 16) {
    trig(v128.load(angles + i), degrees);
    v128.store(sine + i, sines());
    v128.store(cosine + i, cosines());
  }
}

/** Real and imaginary parts of `n` phasors. */
export function polarToRectangular(
  magnitude: usize, angle: usize, n: usize, degrees: bool, real: usize, imaginary: usize,
): void {
  for (let i: usize = 0, end = n << 3; i < end; i += 16) {
    trig(v128.load(angle + i), degrees);
    const m = v128.load(magnitude + i);
    v128.store(real + i, f64x2.mul(m, cosines()));
    v128.store(imaginary + i, f64x2.mul(m, sines()));
  }
}

/** Magnitudes and angles of `n` phasors. */
export function rectangularToPolar(
  real: usize, imaginary: usize, n: usize, degrees: bool, magnitude: usize, angle: usize,
): void {
  for (let i: usize = 0, end = n << 3; i < end; i += 16) {
    const x = v128.load(real + i), y = v128.load(imaginary + i);
    polarTo(y, x, false, degrees, magnitude + i, angle + i);
  }
}

/** Active, reactive and apparent power of `n` pairs of phasors, times `factor`, and power factors. */
export function powerColumns(
  voltage: usize, voltageAngle: usize, current: usize, currentAngle: usize, n: usize, degrees: bool,
  factor: f64, active: usize, reactive: usize, apparent: usize, powerFactor: usize,
): void {
  const f = f64x2.splat(factor);
  for (let i: usize = 0, end = n << 3; i < end; i += 16) {
    trig(f64x2.sub(v128.load(voltageAngle + i), v128.load(currentAngle + i)), degrees);
    const s = f64x2.mul(f, f64x2.mul(v128.load(voltage + i), v128.load(current + i)));
    const p = f64x2.mul(s, cosines());
    v128.store(active + i, p);
    v128.store(powerFactor + i, f64x2.div(p, s));
    v128.store(reactive + i, f64x2.mul(s, sines()));
    v128.store(apparent + i, s);
  }
}

/**
 * Zero, positive and negative sequence of `n` sets of three phasors (Fortescue 1918).
 *
 * @param from Six columns `column` bytes apart: magnitude and angle of a, b, c.
 * @param to Six columns alike: magnitude and angle of zero, positive, negative sequence.
 */
export function symmetricalColumns(from: usize, column: usize, n: usize, degrees: bool, to: usize): void {
  for (let i: usize = 0, end = n << 3; i < end; i += 16) {
    const p = from + i;
    trig(v128.load(p + column), degrees);
    const a = v128.load(p);
    const ax = f64x2.mul(a, cosines()), ay = f64x2.mul(a, sines());
    trig(v128.load(p + 3 * column), degrees);
    const b = v128.load(p + 2 * column);
    const bx = f64x2.mul(b, cosines()), by = f64x2.mul(b, sines());
    trig(v128.load(p + 5 * column), degrees);
    const c = v128.load(p + 4 * column);
    const cx = f64x2.mul(c, cosines()), cy = f64x2.mul(c, sines());
    // a + h b + h* c with h = -1/2 + i root: a - (b + c) / 2 + i root (b - c). Their thirds are taken of
    // the lengths.
    const sumX = f64x2.add(bx, cx), sumY = f64x2.add(by, cy);
    const restX = nmadd(k(HALF), sumX, ax), restY = nmadd(k(HALF), sumY, ay);
    const turnX = f64x2.mul(k(ROOT), f64x2.sub(cy, by)), turnY = f64x2.mul(k(ROOT), f64x2.sub(bx, cx));
    const q = to + i;
    polarTo(f64x2.add(ay, sumY), f64x2.add(ax, sumX), true, degrees, q, q + column);
    polarTo(f64x2.add(restY, turnY), f64x2.add(restX, turnX), true, degrees, q + 2 * column, q + 3 * column);
    polarTo(f64x2.sub(restY, turnY), f64x2.sub(restX, turnX), true, degrees, q + 4 * column, q + 5 * column);
  }
}

/**
 * For `n` windows of `length` samples, `step` samples apart: the sums of the samples times the
 * cosines and times minus the sines of a table, and the sum of their squares.
 */
export function cycleSums(
  values: usize, length: usize, step: usize, n: usize, cosine: usize, sine: usize,
  real: usize, imaginary: usize, squares: usize,
): void {
  for (let w: usize = 0; w < n; w++) {
    const p = values + ((w * step) << 3);
    let x = f64x2.splat(0), y = x, s = x;
    let i: usize = 0;
    for (const end = (length & ~1) << 3; i < end; i += 16) {
      const v = v128.load(p + i);
      x = f64x2.add(x, f64x2.mul(v, v128.load(cosine + i)));
      y = f64x2.sub(y, f64x2.mul(v, v128.load(sine + i)));
      s = f64x2.add(s, f64x2.mul(v, v));
    }
    let a = f64x2.extract_lane(x, 0) + f64x2.extract_lane(x, 1);
    let b = f64x2.extract_lane(y, 0) + f64x2.extract_lane(y, 1);
    let c = f64x2.extract_lane(s, 0) + f64x2.extract_lane(s, 1);
    if ((length & 1) != 0) {
      const v = load<f64>(p + i);
      a += v * load<f64>(cosine + i);
      b -= v * load<f64>(sine + i);
      c += v * v;
    }
    store<f64>(real + (w << 3), a);
    store<f64>(imaginary + (w << 3), b);
    store<f64>(squares + (w << 3), c);
  }
}
