// deno-lint-ignore-file no-console -- a command line tool
/**
 * Measures the plotter in a headless Chromium: the first picture, panning with the page itself, and
 * panning beside uPlot, which take turns in one run.
 *
 *     deno task bench:plotter [--points N] [--file FILE] [--minutes M] [--frames N] [--rounds N]
 *
 * FILE is a database with eight streams in the collection `bench/line`; without one, it is made. M
 * minutes of scripted panning show whether the memory of the page is bounded.
 *
 * @module
 */

import { Chromium, findChromium, type Page } from "../../tests/support/chromium.ts";
import { ServerProcess } from "../../tests/support/server_process.ts";
import { machine } from "../support/report.ts";
import type { Panned } from "./panning.ts";
import { COLLECTION, START, STEP } from "./streams.ts";

/** Size of the page, CSS pixels. */
const SIZE = [2000, 1100] as const;

/** Frames of each panning. */
const FRAMES = Number(argument("--frames") ?? 150);

/** Rounds in which both take their turns. */
const ROUNDS = Number(argument("--rounds") ?? 5);

function argument(name: string): string | undefined {
  const at = Deno.args.indexOf(name);
  return at < 0 ? undefined : Deno.args[at + 1];
}

function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

function spread(values: readonly number[]): string {
  const [median, slow, most] = [0.5, 0.99, 1].map((share) => quantile(values, share).toFixed(1));
  return `median ${median} ms, p99 ${slow} ms, most ${most} ms`;
}

