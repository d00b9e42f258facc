/**
 * Plots of windows in a terminal: the band from min to max, the mean as a line, braille dots.
 *
 * @module
 */

import { sgr } from "./sgr.ts";
import type { StatColumns } from "../kernel/mod.ts";
import { timeTicks, type ValueAxis, valueAxis, valueLabel } from "./axis.ts";
import { BrailleCanvas } from "./braille.ts";
import { type Pixels, toPixels } from "./pixels.ts";

/** One stream to plot. */
export interface PlotSeries {
  /** Its name, shown above the plot. */
  label: string;
  /** Its windows, ascending; those without points are gaps. */
  columns: StatColumns;
}

/** Options of a plot. */
export interface PlotOptions {
  /** Characters in a line, at least 30. @default {80} */
  width?: number;
  /** Lines in all, shared by the panels; a panel has at least 6. @default {20} */
  height?: number;
  /** True to use colours. @default {false} */
  color?: boolean;
  /** Start of the time axis, ns since the Unix epoch; default: of the first window. */
  start?: bigint;
  /** End of the time axis, exclusive; default: of the last window. */
  end?: bigint;
  /** Time zone of the labels. @default {"UTC"} */
  tz?: string;
  /** All series in one panel, told apart by colour, instead of one panel each. @default {false} */
  overlay?: boolean;
}

const COLORS = [36, 33, 32, 35, 34, 31];
const MIN_WIDTH = 30;
const MIN_PANEL = 6;

/**
 * Draws series of windows as text.
 *
 * @param series Curves to draw; a panel each, or all in one (`overlay`).
 * @param options Size, colours and time range.
 * @returns Lines, each ended by `\n`.
 */
export function plotTerminal(series: readonly PlotSeries[], options: PlotOptions = {}): string {
  const width = Math.max(MIN_WIDTH, options.width ?? 80);
  const panels = options.overlay ? [series] : series.map((one) => [one]);
  const height = Math.max(
    MIN_PANEL,
    Math.floor(((options.height ?? 20) - 2) / Math.max(1, panels.length)),
  );
  const range = timeRange(series, options);
  if (range === undefined) {
    return series.map(({ label }) => `${label}: no points in this range\n`).join("");
  }
  const frame: Frame = { ...range, width, height, color: options.color ?? false };
  const body = panels.map((panel, p) => drawPanel(panel, frame, options.overlay ? 0 : p)).join("");
  return body + timeAxis(frame, options.tz ?? "UTC");
}

interface Frame {
  start: bigint;
  end: bigint;
  width: number;
  height: number;
  color: boolean;
}

/** Characters left of the plot: value labels, a blank and the axis. */
const MARGIN = 12;

/** Times to draw, or `undefined` if nothing says where. */
function timeRange(
  series: readonly PlotSeries[],
  options: PlotOptions,
): { start: bigint; end: bigint } | undefined {
  let { start, end } = options;
  for (const { columns: { times } } of series) {
    if (times.length === 0) continue;
    const first = times[0]!;
    const last = times[times.length - 1]!;
    const step = times.length > 1 ? (last - first) / BigInt(times.length - 1) || 1n : 1n;
    if (options.start === undefined && (start === undefined || first < start)) start = first;
    if (options.end === undefined && (end === undefined || last + step > end)) end = last + step;
  }
  if (start === undefined || end === undefined) return undefined;
  return { start, end: end > start ? end : start + 1n };
}

function drawPanel(panel: readonly PlotSeries[], frame: Frame, firstColor: number): string {
  const canvas = new BrailleCanvas(frame.width - MARGIN, frame.height - 1);
  const pixels = panel.map(({ columns }) =>
    toPixels(columns, frame.start, frame.end, canvas.width)
  );
  const low = Math.min(...pixels.map(({ low }) => low));
  const high = Math.max(...pixels.map(({ high }) => high));
  const title = panel.map(({ label }, s) => paintSeries(label, firstColor + s, frame.color));
  const heading = `${" ".repeat(MARGIN)}${title.join("   ")}\n`;
  if (!(low <= high)) {
    return `${heading}${" ".repeat(MARGIN)}no points in this range\n`;
  }
  const axis = finite(valueAxis(low, high, Math.max(3, Math.floor(canvas.rows / 2))));
  pixels.forEach((one, s) => drawBand(canvas, one, axis, 2 * s + 1));
  pixels.forEach((one, s) => drawMean(canvas, one, axis, 2 * s + 2));
  return heading + panelRows(canvas, axis, firstColor, frame.color);
}

