/** Memory of objects. */

import { getHeapStatistics } from "node:v8";

/** Bytes of the objects that `work` makes, not counting the memory of typed arrays. */
export function allocatedBytes(work: () => void): number {
  const before = total();
  work();
  return total() - before;
}

/** The same of work that waits. */
export async function allocatedBytesOf(work: () => Promise<void>): Promise<number> {
  const before = total();
  await work();
  return total() - before;
}

/**
 * The same in the best of many rounds: in the first ones nothing is compiled yet, and numbers are
 * objects.
 *
 * @param enough No more rounds once it is so little.
 */
export function leastAllocated(work: () => void, enough: number): number {
  let least = Infinity;
  for (let round = 0; round < 20_000 && least > enough; round++) {
    least = Math.min(least, allocatedBytes(work));
  }
  return least;
}

/** Bytes of all objects made so far. */
function total(): number {
  const { total_allocated_bytes: bytes } = getHeapStatistics() as {
    total_allocated_bytes?: number;
  };
  if (bytes === undefined) throw new Error("this version of V8 does not count what it allocates");
  return bytes;
}
