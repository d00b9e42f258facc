/**
 * Lines of series: their colours, dash patterns, and how those of earlier periods differ.
 *
 * @module
 */

import type { LineStyle } from "./painter.ts";
import { dashOf } from "./palette.ts";

/** Dash patterns of earlier periods, CSS pixels: shorter than those of most series. */
const PERIOD_DASHES: readonly (readonly number[])[] = [
  [4, 3],
  [1.5, 2.5],
  [7, 2, 1.5, 2],
  [2, 5],
];

/** Opacity of lines of earlier periods. */
const PERIOD_ALPHA = 0.65;

/** A series, or the same stream in an earlier period. */
export interface SeriesInk {
  /** Number of its colour and dash pattern. */
  readonly ink: number;
  /** Number of the earlier period it is of; 0 for the range itself. @default {0} */
  readonly period?: number;
}

/** Style of the line of a series: those of earlier periods are lighter, thinner and dashed. */
export function lineStyleOf({ ink, period = 0 }: SeriesInk): Required<LineStyle> {
  if (period === 0) return { ink, width: 1.4, dash: dashOf(ink), alpha: 1 };
  const dash = PERIOD_DASHES[(period - 1) % PERIOD_DASHES.length]!;
  return { ink, width: 1.1, dash, alpha: PERIOD_ALPHA };
}

/** Share of the opacity of bands that the one of a series has. */
export function bandShareOf({ period = 0 }: SeriesInk): number {
  return period === 0 ? 1 : 0.3;
}
