import { assert } from "@std/assert";
import { allocStat } from "../../../src/core/columns.ts";
import { fillRegular } from "../../../src/core/regular_times.ts";
import { windowsSource } from "../../../src/grpc/read/window_sources.ts";
import { leastAllocated } from "../../support/allocated_bytes.ts";

const WINDOWS = 10_000;

/** Bytes of objects that are no matter, two a window; there were 70 and more. */
const FEW = 2 * WINDOWS;

// Every time of an answer took two bigints in the client, a fifth of all garbage of dashboards.
Deno.test("windowsSource: the check of windows that follow each other makes no objects", () => {
  const columns = allocStat(WINDOWS, true);
  fillRegular(columns.times, 1_000n, 200_000_000n);
  const range = { start: 1_000n, end: 1_000n + BigInt(WINDOWS) * 200_000_000n };
  const request = {
    uuid: new Uint8Array(16),
    ...range,
    width: 200_000_000n,
    depth: 0,
    version: 0n,
  };
  const bytes = leastAllocated(() => {
    windowsSource(request, range, true).take(columns);
  }, FEW);
  assert(bytes <= FEW, `${bytes} bytes`);
});
