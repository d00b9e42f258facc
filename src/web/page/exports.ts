/**
 * Everything that leaves the page: pictures, tables, links and snippets.
 *
 * @module
 */

import type { BTrDB } from "../../client/btrdb.ts";
import type { ExportProgress } from "../../client/csv.ts";
import { safeLabel } from "../../core/safe_label.ts";
import { drawFigure } from "../../plot/figure/draw_figure.ts";
import { layOut } from "../../plot/figure/layout.ts";
import type { Palette } from "../../plot/figure/palette.ts";
import { SvgPainter } from "../../plot/figure/svg_painter.ts";
import { momentText } from "../../plot/figure/zone_time.ts";
import { commandOf, programOf } from "../plotter/snippets.ts";
import { TileCache } from "../plotter/tile_cache.ts";
import type { TimeSpan } from "../plotter/view_changes.ts";
import { type Progress, runExport } from "./export_dialog.ts";
import { pngOf } from "./figure_view.ts";
import type { MenuEntry } from "./menu.ts";
import { copyText, fileName, saveBlob } from "./save.ts";
import type { ShownFigure } from "./shown_figure.ts";

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
    entry("Copy as btrdb command", (view) => copyText(commandOf(snippet(view)), commandName(view))),
    entry("Copy as TypeScript", (view) => copyText(programOf(snippet(view)), "Program")),
    { heading: "Picture" },
    entry("PNG", savePng),
    entry("SVG", saveSvg),
    { heading: "Data of this range" },
    entry("CSV, windows as shown", (view) => saveCsv(view, false)),
    entry("CSV, every point", (view) => saveCsv(view, true)),
    entry("Parquet, windows as shown", (view) => saveParquet(view, false)),
    entry("Parquet, every point", (view) => saveParquet(view, true)),
  ];
}

/** Name of the command; versions that are pinned cannot be said in it. */
function commandName({ streams }: ExportedView): string {
  const isPinned = streams.some(({ version }) => version !== 0n);
  return isPinned ? "Command for the latest versions, not the pinned ones," : "Command";
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
  const labels = labelsOf(streams);
  await runExport({
    name: nameOf(view, isRaw ? "csv" : "windows.csv"),
    type: "text/csv",
    run: async (sink, onProgress, signal) => {
      // Files from a page are opened in spreadsheets, often by a double click.
      const options = {
        start,
        end,
        signal,
        timeDigits: 9 as const,
        streams: streams.map(({ uuid, version }, i) => ({
          stream: uuid,
          label: safeLabel(labels[i]!),
          version,
        })),
        onProgress: (progress: ExportProgress) => onProgress(shareOf(progress, start, end)),
      };
      await db.writeCSV(
        sink,
        isRaw ? { ...options, queryType: "raw" } : { ...options, queryType: "aligned", pointwidth },
      );
    },
  });
}

async function saveParquet(view: ExportedView, isRaw: boolean): Promise<void> {
  const { db, span: { start, end }, columns, streams } = view;
  const pointwidth = TileCache.pointwidthOf(start, end, columns);
  const labels = labelsOf(streams);
  await runExport({
    name: nameOf(view, isRaw ? "parquet" : "windows.parquet"),
    type: "application/vnd.apache.parquet",
    run: async (sink, onProgress, signal) => {
      const { writeParquet } = await import("../../io/parquet_write.ts");
      const tables = streams.map(({ uuid, version }, i) => {
        const stream = db.streamFromUUID(uuid);
        const options = { version, signal };
        const query = isRaw
          ? stream.rawValues(start, end, options)
          : stream.alignedWindows(start, end, pointwidth, options);
        return { label: labels[i]!, columns: query };
      });
      await writeParquet(sink, tables, {
        signal,
        onProgress: (progress: ExportProgress) => onProgress(shareOf(progress, start, end)),
      });
    },
  });
}

/** Names of columns: paths, with the uuid where two streams share one. */
function labelsOf(streams: ExportedView["streams"]): string[] {
  const times = new Map<string, number>();
  for (const { path } of streams) times.set(path, (times.get(path) ?? 0) + 1);
  return streams.map(({ path, uuid }) => times.get(path) === 1 ? path : `${path} ${uuid}`);
}

function shareOf({ bytes, time }: ExportProgress, start: bigint, end: bigint): Progress {
  const share = time === undefined ? undefined : Number(time - start) / Number(end - start);
  return { bytes, share };
}
