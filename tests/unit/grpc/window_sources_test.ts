import { assert, assertEquals, assertThrows } from "@std/assert";
import { allocStat } from "../../../src/core/columns.ts";
import { fillRegular } from "../../../src/core/regular_times.ts";
import { alignedWindowsSource, windowsSource } from "../../../src/grpc/read/window_sources.ts";
import type { StatColumns } from "../../../src/core/columns.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
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

/** Windows of one point each. */
function windowsAt(...times: bigint[]): StatColumns {
  const columns = allocStat(times.length, false);
  columns.times.set(times);
  columns.count.fill(1n);
  return columns;
}

// Two messages whose windows overlap were taken as one answer, less the first window of the second
// message: all others of them came out twice.
Deno.test("alignedWindowsSource: windows that come again in the next message are refused", () => {
  const range = { uuid: new Uint8Array(16), start: 96n, end: 192n, version: 11n };
  for (const again of [[112n, 128n, 144n], [128n, 144n], [128n]]) {
    const source = alignedWindowsSource({ ...range, pointwidth: 4 }, false);
    source.request(11n);
    source.take(windowsAt(112n, 128n));
    assertThrows(() => source.take(windowsAt(...again)), BTrDBError, "came twice");
  }
});

Deno.test("alignedWindowsSource: the last nanosecond is asked for with the one before it, which is left out", () => {
  const range = { uuid: new Uint8Array(16), start: 100n, end: 103n, version: 11n };
  const source = alignedWindowsSource({ ...range, pointwidth: 0 }, false);
  source.request(11n);
  source.take(windowsAt(100n, 101n));
  source.request(11n);
  assertEquals([...source.take(windowsAt(101n, 102n)).times], [102n]);
  assertThrows(() => source.take(windowsAt(102n)), BTrDBError, "came twice");
});
