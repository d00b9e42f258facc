// Sine and cosine of two doubles at a time, accurate to 1 ulp.
//
// Radians are reduced by pi/2 (Cody and Waite), in three parts, or in two where a product is added
// without being rounded first; degrees by 90 without any error. The polynomials of fdlibm's k_sin.c and
// k_cos.c follow (Sun Microsystems, 1993), with the tail of the reduced angle. Lanes that are large, not
// finite, or so near a multiple of pi/2 that the parts are too few, take the reduction by Payne and Hanek
// of AssemblyScript's own library: below 2^20 to 1 ulp too, above it rarely 2 or 3 ulp off.

import { FUSED, madd, nmadd } from "./fused";

/** Constants, each twice: a load is shorter than what puts a constant into both lanes. */
const TABLE: usize = memory.data<f64>([
  6755399441055744, 6755399441055744,
  1.57079632673412561417e+00, 1.57079632673412561417e+00,
  6.07710050630396597660e-11, 6.07710050630396597660e-11,
  2.02226624879595063154e-21, 2.02226624879595063154e-21,
  1.5707963267948966, 1.5707963267948966,
  6.123233995736766e-17, 6.123233995736766e-17,
  9.5367431640625e-7, 9.5367431640625e-7,
  1048576, 1048576,
  1.74532925199432954744e-02, 1.74532925199432954744e-02,
  2.94486531870541640e-19, 2.94486531870541640e-19,
  134217729, 134217729,
  1.66666666666666324348e-01, 1.66666666666666324348e-01,
  -8.33333333332248946124e-03, -8.33333333332248946124e-03,
  1.98412698298579493134e-04, 1.98412698298579493134e-04,
  -2.75573137070700676789e-06, -2.75573137070700676789e-06,
  2.50507602534068634195e-08, 2.50507602534068634195e-08,
  -1.58969099521155010221e-10, -1.58969099521155010221e-10,
  4.16666666666666019037e-02, 4.16666666666666019037e-02,
  -1.38888888888741095749e-03, -1.38888888888741095749e-03,
  2.48015872894767294178e-05, 2.48015872894767294178e-05,
  -2.75573143513906633035e-07, -2.75573143513906633035e-07,
  2.08757232129817482790e-09, 2.08757232129817482790e-09,
  -1.13596475577881948265e-11, -1.13596475577881948265e-11,
  1, 1,
  0.5, 0.5,
  6.36619772367581382433e-01, 6.36619772367581382433e-01,
  1.11111111111111111e-02, 1.11111111111111111e-02,
  90, 90,
  0.01745329238474369, 0.01745329238474369,
  1.3519960498364902e-10, 1.3519960498364902e-10,
  5e-324, 5e-324,
  0, 0,
  -0.0, -0.0,
], 16);
const MAGIC: usize = 0; // 1.5 * 2^52: adding it rounds to the nearest integer
const PIO2_1: usize = 16; // first 33 bits of pi/2
const PIO2_2: usize = 32; // second 33 bits
const PIO2_2T: usize = 48; // the rest
const PIO2: usize = 64; // first 53 bits of pi/2
const PIO2_TAIL: usize = 80; // the rest
const NEAR: usize = 96; // 2^-20
const LIMIT: usize = 112; // 2^20
const RADIANS: usize = 128; // pi/180
const RADIANS_TAIL: usize = 144; // the rest of it
const SPLIT: usize = 160; // 2^27 + 1
const S1: usize = 176; // minus the coefficients of the sine
const S2: usize = 192;
const S3: usize = 208;
const S4: usize = 224;
const S5: usize = 240;
const S6: usize = 256;
const C1: usize = 272; // the coefficients of the cosine
const C2: usize = 288;
const C3: usize = 304;
const C4: usize = 320;
const C5: usize = 336;
const C6: usize = 352;
const ONE: usize = 368;
const HALF: usize = 384;
const TWO_OVER_PI: usize = 400;
const PER_90: usize = 416;
const NINETY: usize = 432;
const RADIANS_HIGH: usize = 448; // its first 26 bits
const RADIANS_LOW: usize = 464; // the others
const LAST_BIT: usize = 480;
const ZERO: usize = 496;
const MINUS: usize = 512; // the sign alone

/** Both results of {@link sincosOf}. */
const RESULTS: usize = memory.data(32, 16);

@inline
function k(constant: usize): v128 {
  return v128.load(TABLE + constant);
}

/** The sines of the last {@link sincosOf}. */
@inline
export function sines(): v128 {
  return v128.load(RESULTS);
}

/** The cosines of the last {@link sincosOf}. */
@inline
export function cosines(): v128 {
  return v128.load(RESULTS, 16);
}

