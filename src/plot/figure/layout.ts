/**
 * Places of the parts of a figure: plots below one another, over one time axis.
 *
 * @module
 */

import type { PixelColumns } from "./pixel_columns.ts";
import { shareOf, type ValueRange, type ValueScale, valueScale } from "./value_scale.ts";

/** The side of a plot at which a series has its axis. */
export type Side = "left" | "right";

/** A series to draw. */
export interface FigureSeries {
  /** Name in the legend. */
  readonly label: string;
  readonly unit: string | undefined;
  readonly columns: PixelColumns;
  /** Number of its colour and dash pattern. */
  readonly ink: number;
  readonly side: Side;
  /** Number of the earlier period it is of, drawn lighter; 0 for the range itself. @default {0} */
  readonly period?: number;
}

/** A plot: series over one another. */
export interface FigurePlot {
  readonly series: readonly FigureSeries[];
  readonly left: ValueRange;
  readonly right: ValueRange;
}

/** A range to shade. */
export interface Shade {
  readonly start: bigint;
  readonly end: bigint;
}

/** A figure. */
export interface Figure {
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** First moment on the time axis, ns since the Unix epoch. */
  readonly start: bigint;
  /** End of the time axis. */
  readonly end: bigint;
  readonly zone: string;
  readonly plots: readonly FigurePlot[];
  /** True to draw bands from min to max. */
  readonly band: boolean;
  /** True to draw how dense the data are, below each plot. */
  readonly density: boolean;
  /** True to write the names of series into the figure. */
  readonly legend?: boolean;
  /** Ranges to shade, because they changed. */
  readonly shades?: readonly Shade[];
}

/** An axis with its unit. */
export interface Axis extends ValueScale {
  readonly unit: string;
}

/** Place of a plot. */
export interface PlotPlace {
  /** Top of the plot with its legend. */
  readonly outerTop: number;
  readonly top: number;
  readonly height: number;
  readonly left: Axis | undefined;
  readonly right: Axis | undefined;
}

/** Places of the parts. */
export interface Layout {
  readonly left: number;
  readonly right: number;
  /** Height of the time axis. */
  readonly bottom: number;
  readonly plots: readonly PlotPlace[];
}

/** Height of a legend, above each plot. */
export const LEGEND_HEIGHT = 30;

/** Height of a series in the strip of density. */
export const STRIP_HEIGHT = 4;

const TIME_AXIS_HEIGHT = 42;
const VALUE_AXIS_WIDTH = 66;
const MARGIN = 16;

/** Width of the area of the data, CSS pixels. */
export function areaOf(
  width: number,
  plots: readonly { readonly series: readonly { readonly side: Side }[] }[],
): { left: number; right: number } {
  const isRight = plots.some(({ series }) => series.some(({ side }) => side === "right"));
  const right = width - (isRight ? VALUE_AXIS_WIDTH : MARGIN);
  return { left: VALUE_AXIS_WIDTH, right: Math.max(VALUE_AXIS_WIDTH + 20, right) };
}

/**
 * Finds the places.
 *
 * @param figure Figure.
 * @param held Layout of the frame before, while the view moves: axes do not shrink then.
 */
export function layOut(figure: Figure, held?: Layout): Layout {
  const { width, height, plots, density } = figure;
  const bottom = height - TIME_AXIS_HEIGHT;
  const each = bottom / Math.max(1, plots.length);
  const places = plots.map((plot, i): PlotPlace => {
    const rows = plot.series.filter(({ period = 0 }) => period === 0).length;
    const strip = density ? STRIP_HEIGHT * rows + 5 : 3;
    const area = Math.max(20, each - LEGEND_HEIGHT - strip);
    const axis = (side: Side) => axisOf(plot, side, area, held?.plots[i]?.[side]);
    return {
      outerTop: i * each,
      top: i * each + LEGEND_HEIGHT,
      height: area,
      left: axis("left"),
      right: axis("right"),
    };
  });
  return { ...areaOf(width, plots), bottom, plots: places };
}

function axisOf(plot: FigurePlot, side: Side, height: number, held?: Axis): Axis | undefined {
  const series = plot.series.filter((one) => one.side === side);
  if (series.length === 0) return undefined;
  let [low, high] = [Infinity, -Infinity];
  for (const { columns } of series) {
    const extent = columns.extent;
    if (extent === undefined) continue;
    [low, high] = [Math.min(low, extent[0]), Math.max(high, extent[1])];
  }
  const units = new Set(series.flatMap(({ unit }) => unit === undefined ? [] : [unit]));
  const extent = low <= high ? [low, high] as const : undefined;
  return { ...valueScale(extent, plot[side], height, held), unit: [...units].join(", ") };
}

/** Height of a value in a plot. */
export function yOf({ top, height }: PlotPlace, axis: ValueScale, value: number): number {
  return top + height * (1 - shareOf(axis, value));
}

/** The value at a height of a plot. */
export function valueAt({ top, height }: PlotPlace, axis: ValueScale, y: number): number {
  const share = 1 - (y - top) / height;
  return axis.low * (1 - share) + axis.high * share;
}
