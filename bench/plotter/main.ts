// deno-lint-ignore-file no-console -- a command line tool
/**
 * Measures the plotter in a headless Chromium: the first picture, panning with the page itself, and
 * panning beside uPlot, which take turns in one run.
 *
 *     deno task bench:plotter [--points N] [--file FILE] [--minutes M] [--frames N] [--rounds N]
 *
 * FILE is a database with eight streams in the collection `bench/line`; it is made if it is not there,
 * and kept. M minutes of scripted panning show whether the memory of the page is bounded. Goals are held against
 * CPU time of the page's thread: on a busy machine the wall time is that of others too.
 *
 * @module
 */

import { formatTime } from "../../src/core/time.ts";
import { Chromium, findChromium, type Page } from "../../tests/support/chromium.ts";
import { ServerProcess } from "../../tests/support/server_process.ts";
import { machine } from "../support/report.ts";
import { goal, quantile, spread } from "./figures.ts";
import { type FrameCosts, traceFrames } from "./frame_trace.ts";
import { panForMinutes } from "./memory.ts";
import { panPage } from "./page_pan.ts";
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

/** The module for the page with all it imports. */
async function bundled(): Promise<string> {
  const path = new URL("./panning.ts", import.meta.url).pathname;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--no-lock", "--quiet", "--platform", "browser", "--minify", path],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

async function opened(browser: Chromium, url: string): Promise<Page> {
  const page = await browser.page();
  const [width, height] = SIZE;
  const size = { width, height, deviceScaleFactor: 1, mobile: false };
  await page.send("Emulation.setDeviceMetricsOverride", size);
  await page.send("Page.setBypassCSP", { enabled: true });
  await page.open(url);
  return page;
}

const DRAWN = "document.querySelector('.app')?.dataset.pending === '0' && " +
  "Number(document.querySelector('.app').dataset.kept) > 10_000 && " +
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
const script = await bundled();

/** Loads the page again: it keeps no windows of before. */
async function load(): Promise<void> {
  await page.open(`${origin}/`);
  await page.until("document.querySelector('.tree-row')");
  await page.value(`import(URL.createObjectURL(new Blob(
    [${JSON.stringify(script)}], { type: "text/javascript" }))).then(() => 0)`);
}

await load();
for (const [key, value] of Object.entries(await machine())) console.log(`${key}: ${value}`);

const uuids = await page.value<string[]>(`streamsOf(${JSON.stringify(COLLECTION)})`);
if (uuids.length !== 8) throw new Error(`There are ${uuids.length} streams, expected 8`);
const whole = BigInt(points) * STEP;
console.log(`${uuids.length} streams of ${points} points`);

const plots = uuids.map((uuid, i) => `${uuid}.c${i}`).join(",");
const fragment = (start: bigint, end: bigint) =>
  `plots=${plots}&from=${formatTime(start)}&to=${formatTime(end)}`;
const pictures: number[] = [];
for (
  const [name, start, span] of [
    ["all of it", START, whole],
    ["a tenth", START + whole / 3n, whole / 10n],
    ["a thousandth", START + whole / 2n, whole / 1000n],
    ["a second", START + whole / 4n, 1_000_000_000n],
  ] as const
) {
  // What the server reads for the first time comes from the file.
  const times: number[] = [];
  for (let time = 0; time < 4; time++) {
    await load();
    times.push(await firstPicture(page, fragment(start, start + span)));
  }
  const [cold, ...warm] = times as [number, ...number[]];
  pictures.push(quantile(warm, 0.5));
  console.log(
    `first picture, ${name}: ${cold.toFixed(0)} ms cold, then ` +
      `${warm.map((ms) => ms.toFixed(0)).join(", ")} ms`,
  );
}
goal("median of a first picture on a warm server", Math.max(...pictures), 300, "ms");

const panned: Record<"btrdb" | "uPlot", (Panned & { costs: FrameCosts })[]> = {
  btrdb: [],
  uPlot: [],
};
for (let round = 0; round < ROUNDS; round++) {
  for (const name of ["btrdb", "uPlot"] as const) {
    const start = START + whole / 3n + BigInt(round) * whole / 20n;
    const args = [name, uuids, String(start), String(whole / 6n), SIZE, FRAMES];
    let result: Panned | undefined;
    const costs = await traceFrames(page, async () => {
      result = await page.value<Panned>(`pan(...${JSON.stringify(args)})`);
    });
    panned[name].push({ ...result!, costs });
    console.error(`… ${name}, round ${round + 1}`);
  }
}
for (const name of ["btrdb", "uPlot"] as const) {
  const all = panned[name];
  const [requests, pending] = (["requests", "pending"] as const).map((key) =>
    all.reduce((sum, one) => sum + one[key], 0)
  );
  const drawn = all.flatMap(({ costs }) => costs.js.slice(-FRAMES));
  console.log(
    `${name}, ${all.flatMap(({ js }) => js).length} frames: CPU of JS ${spread(drawn)}; wall ` +
      `${spread(all.flatMap(({ js }) => js))}; ${requests} requests, ${pending} frames incomplete`,
  );
}

const shown = await opened(
  browser,
  `${origin}/#${fragment(START + whole / 3n, START + whole / 2n)}`,
);
await shown.until(DRAWN);
const rounds: FrameCosts[] = [];
for (let i = 0; i < ROUNDS; i++) {
  rounds.push(await traceFrames(shown, () => panPage(shown, FRAMES, 6)));
  await shown.until(DRAWN);
}
const [js, wall, frame, tasks, collections] =
  (["js", "jsWall", "frame", "tasks", "collections"] as const)
    .map((key) => rounds.flatMap((one) => one[key])) as [
      number[],
      number[],
      number[],
      number[],
      number[],
    ];
console.log(`the page, ${js.length} frames: CPU of JS ${spread(js)}; wall ${spread(wall)}`);
console.log(`  with layout and paint: CPU ${spread(frame)}`);
console.log(
  `  ${collections.length} collections of garbage: CPU ${spread(collections)}, ` +
    `${collections.reduce((sum, one) => sum + one, 0).toFixed(0)} ms in all`,
);
goal("median of JavaScript a frame", quantile(js, 0.5), 8, "ms");
goal("p99 of JavaScript a frame", quantile(js, 0.99), 30, "ms");
goal("longest task", Math.max(...tasks), 100, "ms");

if (minutes > 0) {
  const span = whole / 2800n;
  console.log(`panning for ${minutes} min, 48 pixels a frame`);
  await panForMinutes(browser, shown, minutes, async (share) => {
    const start = START + whole * BigInt(Math.round(share * 1000)) / 1000n;
    await shown.value(`location.hash = ${JSON.stringify(fragment(start, start + span))}, 0`);
    await shown.until(DRAWN);
  });
}
