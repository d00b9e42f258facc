// Points onto a grid of times.
//
// The state of a stream is the last point at or before the place of the grid that is looked at; a place
// is decided when a later point is there, or none can come.

const NONE: u32 = 0;
const LINEAR: u32 = 2;

/**
 * Times of the grid: `base + (rest + j * ns + parts / 2) / parts` for j below `n`.
 *
 * @param rest Distance of the first place from `base`, in parts of a ns.
 */
export function gridTimes(base: i64, rest: u64, ns: u64, parts: u64, n: u32, to: usize): void {
  let sum = rest + (parts >> 1);
  for (let j: u32 = 0; j < n; j++) {
    store<i64>(to, base + <i64>(sum / parts));
    sum += ns;
    to += 8;
  }
}

/**
 * Decides places of the grid from `row` on.
 *
 * @param times Points, ascending, none before those of the calls before.
 * @param state Six elements of 8 bytes: time and value of the last point, whether there is one; and as
 * results the points used up, rows that have a point, rows that were filled in.
 * @param final True if no points follow.
 * @returns The row reached.
 */
export function alignRows(
  times: usize, values: usize, n: u32, grid: usize, rows: u32, row: u32, state: usize,
  tolerance: i64, fill: u32, maxGap: i64, final: bool, out: usize,
): u32 {
  let at = load<i64>(state), value = load<f64>(state, 8), some = load<u64>(state, 16) != 0;
  let i: u32 = 0, matched: u32 = 0, filled: u32 = 0;
  for (; row < rows; row++) {
    const place = load<i64>(grid + (<usize>row << 3));
    while (i < n && load<i64>(times + (<usize>i << 3)) <= place) {
      at = load<i64>(times + (<usize>i << 3));
      value = load<f64>(values + (<usize>i << 3));
      some = true;
      i++;
    }
    if (i == n && !final) break;
    const isNext = i < n;
    const next = isNext ? load<i64>(times + (<usize>i << 3)) : 0;
    const nextValue = isNext ? load<f64>(values + (<usize>i << 3)) : 0;
    // Distances as unsigned numbers: the time axis is longer than what is signed.
    const before = <u64>(place - at), after = <u64>(next - place);
    const nearBefore = some && before <= <u64>tolerance;
    const nearAfter = isNext && after <= <u64>tolerance;
    let result: f64 = NaN;
    if (nearBefore && (!nearAfter || before <= after)) {
      result = value;
      matched++;
    } else if (nearAfter) {
      result = nextValue;
      matched++;
    } else if (fill != NONE && some) {
      if (fill == LINEAR) {
        const gap = before + after;
        if (isNext && gap <= <u64>maxGap) {
          const share = <f64>before / <f64>gap;
          // Weights on both sides: the difference of two large values may not be a double.
          result = value * (1 - share) + nextValue * share;
          filled++;
        }
      } else if (before <= <u64>maxGap) {
        result = value;
        filled++;
      }
    }
    store<f64>(out + (<usize>row << 3), result);
  }
  store<i64>(state, at);
  store<f64>(state, value, 8);
  store<u64>(state, some ? 1 : 0, 16);
  store<u64>(state, i, 24);
  store<u64>(state, matched, 32);
  store<u64>(state, filled, 40);
  return row;
}
