/**
 * Plots as pictures that notebooks of others show too: an image with its bytes in it.
 *
 * @module
 */

import type { RawColumns, StatColumns } from "../core/columns.ts";
import { rewindow } from "../kernel/mod.ts";
import { plotSvg, type SvgSeries } from "../plot/svg.ts";
import { escapeHtml } from "./html_table.ts";

/** Windows of a plot: one for each column of pixels. */
const PLOT_WINDOWS = 600n;

const WIDTH = 720;
/** Longest picture, characters. */
const MAX_CHARACTERS = 400_000;

/** Windows over all points; points that are few are windows of their own. */
export function windowsOf(points: RawColumns): StatColumns {
  const { times } = points;
  if (times.length === 0) return rewindow(points, { start: 0n, end: 1n, width: 1n });
  const start = times[0]!;
  const end = times[times.length - 1]! + 1n;
  const width = (end - start) / PLOT_WINDOWS || 1n;
  return rewindow(points, { start, end: end + width, width });
}

/**
 * An image of series over the range of their windows; nothing where there are none.
 *
 * @param series Series with their windows.
 */
export function picture(series: readonly SvgSeries[]): string {
  const filled = series.filter(({ columns }) => columns.times.length > 0);
  if (filled.length === 0) return "";
  let start = filled[0]!.columns.times[0]!;
  let end = start;
  for (const { columns: { times } } of filled) {
    if (times[0]! < start) start = times[0]!;
    const width = times.length > 1 ? times[1]! - times[0]! : 1n;
    const last = times[times.length - 1]! + width;
    if (last > end) end = last;
  }
  const svg = plotSvg(filled, { start, end, width: WIDTH, density: false });
  if (svg.length > MAX_CHARACTERS) return "";
  const title = escapeHtml(filled.map(({ label }) => label).join(", "));
  const bytes = new TextEncoder().encode(svg);
  const data = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return `<img alt="Plot of ${title}" src="data:image/svg+xml;base64,${data}">`;
}
