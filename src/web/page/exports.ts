/**
 * Everything that leaves the page: pictures, tables, links and snippets.
 *
 * @module
 */

import type { BTrDB } from "../../client/btrdb.ts";
import { drawFigure } from "../../plot/figure/draw_figure.ts";
import { layOut } from "../../plot/figure/layout.ts";
import type { Palette } from "../../plot/figure/palette.ts";
import { SvgPainter } from "../../plot/figure/svg_painter.ts";
import { momentText } from "../../plot/figure/zone_time.ts";
import { commandOf, programOf } from "../plotter/snippets.ts";
import { TileCache } from "../plotter/tile_cache.ts";
import type { TimeSpan } from "../plotter/view_changes.ts";
import type { ShownFigure } from "./cursors.ts";
import { runExport } from "./export_dialog.ts";
import { pngOf } from "./figure_view.ts";
import type { MenuEntry } from "./menu.ts";
import { copyText, fileName, saveBlob } from "./save.ts";

/** The view that leaves the page. */
export interface ExportedView {
  readonly db: BTrDB;
  readonly figure: ShownFigure;
  readonly palette: Palette;
  readonly span: TimeSpan;
  /** Columns of pixels across. */
  readonly columns: number;
  /** Link to the view. */
  readonly address: string;
  readonly streams: readonly {
    readonly uuid: string;
    readonly path: string;
    readonly version: bigint;
  }[];
}

/** Entries of the menu; the view is taken when one is chosen. */
export function exportEntries(view: () => ExportedView, isEmpty: boolean): MenuEntry[] {
  const entry = (label: string, run: (view: ExportedView) => void | Promise<void>): MenuEntry => ({
    label,
    isDisabled: isEmpty,
    run: () => void run(view()),
  });
  return [
    { label: "Copy link to this view", run: () => void copyText(view().address, "Link") },
    entry("Copy as btrdb command", (view) => copyText(commandOf(snippet(view)), "Command")),
    entry("Copy as TypeScript", (view) => copyText(programOf(snippet(view)), "Program")),
    { heading: "Picture" },
    entry("PNG", savePng),
    entry("SVG", saveSvg),
    { heading: "Data of this range" },
    entry("CSV, windows as shown", (view) => saveCsv(view, false)),
    entry("CSV, every point", (view) => saveCsv(view, true)),
  ];
}

function snippet({ span, figure, columns, streams }: ExportedView) {
  return { origin: location.origin, span, zone: figure.zone, windows: columns, streams };
}

function nameOf({ streams }: ExportedView, ending: string): string {
  return fileName(streams.map(({ path }) => path), ending);
}

async function savePng(view: ExportedView): Promise<void> {
  const ratio = Math.max(2, devicePixelRatio);
  saveBlob(await pngOf(view.figure, view.palette, ratio), nameOf(view, "png"));
}

function saveSvg(view: ExportedView): void {
  const { figure, streams, span: { start, end } } = view;
  const whole = { ...figure, legend: true };
  const painter = new SvgPainter({
    width: figure.width,
    height: figure.height,
    title: streams.map(({ path }) => path).join(", "),
    description: `${momentText(start, figure.zone)} to ${
      momentText(end, figure.zone)
    } ${figure.zone}`,
  });
  painter.rect(0, 0, figure.width, figure.height, "background");
  drawFigure(painter, whole, layOut(whole), view.palette.bandAlpha);
  saveBlob(new Blob([painter.toString()], { type: "image/svg+xml" }), nameOf(view, "svg"));
}

async function saveCsv(view: ExportedView, isRaw: boolean): Promise<void> {
  const { db, span: { start, end }, columns, streams } = view;
  const pointwidth = TileCache.pointwidthOf(start, end, columns);
  await runExport({
    name: nameOf(view, isRaw ? "csv" : "windows.csv"),
    type: "text/csv",
    run: async (sink, onProgress, signal) => {
      const options = {
        start,
        end,
        signal,
        timeDigits: 9 as const,
        streams: streams.map(({ uuid, path, version }) => ({ stream: uuid, label: path, version })),
        onProgress: ({ bytes, time }: { bytes: number; time?: bigint | undefined }) =>
          onProgress({
            bytes,
            share: time === undefined ? undefined : Number(time - start) / Number(end - start),
          }),
      };
      await db.writeCSV(
        sink,
        isRaw ? { ...options, queryType: "raw" } : { ...options, queryType: "aligned", pointwidth },
      );
    },
  });
}
