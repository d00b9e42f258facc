/** The plotter's page in a browser, handled as a person does. */

import { assertEquals } from "@std/assert";
import { type BTrDB, connect, SECOND, toNanoseconds } from "@btrdb/btrdb";
import { serve, type ServeOptions, type Server } from "@btrdb/btrdb/server";
import { decodeView } from "../../src/web/plotter/view_fragment.ts";
import type { ViewState } from "../../src/web/plotter/view_state.ts";
import { Chromium, type Page } from "./chromium.ts";

/** First time of the streams that every test has. */
export const START: bigint = toNanoseconds("2026-01-01T00:00:00Z");

/** Points of each of them: ten minutes at 10 Hz. */
export const POINTS = 6_000;

/** Surroundings of a test of the plotter. */
export interface Surroundings {
  readonly page: PlotterPage;
  readonly db: BTrDB;
  readonly server: Server;
  readonly origin: string;
}

/** Options of {@linkcode withPlotter}. */
export interface PlotterOptions {
  /** Fragment of the address. */
  readonly fragment?: string;
  readonly serve?: ServeOptions;
  /**
   * Database without subscriptions that is shown instead of the one written to: a cluster of v4, or
   * the file as `serve --read-only` has it open.
   */
  readonly over?: "v4" | "read-only";
  /** Size of the window, CSS pixels. */
  readonly size?: readonly [width: number, height: number];
  /** Puts more into the database. */
  readonly fill?: (db: BTrDB) => Promise<void>;
  /** Emulated settings of the system, such as `prefers-color-scheme`. */
  readonly media?: Readonly<Record<string, string>>;
  readonly touch?: boolean;
  /** Pixels of the device a CSS pixel. */
  readonly scale?: number;
}

/** Two streams: a magnitude with one sample that is far away, and an angle. */
export async function fillSample(db: BTrDB): Promise<void> {
  const times = new BigInt64Array(POINTS);
  const magnitude = new Float64Array(POINTS);
  const angle = new Float64Array(POINTS);
  for (let i = 0; i < POINTS; i++) {
    times[i] = START + BigInt(i) * SECOND / 10n;
    magnitude[i] = 230 + 2 * Math.sin(i / 300) + 0.2 * Math.sin(i * 1.7);
    angle[i] = ((i * 0.31) % 360) - 180;
  }
  magnitude[4321] = 180;
  for (
    const [name, unit, values] of [["magnitude", "V", magnitude], ["angle", "deg", angle]] as const
  ) {
    const stream = await db.create(crypto.randomUUID(), "grid/pmu-1", { tags: { name, unit } });
    await stream.insert({ times, values });
    await stream.flush();
  }
}

/** Opens the plotter over a database in memory; fails if the page had any problem. */
export async function withPlotter(
  path: string,
  use: (surroundings: Surroundings) => Promise<void>,
  options: PlotterOptions = {},
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir();
  stack.defer(() => Deno.remove(folder, { recursive: true }));
  const target = options.over === "read-only" ? `file:${folder}/grid.btrdb` : "memory:";
  const db = stack.use(await connect(target));
  await fillSample(db);
  await options.fill?.(db);
  const cluster = options.over === "v4" ? stack.use(await serve(db, { port: 0 })) : undefined;
  const shown = cluster !== undefined
    ? stack.use(await connect(`127.0.0.1:${cluster.port}`, { protocol: "v4" }))
    : options.over === "read-only"
    ? stack.use(await connect(target, { embedded: { readOnly: true } }))
    : undefined;
  await using server = await serve(shown ?? db, {
    port: 0,
    hostname: "127.0.0.1",
    http: { port: 0 },
    ...options.serve,
  });
  const origin = `http://127.0.0.1:${server.httpPort}`;
  await using browser = await Chromium.start(path);
  const page = new PlotterPage(await browser.page());
  const [width, height] = options.size ?? [1280, 800];
  await page.resize(width, height, options.touch, options.scale);
  await page.media(options.media ?? {});
  await page.page.open(`${origin}/${options.fragment ?? ""}`);
  try {
    await use({ page, db, server, origin });
  } finally {
    await page.close();
  }
  assertEquals(page.page.problems, []);
}

