/**
 * Binary search in columns of times.
 *
 * @module
 */

/** First index in `[from, to)` with a time at or after `time`; `to` if there is none. */
export function lowerBound(
  times: BigInt64Array,
  time: bigint,
  from = 0,
  to: number = times.length,
): number {
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (times[middle]! < time) from = middle + 1;
    else to = middle;
  }
  return from;
}

/**
 * As {@linkcode lowerBound}, for answers near `from`: looks at 1, 2, 4, … elements ahead before it
 * bisects.
 */
export function gallop(times: BigInt64Array, time: bigint, from: number, to: number): number {
  let step = 1;
  let low = from;
  while (low < to && times[low]! < time) {
    const next = low + step;
    if (next >= to) return lowerBound(times, time, low + 1, to);
    if (times[next]! >= time) return lowerBound(times, time, low + 1, next);
    low = next;
    step *= 2;
  }
  return low;
}
