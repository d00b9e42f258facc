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
    windowsSource(request, range, true, false).take(columns);
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

// Of any server one window too many was taken, as a real one sends it: points behind the range.
Deno.test("windowsSource: a window at the end of the range is taken of servers that send it, of no others", () => {
  const range = { uuid: new Uint8Array(16), start: 100n, end: 120n, version: 11n };
  const request = { ...range, width: 10n, depth: 0 };
  const windows = windowsAt(100n, 110n, 120n);
  assertEquals(windowsSource(request, range, false, true).take(windows).times, windows.times);
  const strict = windowsSource(request, range, false, false);
  assertThrows(() => strict.take(windows), BTrDBError, "it has windows outside 100 to 120");
});

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
