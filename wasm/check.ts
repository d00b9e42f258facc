// Passes over columns that look for the first element that is not as it should be.

/**
 * Index of the first time smaller than the one before it, the first time compared with `last`; `n` if
 * there is none.
 */
export function firstUnsorted(times: usize, n: u32, last: i64): u32 {
  if (n == 0) return 0;
  if (load<i64>(times) < last) return 0;
  let i: u32 = 1;
  let before = v128.load64_splat(times);
  // Eight times at once, each beside the one before it; what is found is located by the loop below.
  for (; i + 8 <= n; i += 8) {
    const p = times + (<usize>i << 3);
    const a = v128.load(p), b = v128.load(p, 16), c = v128.load(p, 32), d = v128.load(p, 48);
    const falls = v128.or(
      v128.or(
        i64x2.gt_s(i64x2.shuffle(before, a, 1, 2), a),
        i64x2.gt_s(i64x2.shuffle(a, b, 1, 2), b),
      ),
      v128.or(
        i64x2.gt_s(i64x2.shuffle(b, c, 1, 2), c),
        i64x2.gt_s(i64x2.shuffle(c, d, 1, 2), d),
      ),
    );
    if (v128.any_true(falls)) break;
    before = d;
  }
  for (; i < n; i++) {
    const p = times + (<usize>i << 3);
    if (load<i64>(p - 8) > load<i64>(p)) return i;
  }
  return n;
}

/** Index of the first time outside [min, max); `n` if there is none. */
export function firstOutside(times: usize, n: u32, min: i64, max: i64): u32 {
  const low = i64x2.splat(min), high = i64x2.splat(max);
  let i: u32 = 0;
  for (; i + 4 <= n; i += 4) {
    const p = times + (<usize>i << 3);
    const a = v128.load(p), b = v128.load(p, 16);
    const bad = v128.or(
      v128.or(i64x2.lt_s(a, low), i64x2.lt_s(b, low)),
      v128.or(i64x2.ge_s(a, high), i64x2.ge_s(b, high)),
    );
    if (v128.any_true(bad)) break;
  }
  for (; i < n; i++) {
    const time = load<i64>(times + (<usize>i << 3));
    if (time < min || time >= max) return i;
  }
  return n;
}

/** Index of the first NaN or infinity; `n` if there is none. */
export function firstNotFinite(values: usize, n: u32): u32 {
  // Zero times a finite number is zero; times anything else it is NaN.
  const zero = f64x2.splat(0);
  let i: u32 = 0;
  for (; i + 8 <= n; i += 8) {
    const p = values + (<usize>i << 3);
    const a = f64x2.mul(v128.load(p), zero), b = f64x2.mul(v128.load(p, 16), zero);
    const c = f64x2.mul(v128.load(p, 32), zero), d = f64x2.mul(v128.load(p, 48), zero);
    const sum = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
    if (v128.any_true(f64x2.ne(sum, zero))) break;
  }
  for (; i < n; i++) {
    if (!isFinite(load<f64>(values + (<usize>i << 3)))) return i;
  }
  return n;
}
