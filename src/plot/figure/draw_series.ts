/**
 * Draws a series: its band from min to max, the line of its means, dots where points are few.
 *
 * @module
 */

import type { FigureSeries, Layout, PlotPlace } from "./layout.ts";
import { yOf } from "./layout.ts";
import type { Painter } from "./painter.ts";
import type { Neighbour } from "./pixel_columns.ts";
import { bandShareOf, lineStyleOf } from "./series_style.ts";

/** Distance of points from which each is a dot, columns of pixels. */
const DOT_DISTANCE = 6;

/** Places of the parts of a series. Its memory is used again, as a frame would need a megabyte. */
class SeriesPlaces {
  readonly length: number;
  /** Bars of the band. */
  readonly x: Float64Array;
  readonly top: Float64Array;
  readonly bottom: Float64Array;
  /** x and y in turns; each place may follow a break of the line, and there are two neighbours. */
  readonly line: Float64Array;
  readonly dots: Float64Array;

  /** @param length Most columns that have room. */
  constructor(length: number) {
    this.length = length;
    this.x = new Float64Array(length);
    this.top = new Float64Array(length);
    this.bottom = new Float64Array(length);
    this.line = new Float64Array(4 * length + 4);
    this.dots = new Float64Array(2 * length);
  }
}

let room = new SeriesPlaces(0);

/**
 * Draws a series.
 *
 * @param bandAlpha Opacity of its band; 0 for none.
 */
export function drawSeries(
  painter: Painter,
  { left, right }: Layout,
  place: PlotPlace,
  series: FigureSeries,
  bandAlpha: number,
): void {
  const { columns, ink, side } = series;
  const { length, min, mean, max, count, reach, before, after } = columns;
  const axis = place[side]!;
  const step = (right - left) / length;
  if (room.length < length) room = new SeriesPlaces(length);
  const { x, top, bottom, line, dots } = room;
  let [bars, filled, places] = [0, 0, 0];
  const addNeighbour = (at: number, { x, value }: Neighbour) => {
    line[at] = left + (x + 0.5) * step;
    line[at + 1] = yOf(place, axis, value);
    return at + 2;
  };
  // A neighbour that is given belongs to the line, however far away it is: NaN is never a gap.
  let last = before === undefined ? -Infinity : NaN;
  if (before !== undefined) places = addNeighbour(places, before);
  for (let i = 0; i < length; i++) {
    if (count[i] === 0) continue;
    const center = left + (i + 0.5) * step;
    const y = yOf(place, axis, mean[i]!);
    if (max[i]! > min[i]!) {
      x[bars] = center;
      top[bars] = yOf(place, axis, max[i]!);
      // A bar is never thinner than a pixel of the device.
      bottom[bars] = Math.max(top[bars]! + step, yOf(place, axis, min[i]!));
      bars++;
    }
    // The sums of some servers overflow: such a mean has no place.
    if (!Number.isFinite(y)) continue;
    if (i - last > reach) {
      line[places++] = NaN;
      line[places++] = NaN;
    }
    line[places++] = dots[filled++] = center;
    line[places++] = dots[filled++] = y;
    last = i;
  }
  if (after !== undefined) places = addNeighbour(places, after);
  if (bandAlpha > 0) {
    painter.bars({ length: bars, x, top, bottom }, step, ink, bandAlpha * bandShareOf(series));
  }
  painter.lines(line.subarray(0, places), lineStyleOf(series));
  const found = dots.subarray(0, filled);
  const isSparse = filled / 2 * DOT_DISTANCE <= length;
  painter.dots(isSparse ? found : lonely(found, DOT_DISTANCE * step), isSparse ? 2.5 : 1.5, ink);
}

/** Dots with no other one near: a line alone would not show them. */
function lonely(dots: Float64Array, distance: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < dots.length; i += 2) {
    const x = dots[i]!;
    const isFree = (i === 0 || x - dots[i - 2]! > distance) &&
      (i + 2 >= dots.length || dots[i + 2]! - x > distance);
    if (isFree) found.push(x, dots[i + 1]!);
  }
  return found;
}
