// Points of several groups, in any order, to one run for each group: a stable counting sort.

/**
 * Copies n points to where their groups go on: `next[group]` is the index of the next point of the
 * group, and is moved on. A group of 2^32 − 1 is left out.
 */
export function scatterPoints(
  groups: usize,
  times: usize,
  values: usize,
  n: u32,
  next: usize,
  timesOut: usize,
  valuesOut: usize,
): void {
  for (let i: usize = 0; i < <usize>n; i++) {
    const group = load<u32>(groups + (i << 2));
    if (group == u32.MAX_VALUE) continue;
    const slot = next + (<usize>group << 2);
    const to = load<u32>(slot);
    store<u32>(slot, to + 1);
    store<i64>(timesOut + (<usize>to << 3), load<i64>(times + (i << 3)));
    store<f64>(valuesOut + (<usize>to << 3), load<f64>(values + (i << 3)));
  }
}
