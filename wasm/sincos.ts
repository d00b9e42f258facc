// Sine and cosine of two doubles at a time, accurate to 1 ulp.
//
// Radians are reduced by pi/2 in three parts (Cody and Waite), degrees by 90 without any error; then
// the polynomials of fdlibm's k_sin.c and k_cos.c follow (Sun Microsystems, 1993), with the tail of
// the reduced angle. Lanes that are large, not finite, or so near a multiple of pi/2 that the three
// parts are too few, take the reduction by Payne and Hanek of AssemblyScript's own library: below 2^20
// to 1 ulp too, above it rarely 2 or 3 ulp off.

/** Results of {@link sincosOf}. */
export let sines: v128 = f64x2.splat(0);
export let cosines: v128 = f64x2.splat(0);

const MAGIC: f64 = 6755399441055744; // 1.5 * 2^52: adding it rounds to the nearest integer.
const PIO2_1: f64 = 1.57079632673412561417e+00; // first 33 bits of pi/2
const PIO2_2: f64 = 6.07710050630396597660e-11; // second 33 bits
const PIO2_2T: f64 = 2.02226624879595063154e-21; // the rest
const LIMIT: f64 = 1048576; // 2^20: below it the products with the first parts are exact
const NEAR: f64 = 7.450580596923828125e-9; // 2^-27

const RADIANS: f64 = 1.74532925199432954744e-02; // pi/180
const RADIANS_TAIL: f64 = 2.94486531870541640e-19; // the rest of it
const SPLIT: f64 = 134217729; // 2^27 + 1

const S1: f64 = -1.66666666666666324348e-01;
const S2: f64 = 8.33333333332248946124e-03;
const S3: f64 = -1.98412698298579493134e-04;
const S4: f64 = 2.75573137070700676789e-06;
const S5: f64 = -2.50507602534068634195e-08;
const S6: f64 = 1.58969099521155010221e-10;
const C1: f64 = 4.16666666666666019037e-02;
const C2: f64 = -1.38888888888741095749e-03;
const C3: f64 = 2.48015872894767294178e-05;
const C4: f64 = -2.75573143513906633035e-07;
const C5: f64 = 2.08757232129817482790e-09;
const C6: f64 = -1.13596475577881948265e-11;

@inline
function splat(value: f64): v128 {
  return f64x2.splat(value);
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
function polynomials(y: v128, tail: v128, quarters: v128): void {
  const z = mul(y, y), w = mul(z, z);
  const half = mul(splat(0.5), z);
  const v = mul(z, y);
  const r = add(
    add(splat(S2), mul(z, add(splat(S3), mul(z, splat(S4))))),
    mul(mul(z, w), add(splat(S5), mul(z, splat(S6)))),
  );
  const sine = sub(
    y,
    sub(sub(mul(z, sub(mul(splat(0.5), tail), mul(v, r))), tail), mul(v, splat(S1))),
  );
  const q = add(
    mul(z, add(splat(C1), mul(z, add(splat(C2), mul(z, splat(C3)))))),
    mul(mul(w, w), add(splat(C4), mul(z, add(splat(C5), mul(z, splat(C6)))))),
  );
  const one = splat(1);
  const rest = sub(one, half);
  const cosine = add(rest, add(sub(sub(one, rest), half), sub(mul(z, q), mul(y, tail))));
  const odd = i64x2.ne(v128.and(quarters, i64x2.splat(1)), i64x2.splat(0));
  const sign = i64x2.shl(v128.and(quarters, i64x2.splat(2)), 62);
  const next = i64x2.shl(v128.and(i64x2.add(quarters, i64x2.splat(1)), i64x2.splat(2)), 62);
  sines = v128.xor(v128.bitselect(cosine, sine, odd), sign);
  cosines = v128.xor(v128.bitselect(sine, cosine, odd), next);
}

/** Sine and cosine of two angles, in radians. */
export function sincosOf(x: v128): void {
  const shifted = add(mul(x, splat(6.36619772367581382433e-01)), splat(MAGIC));
  const n = sub(shifted, splat(MAGIC));
  const first = sub(x, mul(n, splat(PIO2_1)));
  const second = mul(n, splat(PIO2_2));
  const r = sub(first, second);
  const third = sub(mul(n, splat(PIO2_2T)), sub(sub(first, r), second));
  const y = sub(r, third);
  const tail = sub(sub(r, y), third);
  polynomials(y, tail, shifted);
  const near = v128.andnot(f64x2.lt(f64x2.abs(y), splat(NEAR)), f64x2.eq(n, splat(0)));
  const odd = v128.or(v128.not(f64x2.lt(f64x2.abs(x), splat(LIMIT))), near);
  if (v128.any_true(odd)) oneByOne(x, odd);
}

/** The angles of some lanes with the exact reduction; others do not depend on what stands beside them. */
function oneByOne(x: v128, lanes: v128): void {
  const a = f64x2.extract_lane(x, 0), b = f64x2.extract_lane(x, 1);
  sines = v128.bitselect(f64x2(NativeMath.sin(a), NativeMath.sin(b)), sines, lanes);
  cosines = v128.bitselect(f64x2(NativeMath.cos(a), NativeMath.cos(b)), cosines, lanes);
}

/** Sine and cosine of two angles, in degrees. */
export function sincosOfDegrees(x: v128): void {
  let d = x;
  if (v128.any_true(v128.not(f64x2.lt(f64x2.abs(x), splat(LIMIT))))) {
    d = f64x2(f64x2.extract_lane(x, 0) % 360, f64x2.extract_lane(x, 1) % 360);
  }
  const shifted = add(mul(d, splat(1.11111111111111111e-02)), splat(MAGIC));
  const n = sub(shifted, splat(MAGIC));
  const r = sub(d, mul(n, splat(90)));
  // r times pi/180 in twice the precision (Dekker).
  const y = mul(r, splat(RADIANS));
  const big = mul(r, splat(SPLIT));
  const high = sub(big, sub(big, r)), low = sub(r, high);
  const factor = RADIANS * SPLIT;
  const factorHigh = factor - (factor - RADIANS), factorLow = RADIANS - factorHigh;
  const error = add(
    sub(
      mul(low, splat(factorLow)),
      sub(sub(sub(y, mul(high, splat(factorHigh))), mul(low, splat(factorHigh))), mul(high, splat(factorLow))),
    ),
    mul(r, splat(RADIANS_TAIL)),
  );
  const sum = add(y, error);
  polynomials(sum, add(sub(y, sum), error), shifted);
}
