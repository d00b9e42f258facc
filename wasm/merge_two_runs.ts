// Sorted runs of points as one.

/**
 * Merges two sorted runs to `outTimes` and `outValues`; at equal times the points of the first run
 * come first.
 */
export function mergeTwoRuns(
  aTimes: usize,
  aValues: usize,
  na: u32,
  bTimes: usize,
  bValues: usize,
  nb: u32,
  outTimes: usize,
  outValues: usize,
): void {
  const aEnd = aTimes + (<usize>na << 3), bEnd = bTimes + (<usize>nb << 3);
  while (aTimes < aEnd && bTimes < bEnd) {
    const ta = load<i64>(aTimes), tb = load<i64>(bTimes);
    const first = ta <= tb;
    store<i64>(outTimes, first ? ta : tb);
    store<u64>(outValues, load<u64>(first ? aValues : bValues));
    const stepA: usize = first ? 8 : 0;
    const stepB: usize = 8 - stepA;
    aTimes += stepA;
    aValues += stepA;
    bTimes += stepB;
    bValues += stepB;
    outTimes += 8;
    outValues += 8;
  }
  memory.copy(outTimes, aTimes, aEnd - aTimes);
  memory.copy(outValues, aValues, aEnd - aTimes);
  outTimes += aEnd - aTimes;
  outValues += aEnd - aTimes;
  memory.copy(outTimes, bTimes, bEnd - bTimes);
  memory.copy(outValues, bValues, bEnd - bTimes);
}

/**
 * As {@link mergeTwoRuns}, of points with a third number each. The columns of a run are one after the
 * other, times, values, third numbers, `aColumn`, `bColumn` and `outColumn` bytes apart.
 */
export function mergeThreeColumns(
  a: usize,
  aColumn: usize,
  na: u32,
  b: usize,
  bColumn: usize,
  nb: u32,
  out: usize,
  outColumn: usize,
): void {
  const aEnd = a + (<usize>na << 3), bEnd = b + (<usize>nb << 3);
  while (a < aEnd && b < bEnd) {
    const ta = load<i64>(a), tb = load<i64>(b);
    const first = ta <= tb;
    const from = first ? a : b;
    const column = first ? aColumn : bColumn;
    store<i64>(out, first ? ta : tb);
    store<u64>(out + outColumn, load<u64>(from + column));
    store<u64>(out + (outColumn << 1), load<u64>(from + (column << 1)));
    const stepA: usize = first ? 8 : 0;
    a += stepA;
    b += 8 - stepA;
    out += 8;
  }
  const restA = aEnd - a, restB = bEnd - b;
  for (let column: usize = 0; column < 3; column++) {
    const to = out + column * outColumn;
    memory.copy(to, a + column * aColumn, restA);
    memory.copy(to + restA, b + column * bColumn, restB);
  }
}
