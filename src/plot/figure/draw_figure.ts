/**
 * Draws figures: axes, series, density.
 *
 * @module
 */

import { valueLabel } from "../axis.ts";
import { drawSeries } from "./draw_series.ts";
import type { Axis, Figure, FigureSeries, Layout } from "./layout.ts";
import { LEGEND_HEIGHT, type PlotPlace, STRIP_HEIGHT, yOf } from "./layout.ts";
import type { Painter } from "./painter.ts";
import { PALETTES } from "./palette.ts";
import { lineStyleOf } from "./series_style.ts";
import { timeTicks } from "./time_ticks.ts";
import { offsetText } from "./zone_time.ts";

/** Room that the label of a time needs, CSS pixels. */
const LABEL_WIDTH = 112;

/**
 * Draws a figure.
 *
 * @param painter Surface.
 * @param figure Figure.
 * @param layout Places, found by `layOut`.
 * @param bandAlpha Opacity of bands.
 */
export function drawFigure(
  painter: Painter,
  figure: Figure,
  layout: Layout,
  bandAlpha: number = PALETTES.light.bandAlpha,
): void {
  drawShades(painter, figure, layout);
  drawTimeAxis(painter, figure, layout);
  figure.plots.forEach(({ series }, i) => {
    const place = layout.plots[i]!;
    drawValueAxes(painter, layout, place);
    painter.clip(layout.left, place.top - 1, layout.right - layout.left, place.height + 2, () => {
      for (const one of series) {
        drawSeries(painter, layout, place, one, figure.band ? bandAlpha : 0);
      }
    });
    if (figure.density) drawDensity(painter, layout, place, series);
    if (figure.legend) drawLegend(painter, layout, place, series);
  });
}

function drawTimeAxis(
  painter: Painter,
  figure: Figure,
  { left, right, bottom, plots }: Layout,
): void {
  const { start, end, zone } = figure;
  const { ticks, context } = timeTicks(start, end, (right - left) / LABEL_WIDTH, zone);
  const scale = (right - left) / Number(end - start);
  const grid: number[] = [];
  const marks: number[] = [];
  for (const { time, label } of ticks) {
    const x = Math.round(left + Number(time - start) * scale) + 0.5;
    for (const { top, height } of plots) {
      grid.push(x, Math.round(top), x, Math.round(top + height), NaN, NaN);
    }
    marks.push(x, Math.round(bottom), x, Math.round(bottom) + 5, NaN, NaN);
    painter.text(label, x, bottom + 14, { ink: "muted", align: "center" });
  }
  painter.lines(grid, { ink: "grid" });
  const base = Math.round(bottom) + 0.5;
  painter.lines([...marks, left, base, right, base], { ink: "axis" });
  const zoneName = zone === "UTC" ? "UTC" : `${zone} (${offsetText(start, zone)})`;
  painter.text(`${context}  ${zoneName}`.trim(), left, bottom + 32, { ink: "muted" });
}

function drawValueAxes(painter: Painter, { left, right }: Layout, place: PlotPlace): void {
  const main = place.left ?? place.right;
  const grid: number[] = [];
  for (const side of ["left", "right"] as const) {
    const axis = place[side];
    if (axis === undefined) continue;
    const align = side === "left" ? "right" : "left";
    const x = side === "left" ? left - 8 : right + 8;
    for (const tick of axis.ticks) {
      const y = Math.round(yOf(place, axis, tick)) + 0.5;
      if (axis === main) grid.push(left, y, right, y, NaN, NaN);
      painter.text(valueLabel(tick, axis.digits), x, y, { ink: "muted", align });
    }
    if (axis.unit !== "") painter.text(cutUnit(axis), x, place.top - 15, { ink: "muted", align });
  }
  painter.lines(grid, { ink: "grid" });
}

function cutUnit({ unit }: Axis): string {
  const characters = [...unit];
  return characters.length <= 10 ? unit : `${characters.slice(0, 9).join("")}…`;
}

/** Opacity of a column by the share of the densest one. */
const LEVELS = [0.25, 0.45, 0.65, 0.9];

function drawDensity(
  painter: Painter,
  { left, right }: Layout,
  place: PlotPlace,
  series: readonly FigureSeries[],
): void {
  series.filter(({ period = 0 }) => period === 0).forEach(({ columns, ink }, row) => {
    const { length, density } = columns;
    const step = (right - left) / length;
    const top = Math.round(place.top + place.height) + 3 + STRIP_HEIGHT * row;
    let most = 0;
    for (let i = 0; i < length; i++) if (density[i]! > most) most = density[i]!;
    const levelOf = (n: number) => n === 0 ? -1 : Math.min(3, Math.ceil(4 * n / most - 1e-9) - 1);
    let [from, level] = [0, levelOf(density[0]!)];
    for (let i = 1; i <= length; i++) {
      const next = i < length ? levelOf(density[i]!) : NaN;
      if (next === level) continue;
      if (level >= 0) {
        const width = (i - from) * step;
        painter.rect(left + from * step, top, width, STRIP_HEIGHT - 1, ink, LEVELS[level]!);
      }
      [from, level] = [i, next];
    }
  });
}

function drawLegend(
  painter: Painter,
  { left }: Layout,
  { top }: PlotPlace,
  series: readonly FigureSeries[],
): void {
  let x = left;
  const y = top - LEGEND_HEIGHT / 2;
  for (const one of series) {
    const { label } = one;
    painter.lines([x, y, x + 22, y], { ...lineStyleOf(one), width: 2 });
    painter.text(label, x + 28, y, { ink: "text", isBold: true });
    // Nobody knows how wide the reader's font is: 6.6 pixels a character is wide for most.
    x += 28 + 6.6 * [...label].length + 20;
  }
}

function drawShades(painter: Painter, figure: Figure, { left, right, plots }: Layout): void {
  const { start, end, shades = [] } = figure;
  const scale = (right - left) / Number(end - start);
  for (const shade of shades) {
    const from = Math.max(left, left + Number(shade.start - start) * scale);
    const to = Math.min(right, left + Number(shade.end - start) * scale);
    if (to < left || from > right) continue;
    for (const { top, height } of plots) {
      painter.rect(from, top, Math.max(1, to - from), height, "changed", 0.14);
    }
  }
}
