// The angle of two points at a time.
//
// The smaller coordinate is divided by the larger one, quotients above tan(pi/8) are turned by pi/4,
// and the polynomial of fdlibm's s_atan.c follows (Sun Microsystems, 1993). Which eighth of a turn the
// point is in says what to add to its result, or to take it from.

import { madd, nmadd } from "./fused";

/** Constants, each twice: a load is shorter than what puts a constant into both lanes. */
const TABLE: usize = memory.data<f64>([
  0.41421356237309503, 0.41421356237309503,
  0.7853981633974483, 0.7853981633974483,
  3.061616997868383e-17, 3.061616997868383e-17,
  3.33333333333329318027e-01, 3.33333333333329318027e-01,
  -1.99999999998764832476e-01, -1.99999999998764832476e-01,
  1.42857142725034663711e-01, 1.42857142725034663711e-01,
  -1.11111104054623557880e-01, -1.11111104054623557880e-01,
  9.09088713343650656196e-02, 9.09088713343650656196e-02,
  -7.69187620504482999495e-02, -7.69187620504482999495e-02,
  6.66107313738753120669e-02, 6.66107313738753120669e-02,
  -5.83357013379057348645e-02, -5.83357013379057348645e-02,
  4.97687799461593236017e-02, 4.97687799461593236017e-02,
  -3.65315727442169155270e-02, -3.65315727442169155270e-02,
  1.62858201153657823623e-02, 1.62858201153657823623e-02,
  1, 1,
  2, 2,
  -0.0, -0.0,
], 16);
const TURN: usize = 0; // tan(pi/8)
const PIO4: usize = 16; // first 50 bits of pi/4: four times it is exact
const PIO4_TAIL: usize = 32; // the rest
const T0: usize = 48;
const T1: usize = 64;
const T2: usize = 80;
const T3: usize = 96;
const T4: usize = 112;
const T5: usize = 128;
const T6: usize = 144;
const T7: usize = 160;
const T8: usize = 176;
const T9: usize = 192;
const T10: usize = 208;
const ONE: usize = 224;
const TWO: usize = 240;
const MINUS: usize = 256; // the sign alone

@inline
function k(constant: usize): v128 {
  return v128.load(TABLE + constant);
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
 * Angles of `x + i y`, -pi to pi, as `Math.atan2`.
 *
 * @param x Finite, as `y` is, and not 0 together with it: see {@link exactAtan2Of}.
 */
@inline
export function atan2Of(y: v128, x: v128): v128 {
  const minus = k(MINUS);
  const ay = v128.andnot(y, minus), ax = v128.andnot(x, minus);
  const steep = f64x2.gt(ay, ax);
  const small = f64x2.pmin(ax, ay), large = f64x2.pmax(ax, ay);
  const turned = f64x2.gt(small, mul(large, k(TURN)));
  const quotient = f64x2.div(sub(small, v128.and(large, turned)), add(large, v128.and(small, turned)));
  // The eighths of a turn from which the angle of the quotient is counted, backwards where `sign` is set.
  const sign = v128.and(v128.xor(steep, x), minus);
  const half = v128.or(v128.and(x, minus), k(TWO));
  const eighths = add(
    sub(k(TWO), v128.andnot(half, steep)),
    v128.xor(v128.and(turned, k(ONE)), sign),
  );
  const t = v128.xor(quotient, sign);
  const z = mul(t, t), w = mul(z, z);
  const even = madd(w, madd(w, madd(w, madd(w, madd(w, k(T10), k(T8)), k(T6)), k(T4)), k(T2)), k(T0));
  const odd = madd(w, madd(w, madd(w, madd(w, k(T9), k(T7)), k(T5)), k(T3)), k(T1));
  const bend = nmadd(mul(t, z), madd(z, odd, even), mul(eighths, k(PIO4_TAIL)));
  const angle = madd(eighths, k(PIO4), add(t, bend));
  return v128.or(angle, v128.and(y, minus));
}

/** The same of any points, slowly. */
export function exactAtan2Of(y: v128, x: v128): v128 {
  return f64x2(
    NativeMath.atan2(f64x2.extract_lane(y, 0), f64x2.extract_lane(x, 0)),
    NativeMath.atan2(f64x2.extract_lane(y, 1), f64x2.extract_lane(x, 1)),
  );
}
