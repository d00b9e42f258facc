// Sine and cosine of two doubles at a time, accurate to 1 ulp.
//
// Radians are reduced by pi/2 in three parts (Cody and Waite), degrees by 90 without any error; then
// the polynomials of fdlibm's k_sin.c and k_cos.c follow (Sun Microsystems, 1993), with the tail of
// the reduced angle. Lanes that are large, not finite, or so near a multiple of pi/2 that the three
// parts are too few, take the reduction by Payne and Hanek of AssemblyScript's own library: below 2^20
// to 1 ulp too, above it rarely 2 or 3 ulp off.

/** Constants, each twice: a load is shorter than what puts a constant into both lanes. */
const TABLE: usize = memory.data<f64>([
  6755399441055744, 6755399441055744,
  1.57079632673412561417e+00, 1.57079632673412561417e+00,
  6.07710050630396597660e-11, 6.07710050630396597660e-11,
  2.02226624879595063154e-21, 2.02226624879595063154e-21,
  1048576, 1048576,
  7.450580596923828125e-9, 7.450580596923828125e-9,
  1.74532925199432954744e-02, 1.74532925199432954744e-02,
  2.94486531870541640e-19, 2.94486531870541640e-19,
  134217729, 134217729,
  -1.66666666666666324348e-01, -1.66666666666666324348e-01,
  8.33333333332248946124e-03, 8.33333333332248946124e-03,
  -1.98412698298579493134e-04, -1.98412698298579493134e-04,
  2.75573137070700676789e-06, 2.75573137070700676789e-06,
  -2.50507602534068634195e-08, -2.50507602534068634195e-08,
  1.58969099521155010221e-10, 1.58969099521155010221e-10,
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
], 16);
const MAGIC: usize = 0; // 1.5 * 2^52: adding it rounds to the nearest integer
const PIO2_1: usize = 16; // first 33 bits of pi/2
const PIO2_2: usize = 32; // second 33 bits
const PIO2_2T: usize = 48; // the rest
const LIMIT: usize = 64; // 2^20: below it the products with the first parts are exact
const NEAR: usize = 80; // 2^-27
const RADIANS: usize = 96; // pi/180
const RADIANS_TAIL: usize = 112; // the rest of it
const SPLIT: usize = 128; // 2^27 + 1
const S1: usize = 144;
const S2: usize = 160;
const S3: usize = 176;
const S4: usize = 192;
const S5: usize = 208;
const S6: usize = 224;
const C1: usize = 240;
const C2: usize = 256;
const C3: usize = 272;
const C4: usize = 288;
const C5: usize = 304;
const C6: usize = 320;
const ONE: usize = 336;
const HALF: usize = 352;
const TWO_OVER_PI: usize = 368;
const PER_90: usize = 384;
const NINETY: usize = 400;
const RADIANS_HIGH: usize = 416; // its first 26 bits
const RADIANS_LOW: usize = 432; // the others

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

/** Sine and cosine of `y + tail`, |y| <= pi/4, turned by as many quarters as `quarters` ends in. */
@inline
function polynomials(y: v128, tail: v128, quarters: v128): void {
  const z = mul(y, y), w = mul(z, z);
  const half = mul(k(HALF), z);
  const v = mul(z, y);
  const r = add(
    add(k(S2), mul(z, add(k(S3), mul(z, k(S4))))),
    mul(mul(z, w), add(k(S5), mul(z, k(S6)))),
  );
  const sine = sub(
    y,
    sub(sub(mul(z, sub(mul(k(HALF), tail), mul(v, r))), tail), mul(v, k(S1))),
  );
  const q = add(
    mul(z, add(k(C1), mul(z, add(k(C2), mul(z, k(C3)))))),
    mul(mul(w, w), add(k(C4), mul(z, add(k(C5), mul(z, k(C6)))))),
  );
  const one = k(ONE);
  const rest = sub(one, half);
  const cosine = add(rest, add(sub(sub(one, rest), half), sub(mul(z, q), mul(y, tail))));
  const odd = i64x2.ne(v128.and(quarters, i64x2.splat(1)), i64x2.splat(0));
  const sign = i64x2.shl(v128.and(quarters, i64x2.splat(2)), 62);
  const next = i64x2.shl(v128.and(i64x2.add(quarters, i64x2.splat(1)), i64x2.splat(2)), 62);
  v128.store(RESULTS, v128.xor(v128.bitselect(cosine, sine, odd), sign));
  v128.store(RESULTS, v128.xor(v128.bitselect(sine, cosine, odd), next), 16);
}

/** Sine and cosine of two angles, in radians. */
@inline
export function sincosOf(x: v128): void {
  const shifted = add(mul(x, k(TWO_OVER_PI)), k(MAGIC));
  const n = sub(shifted, k(MAGIC));
  const first = sub(x, mul(n, k(PIO2_1)));
  const second = mul(n, k(PIO2_2));
  const r = sub(first, second);
  const third = sub(mul(n, k(PIO2_2T)), sub(sub(first, r), second));
  const y = sub(r, third);
  const tail = sub(sub(r, y), third);
  polynomials(y, tail, shifted);
  const near = v128.andnot(f64x2.lt(f64x2.abs(y), k(NEAR)), f64x2.eq(n, f64x2.splat(0)));
  const odd = v128.or(v128.not(f64x2.lt(f64x2.abs(x), k(LIMIT))), near);
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
  if (v128.any_true(v128.not(f64x2.lt(f64x2.abs(x), k(LIMIT))))) {
    d = f64x2(f64x2.extract_lane(x, 0) % 360, f64x2.extract_lane(x, 1) % 360);
  }
  const shifted = add(mul(d, k(PER_90)), k(MAGIC));
  const n = sub(shifted, k(MAGIC));
  const r = sub(d, mul(n, k(NINETY)));
  // r times pi/180 in twice the precision (Dekker).
  const y = mul(r, k(RADIANS));
  const big = mul(r, k(SPLIT));
  const high = sub(big, sub(big, r)), low = sub(r, high);
  const error = add(
    sub(
      mul(low, k(RADIANS_LOW)),
      sub(sub(sub(y, mul(high, k(RADIANS_HIGH))), mul(low, k(RADIANS_HIGH))), mul(high, k(RADIANS_LOW))),
    ),
    mul(r, k(RADIANS_TAIL)),
  );
  const sum = add(y, error);
  polynomials(sum, add(sub(y, sum), error), shifted);
}
