/**
 * The range on show and its place on the figure: moments as pixels, and pixels as moments.
 *
 * @module
 */

import { MILLISECOND } from "../../core/time.ts";
import type { Layout } from "../../plot/figure/layout.ts";
import { clamped, type TimeSpan } from "../plotter/view_changes.ts";
import type { RangeState } from "../plotter/view_state.ts";

/** Room beside the data in which a drag still begins, CSS pixels. */
const DRAG_MARGIN = 60;

/** Options of a {@linkcode Viewport}. */
export interface ViewportOptions {
  readonly range: () => RangeState;
  /** The layout as it was drawn last. */
  readonly layout: () => Layout | undefined;
}

/** Places of moments on the figure. */
export class Viewport {
  /** Columns of pixels across, as they were drawn last. */
  columns = 1;
  readonly #options: ViewportOptions;

  constructor(options: ViewportOptions) {
    this.#options = options;
  }

  /** The present, ns since the Unix epoch. */
  get now(): bigint {
    return BigInt(Date.now()) * MILLISECOND;
  }

  /** The range on show; one that follows the clock ends now. */
  get span(): TimeSpan {
    const range = this.#options.range();
    if ("start" in range) return range;
    const { now } = this;
    return clamped({ start: now - range.last, end: now });
  }

  /** The layout as it was drawn last. */
  get layout(): Layout | undefined {
    return this.#options.layout();
  }

  /** Width of the data, CSS pixels. */
  get width(): number {
    const { layout } = this;
    return layout === undefined ? 1 : layout.right - layout.left;
  }

  /** Place of the middle of the data, CSS pixels. */
  get middle(): number {
    const { layout } = this;
    return layout === undefined ? 0 : (layout.left + layout.right) / 2;
  }

  /** The share of the range that is before a place: 0 at its start, 1 at its end. */
  shareOf(x: number | undefined): number {
    const { layout } = this;
    if (layout === undefined || x === undefined) return 0.5;
    return Math.max(0, Math.min(1, (x - layout.left) / (layout.right - layout.left)));
  }

  /** Tells whether a drag may begin at a place. */
  isDraggable(x: number): boolean {
    const { layout } = this;
    return layout !== undefined && layout.plots.length > 0 && x <= layout.right + DRAG_MARGIN;
  }

  /** The moment at a place; undefined where there is none. */
  timeAt(x: number | undefined): bigint | undefined {
    const { layout } = this;
    if (layout === undefined || x === undefined || layout.plots.length === 0) return undefined;
    if (x < layout.left || x >= layout.right) return undefined;
    const { start, end } = this.span;
    return start + BigInt(Math.floor(this.shareOf(x) * Number(end - start)));
  }

  /** The place of a moment, CSS pixels; it may be outside. */
  placeOf(time: bigint | undefined): number | undefined {
    const { layout } = this;
    if (layout === undefined || time === undefined) return undefined;
    const { start, end } = this.span;
    const share = Number(time - start) / Number(end - start);
    return layout.left + share * (layout.right - layout.left);
  }

  /** The moment so many columns of pixels later, but never outside the range. */
  stepped(from: bigint, columns: number): bigint {
    const { start, end } = this.span;
    const step = Number(end - start) / this.columns;
    const time = from + BigInt(Math.round(columns * step) || Math.sign(columns));
    return time < start ? start : time >= end ? end - 1n : time;
  }
}
