/** Thin stand-in for the figure. @module */

import { timeTicks, valueAxis, valueLabel } from "./local_ticks.ts";
import type { PixelColumns } from "./local_tiles.ts";
import type { YRange } from "./local_view.ts";
import { DASHES, type Palette } from "./palette.ts";

export interface FigureSeries {
  readonly uuid: string;
  readonly columns: PixelColumns;
  readonly color: number;
  readonly side: "left" | "right";
  readonly unit: string | undefined;
}
export interface FigurePlot {
  readonly series: readonly FigureSeries[];
  readonly left: YRange;
  readonly right: YRange;
}
export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  readonly digits: number;
  readonly unit: string;
}
export interface PlotLayout {
  readonly top: number;
  readonly height: number;
  readonly left: Axis | undefined;
  readonly right: Axis | undefined;
}
export interface FigureLayout {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
  readonly plots: readonly PlotLayout[];
}
export interface FigureOptions {
  readonly width: number;
  readonly height: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly zone: string;
  readonly plots: readonly FigurePlot[];
  readonly band: boolean;
  readonly density: boolean;
  readonly palette: Palette;
}

export const HEADER = 30;
const AXIS = 42;
const SIDE = 68;
const STRIP = 4;

export function plotArea(width: number, plots: readonly { right: boolean }[]): [number, number] {
  return [SIDE, width - (plots.some(({ right }) => right) ? SIDE : 16)];
}

export function layoutFigure(options: FigureOptions): FigureLayout {
  const { width, height, plots } = options;
  const [left, right] = plotArea(
    width,
    plots.map(({ series }) => ({
      right: series.some(({ side }) => side === "right"),
    })),
  );
  const bottom = height - AXIS;
  const each = plots.length === 0 ? bottom : bottom / plots.length;
  return {
    width,
    height,
    left,
    right,
    bottom,
    plots: plots.map((plot, i) => {
      const top = i * each + HEADER;
      const strip = options.density ? STRIP * plot.series.length + 4 : 2;
      const area = Math.max(20, each - HEADER - strip);
      const axisOf = (side: "left" | "right", range: YRange) =>
        axis(plot.series.filter((one) => one.side === side), range, area);
      return {
        top,
        height: area,
        left: axisOf("left", plot.left),
        right: axisOf("right", plot.right),
      };
    }),
  };
}

function axis(series: readonly FigureSeries[], range: YRange, height: number): Axis | undefined {
  if (series.length === 0) return undefined;
  let [low, high] = [Infinity, -Infinity];
  for (const { columns } of series) {
    for (let i = 0; i < columns.width; i++) {
      if (columns.count[i] === 0) continue;
      if (columns.min[i]! < low) low = columns.min[i]!;
      if (columns.max[i]! > high) high = columns.max[i]!;
    }
  }
  if (!(low <= high)) [low, high] = [0, 1];
  if (range.kind === "fixed") ({ low, high } = range);
  else {
    if (range.kind === "zero") [low, high] = [Math.min(0, low), Math.max(0, high)];
    const pad = 0.06 * (high - low);
    low -= pad;
    high += pad;
  }
  const made = valueAxis(low, high, Math.max(2, Math.floor(height / 44)));
  const units = [...new Set(series.map(({ unit }) => unit).filter((unit) => unit !== undefined))];
  return { ...made, unit: units.join(", ") };
}

export function yOf(plot: PlotLayout, axis: Axis, value: number): number {
  return plot.top + plot.height * (1 - (value - axis.low) / (axis.high - axis.low));
}

export function drawFigure(
  context: CanvasRenderingContext2D,
  layout: FigureLayout,
  options: FigureOptions,
): void {
  const { palette, width, height } = options;
  context.clearRect(0, 0, width, height);
  context.fillStyle = palette.background;
  context.fillRect(0, 0, width, height);
  context.font = "11px Inter, system-ui, 'DejaVu Sans', sans-serif";
  drawTimeAxis(context, layout, options);
  options.plots.forEach((plot, i) => drawPlot(context, layout, layout.plots[i]!, plot, options));
}

function drawTimeAxis(
  context: CanvasRenderingContext2D,
  layout: FigureLayout,
  { start, end, zone, palette }: FigureOptions,
): void {
  const { left, right, bottom, plots } = layout;
  const { ticks, context: day } = timeTicks(start, end, (right - left) / 110, zone);
  const span = Number(end - start);
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const { time, label } of ticks) {
    const x = Math.round(left + Number(time - start) / span * (right - left)) + 0.5;
    context.strokeStyle = palette.grid;
    context.lineWidth = 1;
    context.beginPath();
    for (const { top, height } of plots) {
      context.moveTo(x, Math.round(top));
      context.lineTo(x, Math.round(top + height));
    }
    context.stroke();
    context.strokeStyle = palette.axis;
    context.beginPath();
    context.moveTo(x, bottom);
    context.lineTo(x, bottom + 4);
    context.stroke();
    context.fillStyle = palette.muted;
    context.fillText(label, x, bottom + 8);
  }
  context.strokeStyle = palette.axis;
  context.beginPath();
  context.moveTo(left, Math.round(bottom) + 0.5);
  context.lineTo(right, Math.round(bottom) + 0.5);
  context.stroke();
  context.fillStyle = palette.text;
  context.textAlign = "left";
  context.fillText(day, left, bottom + 25);
}

