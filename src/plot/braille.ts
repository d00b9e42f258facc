/**
 * A canvas of dots in braille characters: 2 × 4 dots a character.
 *
 * @module
 */

/** Bit of each dot of a character, `[column][row]` (Unicode 15.0, section 21.1). */
const DOT: readonly (readonly number[])[] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/** First character of the block; dot bits are added to it. */
const BLANK = 0x2800;

/** Dots on a grid of characters; each character remembers the highest layer that drew in it. */
export class BrailleCanvas {
  /** Characters in a line. */
  readonly columns: number;
  /** Lines. */
  readonly rows: number;
  readonly #dots: Uint8Array;
  readonly #layers: Uint8Array;

  /**
   * @param columns Characters in a line.
   * @param rows Lines.
   */
  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.#dots = new Uint8Array(columns * rows);
    this.#layers = new Uint8Array(columns * rows);
  }

  /** Dots across. */
  get width(): number {
    return this.columns * 2;
  }

  /** Dots from top to bottom. */
  get height(): number {
    return this.rows * 4;
  }

  /**
   * Sets one dot; outside of the canvas nothing happens.
   *
   * @param x Dot from the left.
   * @param y Dot from the top.
   * @param layer 1 to 255; what is drawn above.
   */
  set(x: number, y: number, layer: number): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    const cell = (y >> 2) * this.columns + (x >> 1);
    this.#dots[cell]! |= DOT[x & 1]![y & 3]!;
    if (layer > this.#layers[cell]!) this.#layers[cell] = layer;
  }

  /** A straight line of dots (Bresenham, 1965). */
  line(x0: number, y0: number, x1: number, y1: number, layer: number): void {
    const dx = Math.abs(x1 - x0);
    const dy = -Math.abs(y1 - y0);
    const stepX = x0 < x1 ? 1 : -1;
    const stepY = y0 < y1 ? 1 : -1;
    const steps = Math.max(dx, -dy);
    let error = dx + dy;
    for (let i = 0, x = x0, y = y0; i <= steps; i++) {
      this.set(x, y, layer);
      const doubled = 2 * error;
      if (doubled >= dy) {
        error += dy;
        x += stepX;
      }
      if (doubled <= dx) {
        error += dx;
        y += stepY;
      }
    }
  }

  /**
   * One line of the canvas.
   *
   * @param row Line from the top.
   * @param paint Puts a run of characters in the colour of its layer; 0 is an empty run.
   */
  row(row: number, paint: (text: string, layer: number) => string): string {
    let line = "";
    let run = "";
    let runLayer = 0;
    for (let c = 0; c < this.columns; c++) {
      const cell = row * this.columns + c;
      const layer = this.#layers[cell]!;
      if (layer !== runLayer) {
        if (run !== "") line += paint(run, runLayer);
        run = "";
        runLayer = layer;
      }
      run += layer === 0 ? " " : String.fromCharCode(BLANK + this.#dots[cell]!);
    }
    return line + (run === "" ? "" : paint(run, runLayer));
  }
}