function paintSeries(text: string, index: number, color: boolean): string {
  return color ? sgr(COLORS[index % COLORS.length]!, text, 39) : text;
}

function panelRows(
  canvas: BrailleCanvas,
  axis: ValueAxis,
  firstColor: number,
  color: boolean,
): string {
  const labels = new Map(
    axis.ticks.map((
      tick,
    ) => [dotOf(tick, axis, canvas.height) >> 2, valueLabel(tick, axis.digits)]),
  );
  const paint = (text: string, layer: number): string => {
    if (!color || layer === 0) return text;
    const index = firstColor + ((layer - 1) >> 1);
    const painted = paintSeries(text, index, true);
    return layer % 2 === 1 ? sgr(2, painted, 22) : painted;
  };
  let text = "";
  for (let row = 0; row < canvas.rows; row++) {
    const label = labels.get(row);
    const margin = (label ?? "").padStart(MARGIN - 2) + (label === undefined ? " │" : " ┤");
    text += `${margin}${canvas.row(row, paint)}`.trimEnd() + "\n";
  }
  return text;
}

/** An axis of numbers that have a place: those that are infinite are at its ends. */
function finite(axis: ValueAxis): ValueAxis {
  const [low, high] = [
    Math.max(axis.low, -Number.MAX_VALUE),
    Math.min(axis.high, Number.MAX_VALUE),
  ];
  return { ...axis, low, high };
}

/** The dot, from the top, of a value; NaN of NaN. */
function dotOf(value: number, axis: ValueAxis, height: number): number {
  const last = height - 1;
  // Beyond all doubles is the difference of two, but not that of their halves.
  const span = axis.high - axis.low;
  const part = span < Infinity
    ? (value - axis.low) / span
    : (value / 2 - axis.low / 2) / (axis.high / 2 - axis.low / 2);
  return Math.min(last, Math.max(0, Math.round((1 - part) * last)));
}

/** The band from min to max: its edges, and every other dot between them. */
function drawBand(canvas: BrailleCanvas, pixels: Pixels, axis: ValueAxis, layer: number): void {
  for (let x = 0; x < canvas.width; x++) {
    if (!pixels.filled[x]) continue;
    const top = dotOf(pixels.max[x]!, axis, canvas.height);
    const bottom = dotOf(pixels.min[x]!, axis, canvas.height);
    if (Number.isNaN(top + bottom)) continue;
    canvas.set(x, top, layer);
    canvas.set(x, bottom, layer);
    for (let y = top + 1; y < bottom; y++) {
      if (((x + y) & 1) === 0) canvas.set(x, y, layer);
    }
  }
}

/** The mean: a line through all pixels between which there is no gap. */
function drawMean(canvas: BrailleCanvas, pixels: Pixels, axis: ValueAxis, layer: number): void {
  let lastX = -1;
  let lastY = 0;
  for (let x = 0; x < canvas.width; x++) {
    if (!pixels.filled[x]) continue;
    const y = dotOf(pixels.mean[x]!, axis, canvas.height);
    // Sums of large values overflow on some servers.
    if (Number.isNaN(y)) continue;
    if (lastX >= 0 && x - lastX <= pixels.reach) canvas.line(lastX, lastY, x, y, layer);
    else canvas.set(x, y, layer);
    lastX = x;
    lastY = y;
  }
}

/** The time axis: a rule with ticks, their labels, and the day where the labels do not name it. */
function timeAxis(frame: Frame, tz: string): string {
  const columns = frame.width - MARGIN;
  const ticks = timeTicks(frame.start, frame.end, Math.max(1, Math.floor(columns / 18)), tz);
  const rule = Array.from({ length: columns }, () => "─");
  const labels = Array.from({ length: frame.width }, () => " ");
  for (const { time, label } of ticks) {
    const at = Number((time - frame.start) * BigInt(columns) / (frame.end - frame.start));
    const from = Math.min(MARGIN + at - (label.length >> 1), frame.width - label.length);
    if (
      from < 0 || labels.slice(Math.max(0, from - 1), from + label.length).some((c) => c !== " ")
    ) {
      continue;
    }
    rule[at] = "┬";
    for (let i = 0; i < label.length; i++) labels[from + i] = label[i]!;
  }
  const day = Temporal.Instant.fromEpochNanoseconds(frame.start).toZonedDateTimeISO(tz)
    .toPlainDate().toString();
  const named = ticks.some(({ label }) => label.includes("-"));
  const corner = (named ? "" : day).padEnd(MARGIN - 1);
  return `${corner}└${rule.join("")}\n${labels.join("").trimEnd()}\n`;
}
