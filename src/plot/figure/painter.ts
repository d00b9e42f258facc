/**
 * The surface that figures are drawn on: a canvas, or an SVG file.
 *
 * @module
 */

import type { Ink } from "./palette.ts";

/** Style of lines. */
export interface LineStyle {
  readonly ink: Ink;
  /** CSS pixels. @default {1} */
  readonly width?: number;
  /** Lengths of dashes and the gaps between them, CSS pixels. */
  readonly dash?: readonly number[];
  /** Opacity, 0 to 1. @default {1} */
  readonly alpha?: number;
}

/** Style of text. */
export interface TextStyle {
  readonly ink: Ink;
  /** Part of the text that is at the place. @default {"left"} */
  readonly align?: "left" | "center" | "right";
  /** @default {false} */
  readonly isBold?: boolean;
}

/** Bars, each from `top` to `bottom`, centred at `x`. */
export interface Bars {
  readonly length: number;
  readonly x: Float64Array;
  readonly top: Float64Array;
  readonly bottom: Float64Array;
}

/** A surface. Lengths are CSS pixels, y grows downwards. */
export interface Painter {
  /** Fills a rectangle. */
  rect(x: number, y: number, width: number, height: number, ink: Ink, alpha?: number): void;
  /** Fills bars of one width. */
  bars(bars: Bars, width: number, ink: Ink, alpha: number): void;
  /**
   * Draws lines through places.
   *
   * @param places x and y in turns; NaN begins a new line.
   */
  lines(places: ArrayLike<number>, style: LineStyle): void;
  /** Draws dots. @param places x and y in turns. */
  dots(places: ArrayLike<number>, radius: number, ink: Ink): void;
  /** Writes text, its middle at height `y`. */
  text(text: string, x: number, y: number, style: TextStyle): void;
  /** Limits to a rectangle whatever is drawn meanwhile. */
  clip(x: number, y: number, width: number, height: number, draw: () => void): void;
}

/** Height of text, CSS pixels. */
export const FONT_SIZE = 11;

/** Fonts, the first that is there. */
export const FONT_FAMILY =
  "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