/** Bits of modifiers in events of input. */
const MODIFIERS = { alt: 1, ctrl: 2, meta: 4, shift: 8 } as const;

/** Keys that are held. */
export type Modifier = keyof typeof MODIFIERS;

function bitsOf(held: readonly Modifier[]): number {
  return held.reduce((bits, name) => bits | MODIFIERS[name], 0);
}

/** A page with the plotter. */
export class PlotterPage {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Sets the size of the window. */
  async resize(width: number, height: number, isTouch = false, scale = 1): Promise<void> {
    const size = { width, height, deviceScaleFactor: scale, mobile: false };
    await this.page.send("Emulation.setDeviceMetricsOverride", size);
    if (isTouch) await this.page.send("Emulation.setTouchEmulationEnabled", { enabled: true });
  }

  /** Sets what the system prefers. */
  async media(features: Readonly<Record<string, string>>): Promise<void> {
    const list = Object.entries(features).map(([name, value]) => ({ name, value }));
    await this.page.send("Emulation.setEmulatedMedia", { features: list });
  }

  /** Texts of the rows of the tree, once it has been read. */
  async tree(): Promise<{ rows: string[]; summary: string }> {
    await this.page.until(
      "/^[\\d,]+( of [\\d,]+)? stream/.test(document.querySelector('.streams .summary')?.textContent) && document.querySelector('.tree-row')",
    );
    const rows = await this.page.value<string[]>(
      "[...document.querySelectorAll('.tree-row .name')].map((row) => row.textContent)",
    );
    const summary = await this.page.value<string>(
      "document.querySelector('.streams .summary').textContent",
    );
    return { rows, summary };
  }

  /** Clicks the row of the tree with a name. */
  async choose(name: string): Promise<void> {
    await this.tree();
    await this.click(await this.center(`.tree-row .name`, name));
  }

  /** The middle of the first element that fits, and has a text if one is given. */
  async center(selector: string, text?: string): Promise<[x: number, y: number]> {
    const find = `[...document.querySelectorAll(${JSON.stringify(selector)})].find((one) => ${
      text === undefined ? "true" : `one.textContent.trim() === ${JSON.stringify(text)}`
    })`;
    await this.page.until(find);
    return await this.page.value(
      `(() => { const { left, top, width, height } = ${find}.getBoundingClientRect();
        return [left + width / 2, top + height / 2]; })()`,
    );
  }

  /** Waits until everything in view is there and drawn, and the address says which view it is. */
  async settled(): Promise<void> {
    // What was done last is in the frame that comes; only then is known what is to be read for it.
    await this.#frames();
    await this.page.until(
      "document.querySelector('.app')?.dataset.pending === '0' && document.querySelector('.chip') " +
        "&& document.body.dataset.address !== 'behind'",
    );
    await this.#frames();
  }

