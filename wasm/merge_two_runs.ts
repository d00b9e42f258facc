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
