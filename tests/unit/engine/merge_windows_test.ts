import { assert, assertEquals } from "@std/assert";
import { allocStat } from "../../../src/core/columns.ts";
import { fillRegular } from "../../../src/core/regular_times.ts";
import { fillWindows } from "../../../src/engine/query/merge_windows.ts";
import { leastAllocated } from "../../support/allocated_bytes.ts";

const WINDOWS = 10_000;

/** Bytes of objects that are no matter, two a window; there were 70 and more. */
const FEW = 2 * WINDOWS;

// A dashboard of 300 windows that ends now has empty ones at its end. Every window of its answer took
// several bigints in the server, a quarter of all its garbage.
Deno.test("fillWindows: windows that follow each other make no objects", () => {
  const chunk = allocStat(WINDOWS, true);
  fillRegular(chunk.times, 1_000n, 200_000_000n);
  const [start, width] = [1_000n, 200_000_000n];
  // A gap before the last one.
  chunk.times[WINDOWS - 1] = start + BigInt(WINDOWS + 5) * width;
  const grid = { start, end: start + BigInt(WINDOWS + 10) * width, width };
  const bytes = leastAllocated(() => {
    for (const columns of fillWindows([chunk], grid, 2 * WINDOWS)) {
      assertEquals(columns!.times.length, WINDOWS + 10);
    }
  }, FEW);
  assert(bytes <= FEW, `${bytes} bytes`);
});