  async #frames(): Promise<void> {
    await this.page.value(
      "new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))",
    );
  }

  /** The view that the address says, once it says the one on show. */
  async view(): Promise<ViewState> {
    await this.#frames();
    await this.page.until("document.body.dataset.address !== 'behind'");
    return decodeView((await this.page.value<string>("location.hash")).slice(1)).view;
  }

  /** Names in the legends. */
  async chips(): Promise<string[]> {
    return await this.page.value(
      "[...document.querySelectorAll('.chip .name')].map((one) => one.textContent)",
    );
  }

  /** Clicks. */
  async click([x, y]: readonly [number, number], count = 1): Promise<void> {
    await this.mouse("mouseMoved", x, y);
    for (let clickCount = 1; clickCount <= count; clickCount++) {
      for (const type of ["mousePressed", "mouseReleased"]) {
        await this.mouse(type, x, y, { button: "left", clickCount });
      }
    }
  }

  /** Presses, moves in steps, and lets go. */
  async drag(
    [fromX, fromY]: readonly [number, number],
    [toX, toY]: readonly [number, number],
    held: readonly Modifier[] = [],
  ): Promise<void> {
    const modifiers = bitsOf(held);
    await this.mouse("mouseMoved", fromX, fromY, { modifiers });
    await this.mouse("mousePressed", fromX, fromY, { button: "left", clickCount: 1, modifiers });
    for (let step = 1; step <= 8; step++) {
      const [x, y] = [fromX + (toX - fromX) * step / 8, fromY + (toY - fromY) * step / 8];
      await this.mouse("mouseMoved", x, y, { button: "left", buttons: 1, modifiers });
    }
    await this.mouse("mouseReleased", toX, toY, { button: "left", clickCount: 1, modifiers });
  }

  /** Turns the wheel. */
  async wheel(x: number, y: number, deltaY: number, held: readonly Modifier[] = []): Promise<void> {
    await this.mouse("mouseWheel", x, y, { deltaX: 0, deltaY, modifiers: bitsOf(held) });
  }

  #downloads: string | undefined;

  /** Bounds what the page receives, bytes a second; `undefined` for no bound. */
  async throttle(bytesPerSecond: number | undefined): Promise<void> {
    await this.page.send("Network.enable", {});
    await this.page.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: 0,
      downloadThroughput: bytesPerSecond ?? -1,
      uploadThroughput: -1,
    });
  }

  /** Keeps files that the page saves. */
  async captureDownloads(): Promise<void> {
    this.#downloads = await Deno.makeTempDir();
    const options = { behavior: "allow", downloadPath: this.#downloads };
    await this.page.send("Browser.setDownloadBehavior", options);
  }

  /** Names of the files that were saved, complete or not. */
  async downloads(): Promise<string[]> {
    return (await Array.fromAsync(Deno.readDir(this.#downloads!))).map(({ name }) => name);
  }

  /**
   * The next file that was saved. Chromium first makes a hidden one, then one that ends in `.crdownload`,
   * and an empty one with the name that it will have.
   */
  async download(): Promise<{ name: string; bytes: Uint8Array }> {
    for (let tries = 0; tries < 1_000; tries++) {
      for (const name of await this.downloads()) {
        if (name.startsWith(".") || name.endsWith(".crdownload")) continue;
        const path = `${this.#downloads}/${name}`;
        const bytes = await Deno.readFile(path);
        if (bytes.length === 0) continue;
        await Deno.remove(path);
        return { name, bytes };
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error("Nothing was saved");
  }

  /** Removes what was kept. */
  async close(): Promise<void> {
    if (this.#downloads !== undefined) await Deno.remove(this.#downloads, { recursive: true });
  }

  /** Sends an event of the mouse. */
  async mouse(
    type: string,
    x: number,
    y: number,
    more: Record<string, unknown> = {},
  ): Promise<void> {
    await this.page.send("Input.dispatchMouseEvent", { type, x, y, ...more });
  }

  /** Presses a key. */
  async key(key: string, held: readonly Modifier[] = []): Promise<void> {
    const text = key.length === 1 ? key : key === "Enter" ? "\r" : undefined;
    const event = { key, modifiers: bitsOf(held), windowsVirtualKeyCode: codeOf(key) };
    await this.page.send("Input.dispatchKeyEvent", { type: "keyDown", ...event, text });
    await this.page.send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  /** Types text into what has the focus. */
  async type(text: string): Promise<void> {
    await this.page.send("Input.insertText", { text });
  }
}

const CODES: Readonly<Record<string, number>> = {
  Enter: 13,
  Escape: 27,
  Backspace: 8,
  Tab: 9,
  Home: 36,
  End: 35,
  PageUp: 33,
  PageDown: 34,
  ArrowLeft: 37,
  ArrowUp: 38,
  ArrowRight: 39,
  ArrowDown: 40,
};

function codeOf(key: string): number {
  return CODES[key] ?? key.toUpperCase().charCodeAt(0);
}
