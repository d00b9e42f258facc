/**
 * The cursor that follows the pointer or the keys, two that are set, and what they say.
 *
 * @module
 */

import { durationText } from "../../plot/figure/duration_text.ts";
import type { Figure, FigureSeries, Layout } from "../../plot/figure/layout.ts";
import { yOf } from "../../plot/figure/layout.ts";
import type { PixelColumns } from "../../plot/figure/pixel_columns.ts";
import { colorOf, type Palette } from "../../plot/figure/palette.ts";
import { momentText } from "../../plot/figure/zone_time.ts";
import type { CursorMark } from "./figure_view.ts";
import { countText, valueText } from "./number_text.ts";
import type { ShownFigure } from "./shown_figure.ts";

/** Values of a series at a cursor: of its column, or of the nearest one with points. */
export interface CursorReading {
  /** Column of pixels that they are of. */
  readonly column: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  /** Points in the column; undefined while only coarser windows are here. */
  readonly count: number | undefined;
}

/** Columns at most between a cursor and the point whose value it shows. */
const MAX_SNAP = 60;

/** The place of a moment in a figure, CSS pixels; it may be outside. */
function placeOf(figure: Figure, layout: Layout, time: bigint): number {
  const share = Number(time - figure.start) / Number(figure.end - figure.start);
  return layout.left + share * (layout.right - layout.left);
}

/** Values of a series at a moment, or undefined where there are none. */
export function readingAt(
  figure: Figure,
  series: FigureSeries,
  time: bigint,
): CursorReading | undefined {
  const { columns } = series;
  const share = Number(time - figure.start) / Number(figure.end - figure.start);
  const at = Math.floor(share * columns.length + 1e-9);
  const column = nearestFilled(columns, at);
  if (column === undefined) return undefined;
  return readingOf(columns, column);
}

/** The column with points that is nearest to a place, if it is no further than a gap is. */
function nearestFilled(columns: PixelColumns, at: number): number | undefined {
  if (at < 0 || at >= columns.length) return undefined;
  const reach = Math.min(columns.reach / 2, MAX_SNAP);
  for (let distance = 0; distance <= reach; distance++) {
    for (const column of [at - distance, at + distance]) {
      if (columns.count[column]! > 0) return column;
    }
  }
  return undefined;
}

function readingOf(columns: PixelColumns, at: number): CursorReading {
  return {
    column: at,
    mean: columns.mean[at]!,
    min: columns.min[at]!,
    max: columns.max[at]!,
    count: columns.isExact ? Math.round(columns.count[at]!) : undefined,
  };
}

/** A reading as text. */
export function readingText({ mean, min, max, count }: CursorReading): string {
  if (count === 1) return valueText(mean);
  const points = count === undefined ? "reading…" : `${countText(count)} points`;
  return `${valueText(mean)}   ${valueText(min)} … ${valueText(max)}   ${points}`;
}

/** Marks of a cursor at a moment. */
export function markAt(
  figure: ShownFigure,
  layout: Layout,
  palette: Palette,
  time: bigint,
  kind: { readonly isHover: boolean; readonly name?: string },
): CursorMark | undefined {
  const x = placeOf(figure, layout, time);
  if (x < layout.left || x >= layout.right) return undefined;
  const dots: { x: number; y: number; color: string }[] = [];
  figure.plots.forEach(({ series }, i) => {
    const place = layout.plots[i]!;
    for (const one of series) {
      const reading = readingAt(figure, one, time);
      const columnAt = Math.floor(
        (x - layout.left) / (layout.right - layout.left) * one.columns.length,
      );
      const axis = place[one.side];
      if (reading === undefined || axis === undefined) continue;
      const y = yOf(place, axis, reading.mean);
      if (y >= place.top && y <= place.top + place.height) {
        const share = (reading.column + 0.5) / one.columns.length;
        const dotX = one.columns.count[reading.column] === 1 || reading.column !== columnAt
          ? layout.left + share * (layout.right - layout.left)
          : x;
        dots.push({ x: dotX, y, color: colorOf(palette, one.ink) });
      }
    }
  });
  const label = momentText(time, figure.zone);
  return { x, dots, isHover: kind.isHover, label: kind.name ?? label };
}

/** Differences between two cursors. */
export function differences(figure: ShownFigure, a: bigint, b: bigint): string[] {
  const dt = Number(b - a);
  const lines = [`Δt ${durationText(dt, 9)}`];
  lines.push(`A ${momentText(a, figure.zone)}`, `B ${momentText(b, figure.zone)}`);
  if (dt !== 0) lines.push(`1/Δt ${frequencyText(1e9 / Math.abs(dt))}`);
  for (const { series } of figure.plots) {
    for (const one of series) {
      const [from, to] = [readingAt(figure, one, a), readingAt(figure, one, b)];
      const text = from === undefined || to === undefined
        ? "one of the cursors is where there is no point"
        : `${valueText(to.mean - from.mean)} ${one.unit ?? ""}`.trim();
      lines.push(`Δ ${one.label}: ${text}`);
    }
  }
  return lines;
}

function frequencyText(hertz: number): string {
  for (const [unit, size] of [["GHz", 1e9], ["MHz", 1e6], ["kHz", 1e3]] as const) {
    if (hertz >= size) return `${Number((hertz / size).toPrecision(6))} ${unit}`;
  }
  return `${Number(hertz.toPrecision(6))} Hz`;
}

/** A cursor in words, for those who do not see it. */
export function spoken(figure: ShownFigure, time: bigint): string {
  const parts = [momentText(time, figure.zone)];
  for (const { series } of figure.plots) {
    for (const one of series) {
      const reading = readingAt(figure, one, time);
      const unit = one.unit ?? "";
      if (reading === undefined) parts.push(`${one.label}: no points`);
      else if (reading.count === 1) parts.push(`${one.label}: ${valueText(reading.mean)} ${unit}`);
      else {
        const { mean, min, max, count } = reading;
        const points = count === undefined ? "" : `, ${countText(count)} points`;
        const range = `from ${valueText(min)} to ${valueText(max)}`;
        parts.push(`${one.label}: mean ${valueText(mean)} ${unit}, ${range}${points}`);
      }
    }
  }
  return parts.join(". ");
}