function drawPlot(
  context: CanvasRenderingContext2D,
  layout: FigureLayout,
  place: PlotLayout,
  plot: FigurePlot,
  options: FigureOptions,
): void {
  const { palette } = options;
  const { left, right } = layout;
  const grid = place.left ?? place.right;
  context.lineWidth = 1;
  context.textBaseline = "middle";
  for (const side of ["left", "right"] as const) {
    const axis = place[side];
    if (axis === undefined) continue;
    context.textAlign = side === "left" ? "right" : "left";
    const x = side === "left" ? left - 8 : right + 8;
    for (const tick of axis.ticks) {
      const y = Math.round(yOf(place, axis, tick)) + 0.5;
      if (axis === grid) {
        context.strokeStyle = palette.grid;
        context.beginPath();
        context.moveTo(left, y);
        context.lineTo(right, y);
        context.stroke();
      }
      context.fillStyle = palette.muted;
      context.fillText(valueLabel(tick, axis.digits), x, y);
    }
    context.fillStyle = palette.muted;
    context.fillText(axis.unit, x, place.top - 14);
  }
  context.save();
  context.beginPath();
  context.rect(left, place.top - 1, right - left, place.height + 2);
  context.clip();
  for (const series of plot.series) {
    const axis = place[series.side]!;
    drawSeries(context, layout, place, axis, series, options);
  }
  context.restore();
  if (options.density) {
    plot.series.forEach((series, i) =>
      drawDensity(context, layout, place.top + place.height + 3 + STRIP * i, series, palette)
    );
  }
}

function drawSeries(
  context: CanvasRenderingContext2D,
  layout: FigureLayout,
  place: PlotLayout,
  axis: Axis,
  series: FigureSeries,
  { palette, band }: FigureOptions,
): void {
  const { columns } = series;
  const step = (layout.right - layout.left) / columns.width;
  const color = palette.series[series.color % palette.series.length]!;
  if (band) {
    context.beginPath();
    for (let i = 0; i < columns.width; i++) {
      if (columns.count[i] === 0 || columns.min[i] === columns.max[i]) continue;
      const top = yOf(place, axis, columns.max[i]!);
      const bottom = yOf(place, axis, columns.min[i]!);
      context.rect(layout.left + i * step, top, step, Math.max(step, bottom - top));
    }
    context.globalAlpha = palette.bandAlpha;
    context.fillStyle = color;
    context.fill();
    context.globalAlpha = 1;
  }
  context.beginPath();
  let last = -Infinity;
  let points = 0;
  for (let i = 0; i < columns.width; i++) {
    if (columns.count[i] === 0) continue;
    const x = layout.left + (i + 0.5) * step;
    const y = yOf(place, axis, columns.mean[i]!);
    if (i - last <= columns.reach) context.lineTo(x, y);
    else context.moveTo(x, y);
    last = i;
    points++;
  }
  context.strokeStyle = color;
  context.lineWidth = 1.4;
  context.lineJoin = "round";
  context.setLineDash(DASHES[series.color % DASHES.length] as number[]);
  context.stroke();
  context.setLineDash([]);
  if (columns.isRaw && points < columns.width / 6) {
    context.fillStyle = color;
    for (let i = 0; i < columns.width; i++) {
      if (columns.count[i] === 0) continue;
      context.beginPath();
      const y = yOf(place, axis, columns.mean[i]!);
      context.arc(layout.left + (i + 0.5) * step, y, 2.4, 0, 7);
      context.fill();
    }
  }
}

function drawDensity(
  context: CanvasRenderingContext2D,
  layout: FigureLayout,
  top: number,
  { columns, color }: FigureSeries,
  palette: Palette,
): void {
  let most = 0;
  for (const n of columns.count) if (n > most) most = n;
  const step = (layout.right - layout.left) / columns.width;
  context.fillStyle = palette.series[color % palette.series.length]!;
  const bins: number[][] = [[], [], [], []];
  for (let i = 0; i < columns.width; i++) {
    const n = columns.count[i]!;
    if (n > 0) bins[Math.min(3, Math.floor(4 * n / (most + 1)))]!.push(i);
  }
  bins.forEach((bin, level) => {
    context.globalAlpha = 0.25 + 0.2 * level;
    context.beginPath();
    for (const i of bin) context.rect(layout.left + i * step, top, step, STRIP - 1);
    context.fill();
  });
  context.globalAlpha = 1;
}
