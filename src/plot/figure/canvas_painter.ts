/**
 * Figures on a canvas.
 *
 * @module
 */

import { type Bars, FONT_FAMILY, FONT_SIZE, type LineStyle, type Painter } from "./painter.ts";
import type { TextStyle } from "./painter.ts";
import { colorOf, type Ink, type Palette } from "./palette.ts";

/**
 * Places in a line from which it is drawn with hairlines. Without a GPU the outline of a jagged line
 * that is wider than a pixel takes a browser 50 ms, its dashes more, and a hairline 4.
 */
const DENSE = 400;

/** Height of a step that is drawn where a dense line has a gap between dashes: none hides a spike. */
const STEEP = 12;

/** Room for rounding of places that lie between two pixels. */
const ROUNDING = 1e-6;

/** Draws on a canvas. */
export class CanvasPainter implements Painter {
  readonly #context: CanvasRenderingContext2D;
  readonly #palette: Palette;

  /**
   * @param context Scaled so that its unit is a CSS pixel.
   * @param palette Colours of inks.
   */
  constructor(context: CanvasRenderingContext2D, palette: Palette) {
    this.#context = context;
    this.#palette = palette;
    context.textBaseline = "middle";
  }

  rect(x: number, y: number, width: number, height: number, ink: Ink, alpha = 1): void {
    const context = this.#context;
    context.globalAlpha = alpha;
    context.fillStyle = colorOf(this.#palette, ink);
    context.fillRect(x, y, width, height);
    context.globalAlpha = 1;
  }

  bars({ length, x, top, bottom }: Bars, width: number, ink: Ink, alpha: number): void {
    const context = this.#context;
    const ratio = context.getTransform().a;
    const wide = Math.max(1, Math.round(width * ratio));
    // In whole pixels of the device each is a line, all of them one path: rectangles take a browser
    // three times as long in calls of their own, and many times as long in one path.
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalAlpha = alpha;
    context.strokeStyle = colorOf(this.#palette, ink);
    context.lineWidth = wide;
    context.beginPath();
    for (let i = 0; i < length; i++) {
      const from = Math.round(top[i]! * ratio + ROUNDING);
      const to = Math.max(from + 1, Math.round(bottom[i]! * ratio + ROUNDING));
      const at = Math.round((x[i]! - width / 2) * ratio + ROUNDING) + wide / 2;
      context.moveTo(at, from);
      context.lineTo(at, to);
    }
    context.stroke();
    context.restore();
  }

  lines(places: ArrayLike<number>, { ink, width = 1, dash = [], alpha = 1 }: LineStyle): void {
    if (places.length > 2 * DENSE) return this.#denseLines(places, { ink, width, dash, alpha });
    const context = this.#context;
    context.beginPath();
    let isNew = true;
    for (let i = 0; i < places.length; i += 2) {
      const x = places[i]!;
      if (Number.isNaN(x)) isNew = true;
      else if (isNew) {
        context.moveTo(x, places[i + 1]!);
        isNew = false;
      } else context.lineTo(x, places[i + 1]!);
    }
    context.globalAlpha = alpha;
    context.strokeStyle = colorOf(this.#palette, ink);
    context.lineWidth = width;
    context.lineJoin = "round";
    context.setLineDash(dash as number[]);
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  #denseLines(places: ArrayLike<number>, { ink, width, dash, alpha }: Required<LineStyle>): void {
    const context = this.#context;
    const ratio = context.getTransform().a;
    context.globalAlpha = alpha;
    context.strokeStyle = colorOf(this.#palette, ink);
    context.lineWidth = 1 / ratio;
    context.lineJoin = "bevel";
    const passes = Math.max(1, Math.floor(width * ratio));
    context.beginPath();
    for (let pass = 0; pass < passes; pass++) {
      tracePlaces(context, places, dash, (pass - (passes - 1) / 2) / ratio);
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  dots(places: ArrayLike<number>, radius: number, ink: Ink): void {
    const context = this.#context;
    context.fillStyle = colorOf(this.#palette, ink);
    context.beginPath();
    for (let i = 0; i < places.length; i += 2) {
      context.moveTo(places[i]! + radius, places[i + 1]!);
      context.arc(places[i]!, places[i + 1]!, radius, 0, 2 * Math.PI);
    }
    context.fill();
  }

  text(text: string, x: number, y: number, { ink, align = "left", isBold }: TextStyle): void {
    const context = this.#context;
    context.font = `${isBold ? "600 " : ""}${FONT_SIZE}px ${FONT_FAMILY}`;
    context.fillStyle = colorOf(this.#palette, ink);
    context.textAlign = align;
    context.fillText(text, x, y);
  }

  clip(x: number, y: number, width: number, height: number, draw: () => void): void {
    const context = this.#context;
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    draw();
    context.restore();
  }
}

/** Adds lines to the path of a context, in dashes that are measured along x. */
function tracePlaces(
  context: CanvasRenderingContext2D,
  places: ArrayLike<number>,
  dash: readonly number[],
  shift: number,
): void {
  const period = dash.reduce((sum, length) => sum + length, 0);
  let [x0, y0, isDown] = [NaN, NaN, false];
  for (let i = 0; i < places.length; i += 2) {
    const [x, y] = [places[i]!, places[i + 1]!];
    // NaN is neither steep nor flat: a line ends there.
    const steep = Math.abs(y - y0);
    if (steep > STEEP || (steep <= STEEP && (period === 0 || isInDash(x0, dash, period)))) {
      if (!isDown) context.moveTo(x0, y0 + shift);
      context.lineTo(x, y + shift);
      isDown = true;
    } else isDown = false;
    [x0, y0] = [x, y];
  }
}

/** Tells whether a place is in a dash, and not in a gap after one. */
function isInDash(x: number, dash: readonly number[], period: number): boolean {
  // The remainder of doubles, `%`, takes five times as long.
  let rest = x - period * Math.floor(x / period);
  for (let i = 0; i < dash.length; i++) {
    rest -= dash[i]!;
    if (rest < 0) return i % 2 === 0;
  }
  return false;
}
