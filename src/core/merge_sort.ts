/**
 * Sorting of long lists in steps.
 *
 * @module
 */

/** Items that are sorted, or merged, in one step. */
const STEP_ITEMS = 1_024;

/**
 * Sorts items; equal ones keep their order.
 *
 * @param items Not changed.
 * @param compare Below 0 if the first one comes before the second.
 * @returns The items in order; yields between steps.
 */
export function* sortInSteps<T>(
  items: readonly T[],
  compare: (a: T, b: T) => number,
): Generator<undefined, T[]> {
  let from: T[] = [];
  for (let at = 0; at < items.length; at += STEP_ITEMS) {
    for (const item of items.slice(at, at + STEP_ITEMS).sort(compare)) from.push(item);
    yield;
  }
  for (let width = STEP_ITEMS; width < items.length; width *= 2) {
    const to: T[] = [];
    for (let start = 0; start < from.length; start += 2 * width) {
      const middle = Math.min(start + width, from.length);
      const end = Math.min(start + 2 * width, from.length);
      for (let i = start, j = middle; i < middle || j < end;) {
        const takesFirst = j === end || (i < middle && compare(from[i]!, from[j]!) <= 0);
        to.push(from[takesFirst ? i++ : j++]!);
        if (to.length % STEP_ITEMS === 0) yield;
      }
    }
    from = to;
  }
  return from;
}
