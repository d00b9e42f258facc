/**
 * Ranges of value axes: as the data, from zero, or fixed; and such that they do not jump while the
 * view moves.
 *
 * @module
 */

import { valueAxis } from "../axis.ts";

/** Choice of the range of an axis. */
export type ValueRange =
  | { readonly kind: "auto" }
  | { readonly kind: "zero" }
  | { readonly kind: "fixed"; readonly low: number; readonly high: number };

/** A scale with ticks. */
export interface ValueScale {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
  /** Digits after the point that labels need. */
  readonly digits: number;
}

/** Size below which values are looked at as zero: differences of smaller ones are not normal. */
const TINY = 1e-280;

/** Share of the range that is left free above and below the data. */
const MARGIN = 0.06;

/**
 * The scale for data.
 *
 * @param extent Smallest and largest value; undefined if there are no points.
 * @param range Choice of the user.
 * @param height Length of the axis, CSS pixels.
 * @param held Scale of the frame before, while the view moves: it grows, but does not shrink.
 */
export function valueScale(
  extent: readonly [low: number, high: number] | undefined,
  range: ValueRange,
  height: number,
  held?: ValueScale,
): ValueScale {
  const most = Math.max(2, Math.min(9, Math.floor(height / 32)));
  if (range.kind === "fixed") return cut(range.low, range.high, most);
  if (extent === undefined) return held ?? cut(0, 1, most);
  let [low, high] = extent;
  if (range.kind === "zero") [low, high] = [Math.min(0, low), Math.max(0, high)];
  const isFlat = high - low <= Math.max(Math.abs(low), Math.abs(high), TINY) * 1e-12;
  const margin = isFlat
    ? (Math.abs(high) > TINY ? Math.abs(high) * 0.05 : 1)
    : MARGIN * high - MARGIN * low;
  if (range.kind !== "zero" || low < 0 || isFlat) low -= margin;
  if (range.kind !== "zero" || high > 0 || isFlat) high += margin;
  if (held !== undefined) {
    if (held.low <= low && held.high >= high) return held;
    [low, high] = [Math.min(low, held.low), Math.max(high, held.high)];
  }
  return cut(low, high, most);
}

/** The scale from one value to another, the ends as they are. */
function cut(from: number, to: number, most: number): ValueScale {
  const [low, high] = [Math.max(from, -Number.MAX_VALUE), Math.min(to, Number.MAX_VALUE)];
  const { ticks, digits } = valueAxis(low, high, most);
  return { low, high, ticks, digits };
}

/** Place of a value: 0 at the lower end, 1 at the upper one. */
export function shareOf({ low, high }: ValueScale, value: number): number {
  // The difference of two doubles may be beyond all doubles; that of their halves is not.
  return (value / 2 - low / 2) / (high / 2 - low / 2);
}
