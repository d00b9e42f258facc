/**
 * Streams of a database as a plot in the terminal.
 *
 * @module
 */

import type { StatColumns } from "../../mod.ts";
import type { Context } from "./context.ts";
import { roughDuration } from "./words/durations.ts";
import { notFound } from "./errors.ts";
import type { TimeRange } from "./ranges.ts";
import type { NamedStream } from "./words/stream_names.ts";
import { formatTime } from "./words/times.ts";
import { lineOut } from "./terminal/escape.ts";

/** Size and layout of a plot. */
export interface PlotSize {
  overlay?: boolean;
  /** Characters in a line; default: as wide as the terminal. */
  width?: number | undefined;
  /** Lines in all. */
  height?: number | undefined;
}

/** Characters left of the plot area, with value labels. */
const MARGIN = 12;

const PANEL_LINES = 14;

/**
 * Plots streams, one window a column of dots, or prints the windows as JSON.
 *
 * @param range Range to plot, or `undefined` if there are no points.
 */
export async function plotStreams(
  context: Context,
  streams: readonly NamedStream[],
  range: TimeRange | undefined,
  size: PlotSize = {},
): Promise<void> {
  if (range === undefined) {
    throw notFound("There are no points to plot", "`btrdb ls -l` shows where points are");
  }
  const { start, end } = range;
  const columns = size.width ?? context.width;
  const dots = BigInt(Math.max(2, 2 * (columns - MARGIN)));
  const width = (end - start + dots - 1n) / dots || 1n;
  const until = start + (end - start + width - 1n) / width * width;
  const series = [];
  for (const { stream, path, unit, uuid } of streams) {
    const windows = await stream.windows(start, until, width, { signal: context.signal }).collect();
    series.push({
      uuid,
      label: unit === undefined ? path : `${path} (${unit})`,
      columns: windows,
    });
  }
  if (context.json) {
    context.reportJson({
      start,
      end,
      width,
      series: series.map(({ uuid, label, columns }) => ({ uuid, label, windows: filled(columns) })),
    });
    return;
  }
  const { plotTerminal } = await import("../plot/mod.ts");
  const { tz } = context.frame;
  const height = size.height ??
    (size.overlay ? 20 : Math.max(16, Math.min(4, streams.length) * PANEL_LINES));
  const shown = series.map((one) => ({ ...one, label: lineOut(one.label) }));
  context.report(plotTerminal(shown, {
    width: columns,
    height,
    color: context.color,
    start,
    end,
    tz,
    overlay: size.overlay ?? false,
  }));
  const span = `${formatTime(start, tz)} to ${formatTime(end, tz)}`;
  context.talk(`${span}, ${roughDuration(end - start)}; a dot is ${roughDuration(width)}`);
}

function filled(columns: StatColumns): unknown[] {
  const windows = [];
  for (let i = 0; i < columns.times.length; i++) {
    if (columns.count[i] === 0n) continue;
    windows.push({
      time: columns.times[i],
      min: columns.min[i],
      mean: columns.mean[i],
      max: columns.max[i],
      count: columns.count[i],
    });
  }
  return windows;
}
