/**
 * Plots of windows as SVG: the band from min to max, the mean as a line, light and dark in one file.
 *
 * @module
 */

import type { StatColumns } from "../kernel/mod.ts";
import { drawFigure } from "./figure/draw_figure.ts";
import { type Figure, type FigureSeries, layOut } from "./figure/layout.ts";
import { type OffsetWindows, PixelColumns } from "./figure/pixel_columns.ts";
import type { Palette } from "./figure/palette.ts";
import { SvgPainter } from "./figure/svg_painter.ts";
import { momentText } from "./figure/zone_time.ts";

/** One stream to plot. */
export interface SvgSeries {
  /** Its name, in the legend. */
  readonly label: string;
  /** Unit of its values, at the axis. */
  readonly unit?: string | undefined;
  /** Its windows, ascending; those without points are gaps. */
  readonly columns: StatColumns;
  /** Length of a window, ns; 0 for points. @default {the shortest distance of two of them} */
  readonly window?: bigint | undefined;
}

/** Options of {@linkcode plotSvg}. */
export interface SvgPlotOptions {
  /** Start of the time axis, ns since the Unix epoch. */
  readonly start: bigint;
  /** End of the time axis, exclusive. */
  readonly end: bigint;
  /** CSS pixels. @default {960} */
  readonly width?: number;
  /** CSS pixels. @default {a plot: 320, each further one: 200} */
  readonly height?: number;
  /** Time zone of the labels. @default {"UTC"} */
  readonly tz?: string;
  /** True for all series in one plot, instead of one for each unit. @default {false} */
  readonly overlay?: boolean;
  /** Name of the picture. @default {the labels} */
  readonly title?: string;
  /** Colours; `auto` follows the reader's system. @default {"auto"} */
  readonly palette?: Palette | "auto";
  /** False to leave out the strips that show how dense the data are. @default {true} */
  readonly density?: boolean;
}

/** Columns of pixels for a width, twice as many as CSS pixels: most screens have them. */
const RATIO = 2;

/**
 * Draws series of windows as an SVG file, on a transparent ground.
 *
 * @param series Series with their windows.
 * @param options Range and size.
 * @returns The text of the file.
 */
export function plotSvg(series: readonly SvgSeries[], options: SvgPlotOptions): string {
  const { start, end, width = 960, tz = "UTC", density = true } = options;
  const groups = options.overlay ? [series] : byUnit(series);
  const height = options.height ?? 320 + 200 * Math.max(0, groups.length - 1);
  const columns = RATIO * Math.max(100, width - 82);
  const ink = new Map(series.map((one, i) => [one, i]));
  const shown = (one: SvgSeries, first: string | undefined): FigureSeries => ({
    label: one.label,
    unit: one.unit,
    columns: columnsOf(one, start, end, columns),
    ink: ink.get(one)!,
    side: one.unit === first ? "left" : "right",
  });
  const auto = { kind: "auto" as const };
  const figure: Figure = {
    width,
    height,
    start,
    end,
    zone: tz,
    band: true,
    density,
    legend: true,
    plots: groups.map((group) => ({
      series: group.map((one) => shown(one, group[0]?.unit)),
      left: auto,
      right: auto,
    })),
  };
  const painter = new SvgPainter({
    width,
    height,
    title: options.title ?? series.map(({ label }) => label).join(", "),
    description: `${momentText(start, tz)} to ${momentText(end, tz)} ${tz}`,
    ...(options.palette === undefined ? {} : { palette: options.palette }),
  });
  drawFigure(painter, figure, layOut(figure));
  return painter.toString();
}

/** Series of one unit together, in the order in which units come. */
function byUnit(series: readonly SvgSeries[]): SvgSeries[][] {
  const groups = new Map<string | undefined, SvgSeries[]>();
  for (const one of series) {
    const group = groups.get(one.unit);
    if (group === undefined) groups.set(one.unit, [one]);
    else group.push(one);
  }
  return [...groups.values()];
}

function columnsOf(
  { columns: { times, min, mean, max, count }, window }: SvgSeries,
  start: bigint,
  end: bigint,
  length: number,
): PixelColumns {
  const columns = new PixelColumns(start, end, length);
  const windows: OffsetWindows = {
    base: start,
    offsets: Float64Array.from(times, (time) => Number(time - start)),
    width: Number(window ?? shortest(times)),
    min,
    mean,
    max,
    count: Float64Array.from(count, Number),
  };
  columns.add(windows, start, end);
  return columns;
}

/** The shortest distance of two windows, or 0 of one alone. */
function shortest(times: BigInt64Array): bigint {
  let found: bigint | undefined;
  for (let i = 1; i < times.length; i++) {
    const step = times[i]! - times[i - 1]!;
    if (found === undefined || step < found) found = step;
  }
  return found ?? 0n;
}
