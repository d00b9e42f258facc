/**
 * Costs of frames in a page, from a trace of the browser: the thread's CPU time beside the wall
 * time, which on a busy machine is that of others too.
 *
 * @module
 */

import type { Page } from "../../tests/support/chromium.ts";

/** Categories of the trace. */
const CATEGORIES = ["devtools.timeline", "toplevel", "v8", "disabled-by-default-v8.gc"];

/** Costs of frames, ms. */
export interface FrameCosts {
  /** CPU time of JavaScript in each frame. */
  readonly js: number[];
  /** Wall time of the same. */
  readonly jsWall: number[];
  /** CPU time of the whole task of each frame: JavaScript, style, layout, paint. */
  readonly frame: number[];
  /** CPU time of every task of the page's main thread. */
  readonly tasks: number[];
  /** CPU time of every collection of garbage in it. */
  readonly collections: number[];
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Begin, µs. */
  readonly ts: number;
  readonly dur?: number;
  /** CPU time of the thread, µs. */
  readonly tdur?: number;
}

/** Runs something in a page, and tells what its frames cost. */
export async function traceFrames(page: Page, run: () => Promise<void>): Promise<FrameCosts> {
  const events: TraceEvent[] = [];
  const stop = page.on("Tracing.dataCollected", ({ value }) => {
    for (const event of value as TraceEvent[]) if (event.ph === "X") events.push(event);
  });
  await page.send("Tracing.start", {
    transferMode: "ReportEvents",
    traceConfig: { includedCategories: CATEGORIES, excludedCategories: ["*"] },
  });
  await run();
  const complete = new Promise<void>((resolve) => {
    const heard = page.on("Tracing.tracingComplete", () => {
      heard();
      resolve();
    });
  });
  await page.send("Tracing.end");
  await complete;
  stop();
  return costsOf(events);
}

function costsOf(events: readonly TraceEvent[]): FrameCosts {
  const frames = events.filter(({ name }) => name === "FireAnimationFrame");
  const { pid, tid } = busiest(frames);
  const own = events.filter((event) => event.pid === pid && event.tid === tid)
    .sort((a, b) => a.ts - b.ts);
  const tasks = own.filter(({ name }) => name.endsWith("RunTask"));
  const costs: FrameCosts = { js: [], jsWall: [], frame: [], tasks: [], collections: [] };
  for (const { name, tdur } of own) {
    if (name === "MinorGC" || name === "MajorGC") costs.collections.push(ms(tdur));
  }
  const callbacks = own.filter(({ name }) => name === "FireAnimationFrame");
  let next = 0;
  for (const task of tasks) {
    costs.tasks.push(ms(task.tdur));
    const end = task.ts + (task.dur ?? 0);
    let [js, wall, count] = [0, 0, 0];
    for (; next < callbacks.length && callbacks[next]!.ts <= end; next++, count++) {
      js += ms(callbacks[next]!.tdur);
      wall += ms(callbacks[next]!.dur);
    }
    if (count === 0) continue;
    costs.js.push(js);
    costs.jsWall.push(wall);
    costs.frame.push(ms(task.tdur));
  }
  return costs;
}

/** The thread that drew most frames: other pages have theirs. */
function busiest(frames: readonly TraceEvent[]): { pid: number; tid: number } {
  const counts = new Map<string, { pid: number; tid: number; n: number }>();
  for (const { pid, tid } of frames) {
    const known = counts.get(`${pid}/${tid}`) ?? { pid, tid, n: 0 };
    counts.set(`${pid}/${tid}`, { ...known, n: known.n + 1 });
  }
  const [first] = [...counts.values()].sort((a, b) => b.n - a.n);
  if (first === undefined) throw new Error("The trace has no frame");
  return first;
}

function ms(us: number | undefined): number {
  return (us ?? 0) / 1000;
}
