// Sorted points, raw or stat, to windows of one width (docs/performance.md, "The kernel").
//
// Windows are [start + k * width, start + (k + 1) * width) for k from 0. All positions are kept as
// unsigned distances from `start` and compared by their differences, so that the whole time axis and
// any width up to 2^63 fit. A window's end in the input is guessed to be as far away as the last
// one's, which is right for regular samples, and searched for otherwise.
// Work under way when a chunk of the input ends is kept in the state, which belongs to the caller,
// at these offsets (src/kernel/rewindower.ts writes the first ones).

import { runM2, runMax, runMean, runMin, statsOf, statsOfStats, within } from "./stats";

/** i64: start of the first window. */
const START: usize = 0;
/** u64: width of the windows. */
const WIDTH: usize = 8;
/** u64: number of windows from `AT` on. */
const LEFT: usize = 16;
/** u64: distance from the start at which the open window, or the next one to be emitted, begins. */
const AT: usize = 24;
/** u64, then f64: statistics of the open window. */
const COUNT: usize = 32;
const MEAN: usize = 40;
const M2: usize = 48;
const MIN: usize = 56;
const MAX: usize = 64;
/** u32: windows emitted by this call. */
const EMITTED: usize = 72;
/** u32: whether windows without points are emitted. */
const DENSE: usize = 76;
/** u32: whether the windows have standard deviations. */
const DEVIATION: usize = 80;
/** u32: `DONE` or `FULL`. */
const STATUS: usize = 84;
/** u32: points of the last window. */
const GUESS: usize = 88;

/** All given points are used up. */
const DONE: u32 = 0;
/** The output is full: empty it and go on with the rest of the points. */
const FULL: u32 = 1;

/** Writes the statistics kept in the state as the window `row` of the output. */
@inline
function emit(state: usize, at: u64, to: usize, column: usize): void {
  const count = load<u64>(state, COUNT);
  store<i64>(to, load<i64>(state, START) + <i64>at);
  const min = load<f64>(state, MIN), max = load<f64>(state, MAX);
  store<f64>(to + column, min);
  store<f64>(to + 2 * column, within(load<f64>(state, MEAN), min, max));
  store<f64>(to + 3 * column, max);
  store<u64>(to + 4 * column, count);
  if (load<u32>(state, DEVIATION)) {
    store<f64>(to + 5 * column, Math.sqrt(load<f64>(state, M2) / <f64>count));
  }
}

/** Writes the statistics of the last run, of `count` points, as a window. */
@inline
function emitRun(time: i64, count: u64, deviation: bool, to: usize, column: usize): void {
  store<i64>(to, time);
  store<f64>(to + column, runMin);
  store<f64>(to + 2 * column, within(runMean, runMin, runMax));
  store<f64>(to + 3 * column, runMax);
  store<u64>(to + 4 * column, count);
  if (deviation) store<f64>(to + 5 * column, Math.sqrt(runM2 / <f64>count));
}

/** Writes a window without points. */
@inline
function emitEmpty(state: usize, at: u64, to: usize, column: usize): void {
  store<i64>(to, load<i64>(state, START) + <i64>at);
  store<u64>(to + column, 0);
  store<u64>(to + 2 * column, 0);
  store<u64>(to + 3 * column, 0);
  store<u64>(to + 4 * column, 0);
  if (load<u32>(state, DEVIATION)) store<u64>(to + 5 * column, 0);
}

/** Adds the last run's statistics, of `count` points, to the open window. */
function merge(state: usize, count: u64): void {
  const before = load<u64>(state, COUNT);
  if (before == 0) {
    store<u64>(state, count, COUNT);
    store<f64>(state, runMean, MEAN);
    store<f64>(state, runM2, M2);
    store<f64>(state, runMin, MIN);
    store<f64>(state, runMax, MAX);
    return;
  }
  const a = <f64>before, b = <f64>count, n = a + b;
  const mean = load<f64>(state, MEAN);
  const distance = runMean - mean;
  store<u64>(state, before + count, COUNT);
  store<f64>(state, mean + distance * (b / n), MEAN);
  store<f64>(state, load<f64>(state, M2) + runM2 + distance * distance * (a * (b / n)), M2);
  if (runMin < load<f64>(state, MIN)) store<f64>(state, runMin, MIN);
  if (runMax > load<f64>(state, MAX)) store<f64>(state, runMax, MAX);
}

