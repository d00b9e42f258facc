// deno-lint-ignore-file no-console -- a command line tool
/**
 * Makes the pictures of docs/plotter.md in a headless Chromium: `deno task gen:pictures [ECG.csv.gz]`.
 *
 * The streams are those of the demo, and an electrocardiogram in BTrDB's export format if one is
 * given; without it, its pictures stay as they are.
 *
 * @module
 */

import { type BTrDB, connect, toNanoseconds } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { withStream } from "../src/web/plotter/view_changes.ts";
import { encodeView } from "../src/web/plotter/view_fragment.ts";
import { EMPTY_VIEW, type ViewState } from "../src/web/plotter/view_state.ts";
import { Chromium, findChromium, type Page } from "../tests/support/chromium.ts";
import { readRecording } from "./demo/csv_input.ts";
import { extentOf, type Recording } from "./demo/recording.ts";
import { makeSignals } from "./demo/signals.ts";
import { openStreams } from "./demo/store.ts";

const FOLDER = new URL("../docs/images/", import.meta.url);
const MAX_BYTES = 200_000;
const [WIDTH, HEIGHT] = [1200, 680];

/** Pixels of the device in a CSS pixel, the best first. */
const SCALES = [1.5, 1.25, 1];

/** A picture. */
interface Picture {
  readonly name: string;
  /** Names of streams. */
  readonly streams: readonly string[];
  readonly start: bigint;
  readonly end: bigint;
  readonly isDark?: boolean;
  /** Clicks that set cursors, CSS pixels, and the place of the pointer after them. */
  readonly clicks?: readonly (readonly [x: number, y: number])[];
  readonly pointer?: readonly [x: number, y: number];
}

async function store(db: BTrDB, recording: Recording): Promise<void> {
  const streams = await openStreams(db, recording);
  for (const [i, series] of recording.series.entries()) {
    await streams[i]!.insert(series.columns);
    await streams[i]!.flush();
  }
}

async function viewOf(db: BTrDB, { streams, start, end }: Picture): Promise<ViewState> {
  let view: ViewState = { ...EMPTY_VIEW, range: { start, end } };
  const units = new Map<string, string | undefined>();
  for (const name of streams) {
    for await (const stream of db.lookupStreams("", { isCollectionPrefix: true, tags: { name } })) {
      units.set(stream.uuid, (await stream.tags()).unit ?? undefined);
      view = withStream(view, stream.uuid, (uuid) => units.get(uuid));
    }
  }
  return view;
}

/** The picture with as many pixels as the size of a file allows. */
async function sharpest(page: Page): Promise<Uint8Array<ArrayBuffer>> {
  const size = { width: WIDTH, height: HEIGHT, mobile: false };
  for (const deviceScaleFactor of SCALES) {
    await page.send("Emulation.setDeviceMetricsOverride", { ...size, deviceScaleFactor });
    await page.value("new Promise((go) => setTimeout(go, 2_000))");
    await page.until("!document.body.textContent.includes('reading')");
    const png = await page.screenshot();
    if (png.length <= MAX_BYTES) return png;
  }
  throw new Error(`A picture is larger than ${MAX_BYTES} bytes`);
}

async function take(page: Page, url: string, picture: Picture): Promise<void> {
  const scheme = picture.isDark ? "dark" : "light";
  const features = [{ name: "prefers-color-scheme", value: scheme }];
  await page.send("Emulation.setEmulatedMedia", { features });
  await page.open("about:blank");
  await page.open(url);
  await page.until("document.querySelector('.app')?.dataset.pending === '0'");
  await page.until("/^\\d+ stream/.test(document.querySelector('.summary').textContent)");
  await page.until("document.querySelector('.chip .name').textContent.length < 20");
  const send = (type: string, [x, y]: readonly [number, number], more = {}) =>
    page.send("Input.dispatchMouseEvent", { type, x, y, ...more });
  for (const place of picture.clicks ?? []) {
    await send("mouseMoved", place);
    await send("mousePressed", place, { button: "left", clickCount: 1 });
    await send("mouseReleased", place, { button: "left", clickCount: 1 });
    await page.value("new Promise((go) => setTimeout(go, 700))");
  }
  if (picture.pointer !== undefined) await send("mouseMoved", picture.pointer);
  await page.value("new Promise((go) => setTimeout(go, 1500))");
  const png = await sharpest(page);
  await Deno.writeFile(new URL(`${picture.name}.png`, FOLDER), png);
  console.log(`docs/images/${picture.name}.png: ${png.length} bytes`);
}

const path = findChromium("pictures");
if (path === undefined) Deno.exit(1);
await Deno.mkdir(FOLDER, { recursive: true });
await using db = await connect("memory:");
await store(db, makeSignals());
const at = toNanoseconds;
const pictures: Picture[] = [
  {
    name: "plotter",
    streams: ["L1MAG", "L2MAG", "L3MAG", "L1ANG"],
    start: at("2026-01-01T00:06:08Z"),
    end: at("2026-01-01T00:06:18Z"),
    pointer: [730, 190],
  },
  {
    name: "plotter-whole",
    streams: ["L1MAG", "L2MAG", "L3MAG", "L1ANG"],
    start: at("2025-12-31T23:59:50Z"),
    end: at("2026-01-01T00:10:10Z"),
  },
  {
    name: "plotter-cursors",
    streams: ["L1MAG", "L2MAG", "L3MAG"],
    start: at("2026-01-01T00:06:12.300Z"),
    end: at("2026-01-01T00:06:13.100Z"),
    isDark: true,
    clicks: [[488, 300], [686, 300]],
  },
];
const [ecg] = Deno.args;
if (ecg !== undefined) {
  const recording = await readRecording(ecg);
  await store(db, recording);
  const { start, end } = extentOf(recording);
  const streams = recording.series.slice(0, 1).map(({ name }) => name);
  const middle = (start + end) / 2n;
  pictures.push({ name: "plotter-ecg", streams, start, end });
  pictures.push({
    name: "plotter-ecg-beat",
    streams,
    start: middle,
    end: middle + 1_200_000_000n,
    pointer: [700, 300],
  });
}
await using server = await serve(db, { port: 0, http: { port: 0 } });
await using browser = await Chromium.start(path);
const page = await browser.page();
const size = { width: WIDTH, height: HEIGHT, deviceScaleFactor: 1, mobile: false };
await page.send("Emulation.setDeviceMetricsOverride", size);
for (const picture of pictures) {
  const fragment = encodeView(await viewOf(db, picture));
  await take(page, `http://127.0.0.1:${server.httpPort}/#${fragment}`, picture);
}
if (page.problems.length > 0) throw new Error(page.problems.join("\n"));
