/**
 * The figure on the page: one canvas for the data, one above it for cursors and boxes, so that
 * moving the pointer draws no data again.
 *
 * @module
 */

import { CanvasPainter } from "../../plot/figure/canvas_painter.ts";
import { drawFigure } from "../../plot/figure/draw_figure.ts";
import { type Figure, type Layout, layOut } from "../../plot/figure/layout.ts";
import type { Palette } from "../../plot/figure/palette.ts";
import { element } from "./dom.ts";
import type { Box } from "./gestures.ts";

/** A cursor to draw. */
export interface CursorMark {
  /** CSS pixels from the left. */
  readonly x: number;
  readonly label: string;
  /** True for the one that follows the pointer. */
  readonly isHover: boolean;
  /** Values to mark: places and colours. */
  readonly dots: readonly { readonly x: number; readonly y: number; readonly color: string }[];
}

/** Canvases of a figure. */
export class FigureView {
  readonly root: HTMLElement;
  /** Element over the canvases, for legends. */
  readonly legends: HTMLElement;
  readonly #data: HTMLCanvasElement;
  readonly #over: HTMLCanvasElement;
  #layout: Layout | undefined;
  /** Size as it was drawn last: to ask the page again in a frame makes it lay out twice. */
  #drawn = { width: 0, height: 0 };

  /** @param onResize Called when there is more or less room. */
  constructor(onResize: () => void) {
    this.#data = element("canvas", { "aria-hidden": "true" });
    this.#over = element("canvas", { "aria-hidden": "true" });
    this.legends = element("div.legends");
    this.root = element(
      "div.figure",
      {
        role: "application",
        tabindex: 0,
        "aria-label": "Figure",
        "aria-roledescription": "plot of time series",
        "aria-describedby": "figure-summary",
      },
      this.#data,
      this.#over,
      this.legends,
    );
    new ResizeObserver(onResize).observe(this.root);
  }

  /** Width and height, CSS pixels. */
  get size(): { width: number; height: number } {
    return { width: this.root.clientWidth, height: this.root.clientHeight };
  }

  /** The layout as it was drawn last. */
  get layout(): Layout | undefined {
    return this.#layout;
  }

  /**
   * Draws the data.
   *
   * @param isMoving True while the view moves: axes do not shrink.
   */
  draw(figure: Figure, palette: Palette, isMoving: boolean): Layout {
    const { width, height } = figure;
    this.#drawn = { width, height };
    const context = sized(this.#data, width, height);
    const layout = layOut(figure, isMoving ? this.#layout : undefined);
    paint(context, figure, layout, palette);
    this.#layout = layout;
    return layout;
  }

  /** Draws cursors and box. */
  drawOver(marks: readonly CursorMark[], box: Box | undefined, palette: Palette): void {
    const { width, height } = this.#drawn;
    const context = sized(this.#over, width, height);
    context.clearRect(0, 0, width, height);
    const layout = this.#layout;
    if (layout === undefined) return;
    for (const mark of marks) drawMark(context, layout, mark, palette);
    if (box !== undefined) drawBox(context, layout, box, palette);
  }
}

/** A figure as PNG, with its legends. */
export async function pngOf(figure: Figure, palette: Palette, ratio: number): Promise<Blob> {
  const canvas = element("canvas");
  canvas.width = Math.round(figure.width * ratio);
  canvas.height = Math.round(figure.height * ratio);
  const context = canvas.getContext("2d")!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  const whole = { ...figure, legend: true };
  paint(context, whole, layOut(whole), palette);
  return await new Promise((resolve, reject) => {
    canvas.toBlob((blob) =>
      blob === null ? reject(new Error("The picture is too large")) : resolve(blob)
    );
  });
}

function paint(
  context: CanvasRenderingContext2D,
  figure: Figure,
  layout: Layout,
  palette: Palette,
): void {
  const painter = new CanvasPainter(context, palette);
  painter.rect(0, 0, figure.width, figure.height, "background");
  drawFigure(painter, figure, layout, palette.bandAlpha);
}

/** The context of a canvas, of as many pixels as the device has. */
function sized(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const ratio = devicePixelRatio;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w) canvas.width = w;
  if (canvas.height !== h) canvas.height = h;
  const context = canvas.getContext("2d")!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

function drawMark(
  context: CanvasRenderingContext2D,
  { plots, bottom, left, right }: Layout,
  { x, label, isHover, dots }: CursorMark,
  palette: Palette,
): void {
  const at = Math.round(x) + 0.5;
  context.strokeStyle = isHover ? palette.muted : palette.accent;
  context.lineWidth = 1;
  context.setLineDash(isHover ? [] : [4, 3]);
  context.globalAlpha = isHover ? 0.7 : 1;
  context.beginPath();
  for (const { top, height } of plots) {
    context.moveTo(at, top);
    context.lineTo(at, top + height);
  }
  context.stroke();
  context.setLineDash([]);
  context.globalAlpha = 1;
  for (const { x, y, color } of dots) {
    context.beginPath();
    context.arc(x, y, 3.5, 0, 7);
    context.fillStyle = color;
    context.fill();
    context.strokeStyle = palette.background;
    context.lineWidth = 1.5;
    context.stroke();
  }
  context.font = "11px ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', monospace";
  const width = context.measureText(label).width + 12;
  const from = Math.max(left - 60, Math.min(x - width / 2, right - width + 14));
  context.fillStyle = isHover ? palette.text : palette.accent;
  context.beginPath();
  context.roundRect(from, bottom + 4, width, 19, 4);
  context.fill();
  context.fillStyle = palette.background;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(label, from + 6, bottom + 14);
}

function drawBox(
  context: CanvasRenderingContext2D,
  { left, right }: Layout,
  { left: x, top, right: end, bottom }: Box,
  palette: Palette,
): void {
  const from = Math.max(left, x);
  const width = Math.min(right, end) - from;
  context.fillStyle = palette.accent;
  context.globalAlpha = 0.14;
  context.fillRect(from, top, width, bottom - top);
  context.globalAlpha = 1;
  context.strokeStyle = palette.accent;
  context.lineWidth = 1;
  context.strokeRect(Math.round(from) + 0.5, Math.round(top) + 0.5, width, bottom - top);
}
