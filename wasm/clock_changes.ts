// Clock times of a place to UTC, where clocks are set forward and back.

import { DAY_NS } from "./calendar";
import { zoneSaid } from "./parse_zone";
import {
  noteDoubtful,
  noteMissing,
  parsedTime,
  setParsedTime,
  timeBefore,
  timeDistance,
} from "./parsed_time";

/** Changes of the clocks of a place: number, and (since UTC, ns ahead from then on) for each. */
let changes: usize = 0;
let changeCount: i32 = 0;
/** Clock times in [safeFrom, safeTo) have this offset alone. */
let safeFrom: i64 = 1;
let safeTo: i64 = 0;
let safeOffset: i64 = 0;

/** Sets the changes of the clocks of a place; 0 of them: offsets are fixed. */
export function setTimeZone(at: usize, count: i32): void {
  changes = at;
  changeCount = count;
  safeFrom = 1;
  safeTo = 0;
}

// @ts-ignore: decorator
@inline
function changeAt(i: i32): i64 {
  return load<i64>(changes + (<usize>i << 4));
}

// @ts-ignore: decorator
@inline
function offsetAfter(i: i32): i64 {
  return load<i64>(changes + (<usize>i << 4), 8);
}

/** The time that clocks show, to UTC, if the text did not say its zone; false if there is none. */
export function zonedTime(): bool {
  if (zoneSaid || changeCount == 0) return true;
  const local = parsedTime();
  if (local >= safeFrom && local < safeTo) {
    setParsedTime(local - safeOffset);
    return true;
  }
  let low = 0, high = changeCount - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (changeAt(middle) <= local + DAY_NS) low = middle;
    else high = middle - 1;
  }
  // The last change that may have been; offsets are less than a day, so at most a few are near.
  let first: i64 = 0, second: i64 = 0, found = 0, i = low;
  for (; i >= 0 && i > low - 6; i--) {
    const utc = local - offsetAfter(i);
    const next = i + 1 < changeCount ? changeAt(i + 1) : i64.MAX_VALUE;
    if (utc < changeAt(i) || utc >= next) continue;
    if (found == 0) second = utc;
    first = utc;
    found++;
    const from = i == 0 ? i64.MIN_VALUE : changeAt(i) + max(offsetAfter(i), offsetAfter(i - 1));
    const to = i + 1 == changeCount
      ? i64.MAX_VALUE
      : next + min(offsetAfter(i), offsetAfter(i + 1));
    if (local >= from && local < to) {
      safeFrom = from;
      safeTo = to;
      safeOffset = offsetAfter(i);
    }
  }
  if (found == 0) {
    noteMissing();
    return false;
  }
  setParsedTime(found == 1 ? first : ofTwo(first, second));
  return true;
}

/**
 * The one of two times that the rows before lead to: where clocks go back, the one nearer to a step
 * like the last; where they go on, the first, but for a step of just the same length. Unsure, unless
 * one is twice as near as the other.
 */
function ofTwo(first: i64, second: i64): i64 {
  const before = timeBefore();
  if (before == i64.MIN_VALUE) {
    noteDoubtful();
    return first;
  }
  const expected = before + timeDistance();
  const a = first > expected ? first - expected : expected - first;
  const b = second > expected ? second - expected : expected - second;
  const isSecond = first > before ? b == 0 : b <= a;
  const half = (isSecond ? a : b) >> 1;
  if ((isSecond ? b : a) > half) noteDoubtful();
  return isSecond ? second : first;
}
