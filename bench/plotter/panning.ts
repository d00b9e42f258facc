/**
 * Panning as the plotter does it and with uPlot, in a page: the same windows from the same server,
 * the same frames, bands and axes in both. Bundled and given to the page by `main.ts`.
 *
 * @module
 */

import type { BTrDB } from "../../src/client/btrdb.ts";
import { CanvasPainter } from "../../src/plot/figure/canvas_painter.ts";
import { drawFigure } from "../../src/plot/figure/draw_figure.ts";
import { areaOf, type Figure, type Layout, layOut } from "../../src/plot/figure/layout.ts";
import { PALETTES } from "../../src/plot/figure/palette.ts";
import type { PixelColumns } from "../../src/plot/figure/pixel_columns.ts";
import { TileCache } from "../../src/web/plotter/tile_cache.ts";
import { connect } from "../../src/web/mod.ts";
// deno-lint-ignore no-import-prefix -- only benches have it
import uPlot from "npm:uplot@1.6.32";

/** Pixels by which the view moves in a frame. */
const MOVE = 6;

/** A way to draw a frame. */
interface Engine {
  readonly draw: (columns: readonly PixelColumns[], start: bigint, end: bigint) => unknown;
  readonly close: () => void;
}

/** Times of frames. */
export interface Panned {
  /** Time of JavaScript in each frame, ms. */
  readonly js: number[];
  /** Time from one frame to the next, ms. */
  readonly frames: number[];
  readonly requests: number;
  /** Frames in which something was still being read. */
  readonly pending: number;
}

/** Puts an element over the page: what is not seen is drawn late, all at once. */
function showOver(element: HTMLElement): void {
  Object.assign(element.style, { position: "fixed", inset: "0", zIndex: "99", background: "#fff" });
  document.body.append(element);
}

function nextFrame(): Promise<number> {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}

function ours(width: number, height: number): Engine {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  showOver(canvas);
  const painter = new CanvasPainter(canvas.getContext("2d")!, PALETTES.light);
  let layout: Layout | undefined;
  return {
    draw: (all, start, end) => {
      const series = all.map((columns, ink) => ({
        label: `phase-${ink}`,
        unit: "V",
        side: "left" as const,
        columns,
        ink,
      }));
      const auto = { kind: "auto" } as const;
      const plots = [{ series, left: auto, right: auto }];
      const shown = { zone: "UTC", band: true, density: false, legend: false };
      const figure: Figure = { width, height, start, end, plots, ...shown };
      layout = layOut(figure, layout);
      painter.rect(0, 0, width, height, "background");
      drawFigure(painter, figure, layout);
    },
    close: () => canvas.remove(),
  };
}

function theirs(width: number, height: number, streams: number): Engine {
  const { series: colors } = PALETTES.light;
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  for (let s = 0; s < streams; s++) {
    const color = colors[s % colors.length]!;
    const edge = { stroke: "transparent", width: 0, points: { show: false } };
    series.push(edge, { ...edge, stroke: color, width: 1.4 }, edge);
    bands.push({ series: [3 * s + 3, 3 * s + 1], fill: `${color}44` });
  }
  const root = document.createElement("div");
  showOver(root);
  const options = { width, height, series, bands, cursor: { show: false } };
  const plot = new uPlot({ ...options, legend: { show: false } }, [[], []], root);
  return {
    draw: async (all, start, end) => {
      const [{ length }] = all as [PixelColumns];
      const [from, to] = [Number(start) / 1e9, Number(end) / 1e9];
      const x = new Float64Array(length);
      for (let i = 0; i < length; i++) x[i] = from + (i + 0.5) * (to - from) / length;
      const data: [Float64Array, ...(number | null)[][]] = [x];
      for (const { min, mean, max, count } of all) {
        for (const values of [min, mean, max]) {
          const shown = new Array<number | null>(length);
          for (let i = 0; i < length; i++) shown[i] = count[i] === 0 ? null : values[i]!;
          data.push(shown);
        }
      }
      plot.setData(data);
      // It draws in a microtask.
      await Promise.resolve();
      await Promise.resolve();
    },
    close: () => {
      plot.destroy();
      root.remove();
    },
  };
}

let db: BTrDB | undefined;

/**
 * Pans.
 *
 * @param name Engine.
 * @param uuids Streams.
 * @param startText Start of the first view, ns since the Unix epoch.
 * @param spanText Length of a view, ns.
 */
async function pan(
  name: "btrdb" | "uPlot",
  uuids: readonly string[],
  startText: string,
  spanText: string,
  [width, height]: readonly [number, number],
  count: number,
): Promise<Panned> {
  db ??= await connect();
  const database = db;
  let [start, requests, pending] = [BigInt(startText), 0, 0];
  const span = BigInt(spanText);
  const cache = new TileCache({
    read: async ({ uuid, version, pointwidth, start, end }, signal) => {
      requests++;
      const stream = database.streamFromUUID(uuid);
      return await stream.alignedWindows(start, end, pointwidth, { version, signal }).collect();
    },
    onChange: () => {},
    onError: (error) => {
      throw error;
    },
  });
  const plots = [{ series: [{ side: "left" as const }] }];
  const { left, right } = areaOf(width, plots);
  const engine = name === "btrdb" ? ours(width, height) : theirs(width, height, uuids.length);
  const length = right - left;
  const by = span * BigInt(MOVE) / BigInt(length);
  const view = () => {
    cache.begin();
    const columns = uuids.map((uuid) => cache.columns(uuid, 0n, start, start + span, length));
    cache.end();
    return columns;
  };
  // Everything in the first view is here before it is drawn: a page that draws all the time reads late.
  view();
  while (cache.pending > 0) {
    await new Promise((go) => setTimeout(go, 20));
    view();
  }
  await engine.draw(view(), start, start + span);
  requests = 0;
  const js: number[] = [];
  const frames: number[] = [];
  let last = await nextFrame();
  for (let i = 0; i < count; i++) {
    start += by;
    const from = performance.now();
    await engine.draw(view(), start, start + span);
    js.push(performance.now() - from);
    if (cache.pending > 0) pending++;
    const now = await nextFrame();
    frames.push(now - last);
    last = now;
  }
  cache.close();
  engine.close();
  return { js, frames, requests, pending };
}

/** Ids of the streams of a collection, by name. */
async function streamsOf(collection: string): Promise<string[]> {
  db ??= await connect();
  const found: { uuid: string; name: string }[] = [];
  for await (const stream of db.lookupStreams(collection)) {
    found.push({ uuid: stream.uuid, name: (await stream.tags()).name ?? "" });
  }
  return found.sort((a, b) => a.name < b.name ? -1 : 1).map(({ uuid }) => uuid);
}

Object.assign(globalThis, { pan, streamsOf });
