/**
 * Figures of views: every stream with its columns of pixels, and the same of earlier periods.
 *
 * @module
 */

import type { NamedStream } from "../../client/named_stream.ts";
import { durationText } from "../../plot/figure/duration_text.ts";
import type { Figure, FigurePlot, FigureSeries, Shade } from "../../plot/figure/layout.ts";
import { seriesOf, type TimeSpan } from "../plotter/view_changes.ts";
import type { SeriesState, ViewState } from "../plotter/view_state.ts";
import type { DataSource } from "./data_source.ts";

/** A series on show with the stream it is of. */
export interface ShownSeries extends FigureSeries {
  readonly uuid: string;
  /** Distance to the range on show, which is later, ns; 0 for that range itself. */
  readonly by: bigint;
  /** Number of that period; 0 for the range itself. */
  readonly period: number;
  /** Version it is read at; 0 for the latest. */
  readonly version: bigint;
}

/** A plot whose series know their streams. */
export interface ShownPlot extends FigurePlot {
  readonly series: readonly ShownSeries[];
}

/** A figure whose series know their streams. */
export interface ShownFigure extends Figure {
  readonly plots: readonly ShownPlot[];
}

/** Surroundings of a figure. */
export interface ShownFigureOptions {
  readonly view: ViewState;
  readonly span: TimeSpan;
  /** CSS pixels. */
  readonly width: number;
  readonly height: number;
  /** Columns of pixels across. */
  readonly columns: number;
  readonly data: DataSource;
  /** False until there is a server to ask. */
  readonly isConnected: boolean;
  readonly nameOf: (uuid: string) => NamedStream | undefined;
}

/** Text that tells which period a series of a figure is of. */
export function periodText(by: bigint): string {
  return `${durationText(by)} earlier`;
}

/** Name of a series of a figure, unlike that of all others of it. */
export function seriesKey({ uuid, by }: { readonly uuid: string; readonly by: bigint }): string {
  return `${uuid} ${by}`;
}

/** The figure of a view, as far as its data are here; asks for those that are not. */
export function readFigure(options: ShownFigureOptions): ShownFigure {
  const { view, span, data, isConnected, columns, nameOf, width, height } = options;
  const shown = (series: SeriesState, by: bigint, period: number): ShownSeries => {
    const { uuid, ink, side, version } = series;
    const named = nameOf(uuid);
    const name = named?.name ?? uuid;
    const range = { start: span.start - by, end: span.end - by };
    return {
      uuid,
      by,
      ink,
      side,
      version,
      period,
      label: period === 0 ? name : `${name}, ${periodText(by)}`,
      unit: named?.unit,
      columns: data.columns(series, range, columns),
    };
  };
  if (isConnected) data.begin(view);
  const plots = view.plots.map((plot) => ({
    ...plot,
    series: [
      ...plot.series.map((one) => shown(one, 0n, 0)),
      ...view.overlays.flatMap((by, i) => plot.series.map((one) => shown(one, by, i + 1))),
    ],
  }));
  const shades: Shade[] = [];
  if (isConnected) {
    for (const series of seriesOf(view)) shades.push(...data.shades(series));
    data.end();
  }
  const { zone, band, density } = view;
  return { width, height, ...span, zone, band, density, plots, shades };
}
