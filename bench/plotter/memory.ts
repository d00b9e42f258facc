// deno-lint-ignore-file no-console -- a command line tool
/**
 * Memory of the plotter's page while it pans: an hour's frames, and more windows than it may keep.
 *
 * @module
 */

import type { Chromium, Page } from "../../tests/support/chromium.ts";
import { panPage } from "./page_pan.ts";

/** Frames between two looks. */
const FRAMES = 1_000;

/** Pixels in a frame: fast enough to fill the cache many times over. */
const PIXELS = 48;

/** Memory of a page, bytes. */
interface Memory {
  /** Heap of JavaScript and its buffers, after a collection. */
  readonly heap: number;
  /** Tiles that the page keeps. */
  readonly tiles: number;
  /** Resident memory of the page's process. */
  readonly resident: number;
}

async function memoryOf(browser: Chromium, page: Page): Promise<Memory> {
  await page.send("HeapProfiler.collectGarbage");
  const { usedSize, backingStorageSize = 0 } = await page.send("Runtime.getHeapUsage") as {
    usedSize: number;
    backingStorageSize?: number;
  };
  const tiles = await page.value<number>("Number(document.querySelector('.app').dataset.kept)");
  return { heap: usedSize + backingStorageSize, tiles, resident: await residentOf(browser) };
}

/** The largest resident memory of a process with a page: the other pages are empty. */
async function residentOf(browser: Chromium): Promise<number> {
  const { processInfo } = await browser.send("SystemInfo.getProcessInfo", {}) as {
    processInfo: { type: string; id: number }[];
  };
  let most = 0;
  for (const { type, id } of processInfo) {
    if (type !== "renderer") continue;
    const status = await Deno.readTextFile(`/proc/${id}/status`).catch(() => "");
    most = Math.max(most, 1024 * Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0));
  }
  return most;
}

/**
 * Pans for some minutes, and prints the memory of the page from time to time.
 *
 * @param goTo Shows a range that begins at a share of the data.
 */
export async function panForMinutes(
  browser: Chromium,
  page: Page,
  minutes: number,
  goTo: (share: number) => Promise<void>,
): Promise<void> {
  const seen: Memory[] = [];
  const endMs = performance.now() + 60_000 * minutes;
  const beganMs = performance.now();
  let [frames, nextMs] = [0, 0];
  for (let turn = 0; performance.now() < endMs; turn++) {
    // From the beginning of the data again before their end is reached.
    if (turn % 10 === 0) await goTo(0.01 + 0.09 * (turn / 10 % 10));
    await panPage(page, FRAMES, PIXELS);
    frames += FRAMES;
    if (performance.now() < nextMs) continue;
    nextMs = performance.now() + 1000 * Math.max(5, 60 * minutes / 30);
    const memory = await memoryOf(browser, page);
    seen.push(memory);
    const minute = ((performance.now() - beganMs) / 60_000).toFixed(1);
    console.log(`  ${minute} min, ${frames} frames: ${textOf(memory)}`);
  }
  if (seen.length < 4) return;
  const half = seen.slice(seen.length >> 1);
  const heaps = half.map(({ heap }) => heap);
  console.log(
    `  ${frames} frames, as many as ${
      (frames / 3600).toFixed(0)
    } min at 60 a second; in the second ` +
      `half the heap is ${mb(Math.min(...heaps))} to ${mb(Math.max(...heaps))}`,
  );
}

function textOf({ heap, tiles, resident }: Memory): string {
  return `heap ${mb(heap)}, tiles ${mb(tiles)}, process ${mb(resident)}`;
}

function mb(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
