// The angle of two points at a time.
//
// The smaller coordinate is divided by the larger one, quotients above tan(pi/8) are turned by pi/4,
// and the polynomial of fdlibm's s_atan.c follows (Sun Microsystems, 1993).

/** Constants, each twice: a load is shorter than what puts a constant into both lanes. */
const TABLE: usize = memory.data<f64>([
  0.41421356237309503, 0.41421356237309503,
  7.85398163397448278999e-01, 7.85398163397448278999e-01,
  3.06161699786838301793e-17, 3.06161699786838301793e-17,
  1.57079632679489655800e+00, 1.57079632679489655800e+00,
  6.12323399573676603587e-17, 6.12323399573676603587e-17,
  3.14159265358979311600e+00, 3.14159265358979311600e+00,
  1.22464679914735317723e-16, 1.22464679914735317723e-16,
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
  Infinity, Infinity,
], 16);
const TURN: usize = 0; // tan(pi/8)
const PIO4: usize = 16;
const PIO4_TAIL: usize = 32;
const PIO2: usize = 48;
const PIO2_TAIL: usize = 64;
const PI: usize = 80;
const PI_TAIL: usize = 96;
const T0: usize = 112;
const T1: usize = 128;
const T2: usize = 144;
const T3: usize = 160;
const T4: usize = 176;
const T5: usize = 192;
const T6: usize = 208;
const T7: usize = 224;
const T8: usize = 240;
const T9: usize = 256;
const T10: usize = 272;
const ONE: usize = 288;
const INFINITE: usize = 304;

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

/** Angles of `x + i y`, -pi to pi, as `Math.atan2`. */
@inline
export function atan2Of(y: v128, x: v128): v128 {
  const ay = f64x2.abs(y), ax = f64x2.abs(x);
  const steep = f64x2.gt(ay, ax);
  const small = f64x2.pmin(ax, ay), large = f64x2.pmax(ax, ay);
  const one = k(ONE);
  const turned = f64x2.gt(small, mul(large, k(TURN)));
  const t = f64x2.div(
    v128.bitselect(sub(small, large), small, turned),
    v128.bitselect(add(small, large), large, turned),
  );
  const z = mul(t, t), w = mul(z, z);
  const even = mul(z, add(k(T0), mul(w, add(k(T2), mul(w, add(k(T4), mul(w, add(k(T6), mul(w, add(k(T8), mul(w, k(T10))))))))))));
  const odd = mul(w, add(k(T1), mul(w, add(k(T3), mul(w, add(k(T5), mul(w, add(k(T7), mul(w, k(T9))))))))));
  const bend = mul(t, add(even, odd));
  const none = f64x2.splat(0);
  // (PIO4 - ((bend - tail) - t)), or t - bend.
  const base = v128.and(k(PIO4), turned);
  const baseTail = v128.and(k(PIO4_TAIL), turned);
  let angle = sub(base, sub(sub(bend, baseTail), t));
  angle = v128.bitselect(sub(k(PIO2), sub(angle, k(PIO2_TAIL))), angle, steep);
  const left = i64x2.lt_s(x, i64x2.splat(0));
  angle = v128.bitselect(sub(k(PI), sub(angle, k(PI_TAIL))), angle, left);
  const sign = v128.and(y, i64x2.splat(i64.MIN_VALUE));
  angle = v128.or(v128.andnot(angle, i64x2.splat(i64.MIN_VALUE)), sign);
  const usual = v128.and(f64x2.gt(large, none), f64x2.lt(add(ax, ay), k(INFINITE)));
  // Only of the lane that needs it: a result must not depend on what stands beside it.
  if (!i64x2.all_true(usual)) return v128.bitselect(angle, oneByOne(y, x), usual);
  return angle;
}

function oneByOne(y: v128, x: v128): v128 {
  return f64x2(
    NativeMath.atan2(f64x2.extract_lane(y, 0), f64x2.extract_lane(x, 0)),
    NativeMath.atan2(f64x2.extract_lane(y, 1), f64x2.extract_lane(x, 1)),
  );
}