/** The module for the page with all it imports. */
async function bundled(): Promise<string> {
  const path = new URL("./panning.ts", import.meta.url).pathname;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--no-lock", "--quiet", "--platform", "browser", "--minify", path],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** Times the callbacks of frames, and the tasks that are too long. */
const WATCH = `
  window.seen = { js: [], long: [] };
  const ask = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (draw) => ask((time) => {
    const from = performance.now();
    draw(time);
    window.seen.js.push(performance.now() - from);
  });
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) window.seen.long.push(duration);
  }).observe({ type: "longtask" });
`;

async function opened(browser: Chromium, url: string): Promise<Page> {
  const page = await browser.page();
  const [width, height] = SIZE;
  const size = { width, height, deviceScaleFactor: 1, mobile: false };
  await page.send("Emulation.setDeviceMetricsOverride", size);
  await page.send("Page.setBypassCSP", { enabled: true });
  await page.send("Page.addScriptToEvaluateOnNewDocument", { source: WATCH });
  await page.open(url);
  return page;
}

const DRAWN = "document.querySelector('.app')?.dataset.pending === '0' && " +
  "document.querySelectorAll('.chip').length === 8";

/** Time from a change of the address until everything is drawn, ms. */
async function firstPicture(page: Page, fragment: string): Promise<number> {
  return await page.value(`(async () => {
    const from = performance.now();
    location.hash = ${JSON.stringify(fragment)};
    do await new Promise(requestAnimationFrame); while (!(${DRAWN}));
    return performance.now() - from;
  })()`);
}

/** Drags over the figure, there and back, as a hand does. */
async function drag(page: Page, steps: number): Promise<void> {
  const { x, y } = await page.value<{ x: number; y: number }>(
    "(() => { const { right, top } = document.querySelector('.figure').getBoundingClientRect();" +
      "return { x: right - 120, y: top + 200 }; })()",
  );
  const mouse = (type: string, at: number, more = {}) =>
    page.send("Input.dispatchMouseEvent", { type, x: at, y, button: "left", ...more });
  await mouse("mousePressed", x, { clickCount: 1 });
  for (let step = 1; step <= steps; step++) await mouse("mouseMoved", x - 6 * step, { buttons: 1 });
  await mouse("mouseReleased", x - 6 * steps, { clickCount: 1 });
}

const path = findChromium("the bench of the plotter");
if (path === undefined) Deno.exit(1);
const points = Number(argument("--points") ?? 2_000_000);
const minutes = Number(argument("--minutes") ?? 0);
const file = argument("--file");
const program = "bench/plotter/serve.ts";
await using server = await ServerProcess.start(program, [String(points), ...(file ? [file] : [])]);
await using browser = await Chromium.start(path);
const origin = `http://127.0.0.1:${server.port}`;
const page = await opened(browser, `${origin}/`);
await page.until("document.querySelector('.tree-row')");
for (const [key, value] of Object.entries(await machine())) console.log(`${key}: ${value}`);

await page.value(`import(URL.createObjectURL(new Blob(
  [${JSON.stringify(await bundled())}], { type: "text/javascript" }))).then(() => 0)`);
const uuids = await page.value<string[]>(`streamsOf(${JSON.stringify(COLLECTION)})`);
if (uuids.length !== 8) throw new Error(`There are ${uuids.length} streams, expected 8`);
const whole = BigInt(points) * STEP;
console.log(`${uuids.length} streams of ${points} points`);

const plots = uuids.map((uuid, i) => `${uuid}.c${i}`).join(",");
const fragment = (start: bigint, end: bigint) => `plots=${plots}&from=${start}&to=${end}`;
for (
  const [name, start, span] of [
    ["all of it", START, whole],
    ["all of it, again", START, whole],
    ["a tenth", START + whole / 3n, whole / 10n],
    ["a thousandth", START + whole / 2n, whole / 1000n],
    ["a second", START + whole / 4n, 1_000_000_000n],
  ] as const
) {
  await page.value("location.hash = '', new Promise((go) => setTimeout(go, 500))");
  const ms = await firstPicture(page, fragment(start, start + span));
  console.log(`first picture, ${name}: ${ms.toFixed(0)} ms`);
}

const panned: Record<"btrdb" | "uPlot", Panned[]> = { btrdb: [], uPlot: [] };
for (let round = 0; round < ROUNDS; round++) {
  for (const name of ["btrdb", "uPlot"] as const) {
    const start = START + whole / 3n + BigInt(round) * whole / 20n;
    const args = [name, uuids, String(start), String(whole / 6n), SIZE, FRAMES];
    panned[name].push(await page.value<Panned>(`pan(...${JSON.stringify(args)})`));
    console.error(`… ${name}, round ${round + 1}`);
  }
}
for (const name of ["btrdb", "uPlot"] as const) {
  const js = panned[name].flatMap((one) => one.js);
  const frames = panned[name].flatMap((one) => one.frames);
  const [requests, pending] = (["requests", "pending"] as const).map((key) =>
    panned[name].reduce((sum, one) => sum + one[key], 0)
  );
  console.log(
    `${name}, ${js.length} frames: JS ${spread(js)}; frame ${
      quantile(frames, 0.5).toFixed(0)
    } ms; ` +
      `${requests} requests, ${pending} frames incomplete`,
  );
}

const shown = await opened(
  browser,
  `${origin}/#${fragment(START + whole / 3n, START + whole / 2n)}`,
);
await shown.until(DRAWN);
for (let i = 0; i < ROUNDS; i++) {
  await shown.value("seen = { js: [], long: [] }, 0");
  await drag(shown, FRAMES);
  await shown.until(DRAWN);
  const { js, long } = await shown.value<{ js: number[]; long: number[] }>("seen");
  console.log(
    `the page, ${js.length} frames: JS ${spread(js)}; ${long.length} tasks above 50 ms` +
      (long.length > 0 ? `, longest ${Math.max(...long).toFixed(0)} ms` : ""),
  );
}

/** Size of the heap after a collection, MB. */
async function heap(of: Page): Promise<string> {
  await of.send("HeapProfiler.collectGarbage");
  const { usedSize, backingStorageSize = 0 } = await of.send("Runtime.getHeapUsage") as {
    usedSize: number;
    backingStorageSize?: number;
  };
  return `${((usedSize + backingStorageSize) / 1e6).toFixed(0)} MB`;
}

const endMs = Date.now() + 60_000 * minutes;
for (let turn = 0; Date.now() < endMs; turn++) {
  if (turn % 20 === 0) console.log(`after ${turn} drags: ${await heap(shown)}`);
  await drag(shown, FRAMES);
}
console.log(`at the end: ${await heap(shown)}`);