@inline
function add(a: v128, b: v128): v128 {
  return f64x2.add(a, b);
}

@inline
function sub(a: v128, b: v128): v128 {
  return f64x2.sub(a, b);
}

@inline
function mul(a: v128, b: v128): v128 {
  return f64x2.mul(a, b);
}

/**
 * Sine and cosine of `y - excess`, |y| <= pi/4, |excess| at most half an ulp of y, turned by as many
 * quarters as `quarters` ends in.
 */
@inline
function polynomials(y: v128, excess: v128, quarters: v128): void {
  const z = mul(y, y);
  const r = madd(z, madd(z, madd(z, madd(z, madd(z, k(S6), k(S5)), k(S4)), k(S3)), k(S2)), k(S1));
  // What is taken from y is small enough for its own errors not to count; -0 stays what it is.
  const sine = sub(y, madd(mul(z, y), r, excess));
  const q = madd(z, madd(z, madd(z, madd(z, madd(z, k(C6), k(C5)), k(C4)), k(C3)), k(C2)), k(C1));
  const one = k(ONE);
  const rest = nmadd(k(HALF), z, one);
  const lost = nmadd(k(HALF), z, sub(one, rest));
  const cosine = add(rest, madd(mul(z, z), q, madd(y, excess, lost)));
  const even = i64x2.eq(v128.and(quarters, k(LAST_BIT)), k(ZERO));
  const other = v128.andnot(v128.xor(sine, cosine), even);
  const half = i64x2.shl(quarters, 62), minus = k(MINUS);
  v128.store(RESULTS, v128.xor(v128.xor(sine, other), v128.and(half, minus)));
  v128.store(RESULTS, v128.xor(v128.xor(cosine, other), v128.andnot(minus, v128.xor(half, even))), 16);
}

/** Sine and cosine of two angles, in radians. */
@inline
export function sincosOf(x: v128): void {
  const shifted = madd(x, k(TWO_OVER_PI), k(MAGIC));
  const n = sub(shifted, k(MAGIC));
  let y: v128, excess: v128;
  if (FUSED) {
    const first = nmadd(n, k(PIO2), x); // without error
    y = nmadd(n, k(PIO2_TAIL), first);
    excess = madd(n, k(PIO2_TAIL), sub(y, first));
  } else {
    const first = sub(x, mul(n, k(PIO2_1)));
    const second = mul(n, k(PIO2_2));
    const r = sub(first, second);
    const third = sub(mul(n, k(PIO2_2T)), sub(sub(first, r), second));
    y = sub(r, third);
    excess = sub(third, sub(r, y));
  }
  polynomials(y, excess, shifted);
  // Large angles are odd as well: then the right side is above pi/4. What is not finite gave NaN.
  const minus = k(MINUS);
  const odd = f64x2.lt(v128.andnot(y, minus), mul(v128.andnot(n, minus), k(NEAR)));
  if (v128.any_true(odd)) oneByOne(x, odd);
}

/** The angles of some lanes with the exact reduction; others do not depend on what stands beside them. */
function oneByOne(x: v128, lanes: v128): void {
  const a = f64x2.extract_lane(x, 0), b = f64x2.extract_lane(x, 1);
  const sine = f64x2(NativeMath.sin(a), NativeMath.sin(b));
  const cosine = f64x2(NativeMath.cos(a), NativeMath.cos(b));
  v128.store(RESULTS, v128.bitselect(sine, sines(), lanes));
  v128.store(RESULTS, v128.bitselect(cosine, cosines(), lanes), 16);
}

/** Sine and cosine of two angles, in degrees. */
@inline
export function sincosOfDegrees(x: v128): void {
  let d = x;
  if (!i64x2.all_true(f64x2.lt(f64x2.abs(x), k(LIMIT)))) {
    d = f64x2(f64x2.extract_lane(x, 0) % 360, f64x2.extract_lane(x, 1) % 360);
  }
  const shifted = madd(d, k(PER_90), k(MAGIC));
  const n = sub(shifted, k(MAGIC));
  const r = nmadd(n, k(NINETY), d); // without error
  // r times pi/180 in twice the precision (Dekker).
  const y = mul(r, k(RADIANS));
  let over: v128;
  if (FUSED) {
    over = nmadd(r, k(RADIANS), y);
  } else {
    const big = mul(r, k(SPLIT));
    const high = sub(big, sub(big, r)), low = sub(r, high);
    over = sub(
      sub(sub(sub(y, mul(high, k(RADIANS_HIGH))), mul(low, k(RADIANS_HIGH))), mul(high, k(RADIANS_LOW))),
      mul(low, k(RADIANS_LOW)),
    );
  }
  polynomials(y, nmadd(r, k(RADIANS_TAIL), over), shifted);
}
