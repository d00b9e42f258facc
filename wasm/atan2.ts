// The angle of two points at a time.
//
// The smaller coordinate is divided by the larger one, quotients above tan(pi/8) are turned by pi/4,
// and the polynomial of fdlibm's s_atan.c follows (Sun Microsystems, 1993).

const TURN: f64 = 0.41421356237309503; // tan(pi/8)
const PIO4: f64 = 7.85398163397448278999e-01;
const PIO4_TAIL: f64 = 3.06161699786838301793e-17;
const PIO2: f64 = 1.57079632679489655800e+00;
const PIO2_TAIL: f64 = 6.12323399573676603587e-17;
const PI: f64 = 3.14159265358979311600e+00;
const PI_TAIL: f64 = 1.22464679914735317723e-16;

const T0: f64 = 3.33333333333329318027e-01;
const T1: f64 = -1.99999999998764832476e-01;
const T2: f64 = 1.42857142725034663711e-01;
const T3: f64 = -1.11111104054623557880e-01;
const T4: f64 = 9.09088713343650656196e-02;
const T5: f64 = -7.69187620504482999495e-02;
const T6: f64 = 6.66107313738753120669e-02;
const T7: f64 = -5.83357013379057348645e-02;
const T8: f64 = 4.97687799461593236017e-02;
const T9: f64 = -3.65315727442169155270e-02;
const T10: f64 = 1.62858201153657823623e-02;

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

/** Angles of `x + i y`, -pi to pi, as `Math.atan2`. */
@inline
export function atan2Of(y: v128, x: v128): v128 {
  const ay = f64x2.abs(y), ax = f64x2.abs(x);
  const steep = f64x2.gt(ay, ax);
  const small = v128.bitselect(ax, ay, steep), large = v128.bitselect(ay, ax, steep);
  const one = splat(1);
  const turned = f64x2.gt(small, mul(large, splat(TURN)));
  const t = f64x2.div(
    v128.bitselect(sub(small, large), small, turned),
    v128.bitselect(add(small, large), large, turned),
  );
  const z = mul(t, t), w = mul(z, z);
  const even = mul(z, add(splat(T0), mul(w, add(splat(T2), mul(w, add(splat(T4), mul(w, add(splat(T6), mul(w, add(splat(T8), mul(w, splat(T10))))))))))));
  const odd = mul(w, add(splat(T1), mul(w, add(splat(T3), mul(w, add(splat(T5), mul(w, add(splat(T7), mul(w, splat(T9))))))))));
  const bend = mul(t, add(even, odd));
  const none = splat(0);
  // (PIO4 - ((bend - tail) - t)), or t - bend.
  const base = v128.bitselect(splat(PIO4), none, turned);
  const baseTail = v128.bitselect(splat(PIO4_TAIL), none, turned);
  let angle = sub(base, sub(sub(bend, baseTail), t));
  angle = v128.bitselect(sub(splat(PIO2), sub(angle, splat(PIO2_TAIL))), angle, steep);
  const left = i64x2.lt_s(x, i64x2.splat(0));
  angle = v128.bitselect(sub(splat(PI), sub(angle, splat(PI_TAIL))), angle, left);
  const sign = v128.and(y, i64x2.splat(i64.MIN_VALUE));
  angle = v128.or(v128.andnot(angle, i64x2.splat(i64.MIN_VALUE)), sign);
  const usual = v128.and(f64x2.gt(large, none), f64x2.lt(add(small, large), splat(Infinity)));
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
