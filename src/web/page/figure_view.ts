/**
 * The figure on the page: one canvas for the data, one above it for cursor and box, so that moving
 * the pointer draws no data again.
 *
 * @module
 */

import { element } from "./dom.ts";
import type { Box } from "./gestures.ts";
import { drawFigure, type FigureLayout, type FigureOptions, layoutFigure } from "./local_figure.ts";
import type { Palette } from "./palette.ts";

/** A mark of the cursor to draw. */
export interface CursorMark {
  /** CSS pixels from the left. */
  readonly x: number;
  readonly label: string;
  /** True for the one that follows the pointer. */
  readonly isHover: boolean;
  /** Values to mark: places and colours. */
  readonly dots: readonly { readonly y: number; readonly color: string }[];
}

/** Canvases of a figure. */
export class FigureView {
  readonly root: HTMLElement;
  /** Element over the canvases, for legends. */
  readonly legends: HTMLElement;
  readonly #data: HTMLCanvasElement;
  readonly #over: HTMLCanvasElement;
  #layout: FigureLayout | undefined;

  /** @param onResize Called when there is more or less room. */
  constructor(onResize: () => void) {
    this.#data = element("canvas", { "aria-hidden": "true" });
    this.#over = element("canvas", { "aria-hidden": "true" });
    this.legends = element("div");
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
  get layout(): FigureLayout | undefined {
    return this.#layout;
  }

  /** Draws the data. */
  draw(options: FigureOptions): FigureLayout {
    const context = sized(this.#data, options.width, options.height);
    const layout = layoutFigure(options);
    drawFigure(context, layout, options);
    this.#layout = layout;
    return layout;
  }

  /** Draws cursors and box. */
  drawOver(marks: readonly CursorMark[], box: Box | undefined, palette: Palette): void {
    const { width, height } = this.size;
    const context = sized(this.#over, width, height);
    context.clearRect(0, 0, width, height);
    const layout = this.#layout;
    if (layout === undefined) return;
    for (const mark of marks) drawMark(context, layout, mark, palette);
    if (box !== undefined) drawBox(context, layout, box, palette);
  }
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
  { plots, bottom, left, right }: FigureLayout,
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
  for (const { y, color } of dots) {
    context.beginPath();
    context.arc(x, y, 3.5, 0, 7);
    context.fillStyle = color;
    context.fill();
    context.strokeStyle = palette.background;
    context.lineWidth = 1.5;
    context.stroke();
  }
  context.font = "11px ui-monospace, 'DejaVu Sans Mono', monospace";
  const width = context.measureText(label).width + 12;
  const from = Math.max(left - 40, Math.min(x - width / 2, right - width + 12));
  context.fillStyle = isHover ? palette.text : palette.accent;
  context.beginPath();
  context.roundRect(from, bottom + 3, width, 18, 4);
  context.fill();
  context.fillStyle = palette.background;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.fillText(label, from + 6, bottom + 12.5);
}

function drawBox(
  context: CanvasRenderingContext2D,
  { left, right }: FigureLayout,
  box: Box,
  palette: Palette,
): void {
  const from = Math.max(left, box.left);
  const width = Math.min(right, box.right) - from;
  context.fillStyle = palette.accent;
  context.globalAlpha = 0.14;
  context.fillRect(from, box.top, width, box.bottom - box.top);
  context.globalAlpha = 1;
  context.strokeStyle = palette.accent;
  context.lineWidth = 1;
  context.strokeRect(
    Math.round(from) + 0.5,
    Math.round(box.top) + 0.5,
    width,
    box.bottom - box.top,
  );
}
