/**
 * Figures on a canvas.
 *
 * @module
 */

import { type Bars, FONT_FAMILY, FONT_SIZE, type LineStyle, type Painter } from "./painter.ts";
import type { TextStyle } from "./painter.ts";
import { colorOf, type Ink, type Palette } from "./palette.ts";

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
    context.beginPath();
    for (let i = 0; i < length; i++) {
      context.rect(x[i]! - width / 2, top[i]!, width, bottom[i]! - top[i]!);
    }
    context.globalAlpha = alpha;
    context.fillStyle = colorOf(this.#palette, ink);
    context.fill();
    context.globalAlpha = 1;
  }

  lines(places: ArrayLike<number>, { ink, width = 1, dash = [], alpha = 1 }: LineStyle): void {
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
