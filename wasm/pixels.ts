// Statistics of ranges of points that are known by their indices: what a plot needs of each pixel.

import { runMax, runMean, runMin, statsOf, statsOfStats, within } from "./stats";

/**
 * Smallest value, mean, largest value and number of points of each of `n` ranges.
 *
 * @param points Values; or, for `stat`, columns of windows `column` bytes apart.
 * @param bounds `n + 1` u32: range `i` is `[bounds[i], bounds[i + 1])`.
 * @param to Four columns of `n`, `toColumn` bytes apart; zero for ranges without points.
 */
export function reduceRanges(
  stat: bool, points: usize, column: usize, bounds: usize, n: u32, to: usize, toColumn: usize,
): void {
  for (let i: u32 = 0; i < n; i++) {
    const begin = load<u32>(bounds), end = load<u32>(bounds, 4);
    bounds += 4;
    const at = points + (<usize>begin << 3);
    let count: u64 = 0;
    if (begin < end) {
      if (stat) {
        count = statsOfStats(at, column, end - begin, false);
      } else {
        statsOf(at, end - begin, false);
        count = end - begin;
      }
    }
    store<f64>(to, count == 0 ? 0 : runMin);
    store<f64>(to + toColumn, count == 0 ? 0 : within(runMean, runMin, runMax));
    store<f64>(to + 2 * toColumn, count == 0 ? 0 : runMax);
    store<u64>(to + 3 * toColumn, count);
    to += 8;
  }
}
