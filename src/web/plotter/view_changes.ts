/**
 * Changes of a view: streams added, moved and removed, the range panned and zoomed.
 *
 * @module
 */

import { MAX_TIME, MIN_TIME } from "../../core/range.ts";
import type { ValueRange } from "../../plot/figure/value_scale.ts";
import { AUTO, type PlotState, type SeriesState, type ViewState } from "./view_state.ts";

/** A range of time, half-open, ns since the Unix epoch. */
export interface TimeSpan {
  readonly start: bigint;
  readonly end: bigint;
}

/** Shortest range, ns: a pixel is less than a nanosecond wide then. */
const MIN_SPAN = 10n;

/** The unit of a stream by its uuid. */
export type UnitOf = (uuid: string) => string | undefined;

/** A range within the legal times, of a length that can be shown. */
export function clamped({ start, end }: TimeSpan): TimeSpan {
  const whole = MAX_TIME - MIN_TIME;
  let span = end - start;
  if (span < MIN_SPAN) {
    start -= (MIN_SPAN - span) / 2n;
    span = MIN_SPAN;
  }
  if (span >= whole) return { start: MIN_TIME, end: MAX_TIME };
  if (start < MIN_TIME) start = MIN_TIME;
  if (start + span > MAX_TIME) start = MAX_TIME - span;
  return { start, end: start + span };
}

/**
 * The range moved by a share of its length.
 *
 * @param share Positive: to later times.
 */
export function panned({ start, end }: TimeSpan, share: number): TimeSpan {
  const by = BigInt(Math.round(Number(end - start) * share));
  return clamped({ start: start + by, end: end + by });
}

/**
 * The range grown or shrunk around one of its moments, which stays where it is.
 *
 * @param factor Above 1: more is shown.
 * @param at Place of that moment: 0 at the start, 1 at the end.
 */
export function zoomed({ start, end }: TimeSpan, factor: number, at: number): TimeSpan {
  const span = Number(end - start);
  const wanted = Math.max(Number(MIN_SPAN), Math.min(span * factor, Number(MAX_TIME - MIN_TIME)));
  const before = BigInt(Math.round((wanted - span) * at));
  const next = start - before;
  return clamped({ start: next, end: next + BigInt(Math.round(wanted)) });
}

/** All series of a view. */
export function seriesOf(view: ViewState): SeriesState[] {
  return view.plots.flatMap(({ series }) => series);
}

/** The first colour and dash pattern that no series has. */
function freeInk(view: ViewState): number {
  const used = new Set(seriesOf(view).map(({ ink }) => ink));
  let ink = 0;
  while (used.has(ink)) ink++;
  return ink;
}

/** The side of a plot that has a unit, or has room for another one. */
function sideFor(plot: PlotState, unit: string | undefined, unitOf: UnitOf): "left" | "right" {
  const unitsOn = (side: string) =>
    plot.series.filter((one) => one.side === side).map(({ uuid }) => unitOf(uuid));
  const [left, right] = [unitsOn("left"), unitsOn("right")];
  if (left.length === 0 || left.includes(unit)) return "left";
  if (right.length === 0 || right.includes(unit)) return "right";
  return "left";
}

/** Adds a stream: to the plot that has its unit already, or in a plot of its own. */
export function withStream(view: ViewState, uuid: string, unitOf: UnitOf): ViewState {
  const unit = unitOf(uuid);
  const added: SeriesState = { uuid, side: "left", ink: freeInk(view), version: 0n, since: 0n };
  const fits = (side: "left" | "right") => (plot: PlotState) =>
    plot.series.some((one) => one.side === side && unitOf(one.uuid) === unit);
  for (const side of ["left", "right"] as const) {
    const at = view.plots.findIndex(fits(side));
    if (at < 0) continue;
    return replacePlot(view, at, (plot) => ({
      ...plot,
      series: [...plot.series, { ...added, side }],
    }));
  }
  const series = [added];
  return { ...view, plots: [...view.plots, { series, left: AUTO, right: AUTO }] };
}

/** Removes a stream, and its plot with it if that is empty then. */
export function withoutStream(view: ViewState, uuid: string): ViewState {
  const plots = view.plots.map((plot) => ({
    ...plot,
    series: plot.series.filter((one) => one.uuid !== uuid),
  }));
  return { ...view, plots: plots.filter(({ series }) => series.length > 0) };
}

/**
 * Moves a stream to another plot or axis.
 *
 * @param to Index of the plot; one behind the last is a new plot.
 * @param side Axis; by its unit if not given.
 */
export function withMoved(
  view: ViewState,
  uuid: string,
  to: number,
  side: "left" | "right" | undefined,
  unitOf: UnitOf,
): ViewState {
  const moved = seriesOf(view).find((one) => one.uuid === uuid);
  if (moved === undefined) return view;
  const plots: PlotState[] = view.plots.map((plot) => ({
    ...plot,
    series: plot.series.filter((one) => one.uuid !== uuid),
  }));
  const index = Math.min(to, plots.length);
  const target = plots[index] ?? { series: [], left: AUTO, right: AUTO };
  const onSide = side ?? sideFor(target, unitOf(uuid), unitOf);
  plots[index] = { ...target, series: [...target.series, { ...moved, side: onSide }] };
  return { ...view, plots: plots.filter(({ series }) => series.length > 0) };
}

/** Changes one plot. */
export function replacePlot(
  view: ViewState,
  index: number,
  change: (plot: PlotState) => PlotState,
): ViewState {
  return { ...view, plots: view.plots.map((plot, i) => i === index ? change(plot) : plot) };
}

/** Sets the range of an axis. */
export function withYRange(
  view: ViewState,
  index: number,
  side: "left" | "right",
  range: ValueRange,
): ViewState {
  return replacePlot(view, index, (plot) => ({ ...plot, [side]: range }));
}

/** Changes one stream of a view: its version, or the version since which changes are shaded. */
export function withSeries(
  view: ViewState,
  uuid: string,
  change: Partial<Pick<SeriesState, "version" | "since">>,
): ViewState {
  const set = (one: SeriesState) => one.uuid === uuid ? { ...one, ...change } : one;
  return { ...view, plots: view.plots.map((plot) => ({ ...plot, series: plot.series.map(set) })) };
}
