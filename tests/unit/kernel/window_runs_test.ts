import { assert, assertEquals } from "@std/assert";
import { WindowRuns } from "../../../src/kernel/window_runs.ts";
import { leastAllocated } from "../../support/allocated_bytes.ts";

const SECONDS = 60, RATE = 120, WINDOWS_A_SECOND = 5, READS = 50;

/** Times of regular samples, with a gap of so many seconds before the last ten seconds. */
function samples(gap: bigint): BigInt64Array {
  return BigInt64Array.from({ length: SECONDS * RATE }, (_, i) => {
    const late = i >= (SECONDS - 10) * RATE ? gap * 1_000_000_000n : 0n;
    return (1n << 60n) + BigInt(i) * 1_000_000_000n / BigInt(RATE) + late;
  });
}

// A gap of a few seconds in a minute made every guess wrong at which point a window ends: each was then
// searched for with bigints, which cost a read of 300 windows 8 KB of objects and a third of its time.
Deno.test("WindowRuns: windows of near points make no objects, with a gap among them or without", () => {
  const runs = new WindowRuns();
  const windows = SECONDS * WINDOWS_A_SECOND, few = 8 * windows * READS;
  for (const gap of [0n, 4n]) {
    const times = samples(gap), values = new Float64Array(times.length);
    const bytes = leastAllocated(() => {
      for (let i = 0; i < READS; i++) {
        runs.find({ times, values }, 0, times.length, times[0]!, 200_000_000n);
        assertEquals(runs.reduce(0, 0), windows);
      }
    }, few);
    assert(bytes <= few, `${bytes} bytes with a gap of ${gap} s`);
  }
});