/** First index from `i` on that is at least `width` after `from`; `n` if there is none. */
function findEdge(times: usize, i: u32, n: u32, from: i64, width: u64, guess: u32): u32 {
  let low = i, high = n;
  let step: u32 = guess == 0 ? 1 : guess;
  // Gallop to an interval (low, high] that holds the edge, the guess first.
  let probe = i + step;
  if (probe < n && <u64>(load<i64>(times + (<usize>probe << 3)) - from) < width) {
    low = probe;
    step = 1;
    while (true) {
      probe = low + step;
      if (probe >= n) break;
      if (<u64>(load<i64>(times + (<usize>probe << 3)) - from) >= width) {
        high = probe;
        break;
      }
      low = probe;
      step <<= 1;
    }
  } else {
    if (probe < n) high = probe;
    step = 1;
    while (high - low > step) {
      probe = high - step;
      if (<u64>(load<i64>(times + (<usize>probe << 3)) - from) < width) {
        low = probe;
        break;
      }
      high = probe;
      step <<= 1;
    }
  }
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if (<u64>(load<i64>(times + (<usize>middle << 3)) - from) < width) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * Feeds the points `[from, n)`, which ascend, to the windows of `state`.
 *
 * @param points Columns of the points, `column` bytes apart: times and values, or, for `stat`,
 * times, min, mean, max, count and stddev.
 * @param to Columns of the windows, `toColumn` bytes apart, room for `capacity`.
 * @returns Index of the first point not used.
 */
export function rewindow(
  state: usize, stat: bool, points: usize, column: usize, from: u32, n: u32,
  to: usize, toColumn: usize, capacity: u32,
): u32 {
  const start = load<i64>(state, START), width = load<u64>(state, WIDTH);
  const dense = load<u32>(state, DENSE) != 0, deviation = load<u32>(state, DEVIATION) != 0;
  let left = load<u64>(state, LEFT), at = load<u64>(state, AT), guess = load<u32>(state, GUESS);
  let out = to;
  const outEnd = to + (<usize>capacity << 3);
  let status = DONE;
  let i = from;
  if (at == 0 && load<u64>(state, COUNT) == 0) {
    while (i < n && load<i64>(points + (<usize>i << 3)) < start) i++;
  }
  while (i < n) {
    const distance = <u64>(load<i64>(points + (<usize>i << 3)) - start);
    if (left != 0 && distance - at >= width) {
      if (load<u64>(state, COUNT) != 0) {
        if (out == outEnd) { status = FULL; break; }
        emit(state, at, out, toColumn);
        store<u64>(state, 0, COUNT);
        out += 8;
        at += width;
        left--;
      }
      if (left != 0 && distance - at >= width) {
        let gap = (distance - at) / width;
        if (gap >= left) {
          i = n;
          break;
        }
        if (dense) {
          while (gap != 0 && out < outEnd) {
            emitEmpty(state, at, out, toColumn);
            out += 8;
            at += width;
            left--;
            gap--;
          }
          if (gap != 0) { status = FULL; break; }
        } else {
          at += gap * width;
          left -= gap;
        }
      }
    }
    if (left == 0) {
      i = n;
      break;
    }
    const edge = findEdge(points, i, n, start + <i64>at, width, guess);
    const run = edge - i;
    let count: u64 = run;
    if (stat) count = statsOfStats(points + (<usize>i << 3), column, run, deviation);
    else statsOf(points + column + (<usize>i << 3), run, deviation);
    guess = run;
    i = edge;
    if (count == 0) continue;
    if (edge == n || out == outEnd || load<u64>(state, COUNT) != 0) {
      merge(state, count);
    } else {
      // The usual case, a window that begins and ends in this chunk, needs no state.
      emitRun(start + <i64>at, count, deviation, out, toColumn);
      out += 8;
      at += width;
      left--;
    }
  }
  store<u64>(state, left, LEFT);
  store<u64>(state, at, AT);
  store<u32>(state, <u32>((out - to) >> 3), EMITTED);
  store<u32>(state, status, STATUS);
  store<u32>(state, guess, GUESS);
  return i;
}

/** Emits what is left once all points were fed: the open window, and, if dense, those behind it. */
export function rewindowEnd(state: usize, to: usize, toColumn: usize, capacity: u32): void {
  const width = load<u64>(state, WIDTH);
  let left = load<u64>(state, LEFT), at = load<u64>(state, AT);
  let out = to;
  const outEnd = to + (<usize>capacity << 3);
  let status = DONE;
  if (load<u64>(state, COUNT) != 0) {
    if (out == outEnd) {
      status = FULL;
    } else {
      emit(state, at, out, toColumn);
      store<u64>(state, 0, COUNT);
      out += 8;
      at += width;
      left--;
    }
  }
  if (load<u32>(state, DENSE) != 0 && status == DONE) {
    while (left != 0 && out < outEnd) {
      emitEmpty(state, at, out, toColumn);
      out += 8;
      at += width;
      left--;
    }
    if (left != 0) status = FULL;
  }
  store<u64>(state, left, LEFT);
  store<u64>(state, at, AT);
  store<u32>(state, <u32>((out - to) >> 3), EMITTED);
  store<u32>(state, status, STATUS);
}
