/**
 * The cursors of the page: one that follows the pointer or the keys, two that are set.
 *
 * @module
 */

import type { Layout } from "../../plot/figure/layout.ts";
import type { Palette } from "../../plot/figure/palette.ts";
import { differences, markAt, readingAt, readingText, spoken } from "./cursors.ts";
import { element, setText } from "./dom.ts";
import type { CursorMark } from "./figure_view.ts";
import { seriesKey, type ShownFigure } from "./shown_figure.ts";

/** Pause before a cursor is read out, ms: keys that are held say nothing until they stop. */
const SPOKEN_MS = 300;

/** Cursors. */
export class CursorSet {
  /** Differences between the two that are set. */
  readonly root: HTMLElement = element("div.differences", { hidden: true, role: "status" });
  /** Text that is read out. */
  readonly spoken: HTMLElement = element("div.hidden-text", { "aria-live": "polite" });
  readonly #onChange: () => void;
  #time: bigint | undefined;
  #isKept = false;
  #marks: readonly bigint[] = [];
  #before: readonly bigint[] = [];
  #figure: ShownFigure | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param onChange Called when a cursor moves. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Moment of the cursor that moves. */
  get time(): bigint | undefined {
    return this.#time;
  }

  /** The pointer is somewhere, or has left; a cursor moved by keys stays then. */
  hover(time: bigint | undefined): void {
    if (time === undefined && this.#isKept) return;
    this.#isKept = false;
    this.#time = time;
    this.#onChange();
  }

  /** Moves it by keys, and reads it out. */
  moveTo(time: bigint): void {
    this.#time = time;
    this.#isKept = true;
    this.#onChange();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#figure !== undefined) setText(this.spoken, spoken(this.#figure, time));
    }, SPOKEN_MS);
  }

  /** Sets a cursor; a third one is the first again. */
  mark(time: bigint | undefined): void {
    if (time === undefined) return;
    this.#before = this.#marks;
    this.#marks = this.#marks.length >= 2 ? [time] : [...this.#marks, time];
    this.#onChange();
  }

  /** Takes back what the clicks of a double click have set. */
  unmark(): void {
    this.#marks = this.#before.length === 0 ? [] : this.#before.slice(0, -1);
    this.#before = [];
    this.#onChange();
  }

  /** Removes all. */
  clear(): void {
    this.#marks = [];
    this.#time = undefined;
    this.#isKept = false;
    this.#onChange();
  }

  /** Marks to draw in a figure. */
  show(figure: ShownFigure, layout: Layout, palette: Palette): CursorMark[] {
    this.#figure = figure;
    const marks = this.#marks.map((time, i) =>
      markAt(figure, layout, palette, time, { isHover: false, name: "AB"[i]! })
    );
    if (this.#time !== undefined) {
      marks.push(markAt(figure, layout, palette, this.#time, { isHover: true }));
    }
    const [a, b] = this.#marks;
    this.root.hidden = a === undefined || b === undefined;
    if (a !== undefined && b !== undefined) {
      const lines = differences(figure, a, b);
      const text = lines.join("\n");
      if (this.root.dataset.text !== text) {
        this.root.dataset.text = text;
        this.root.replaceChildren(...lines.map((line) => element("p", {}, line)));
      }
    }
    return marks.filter((mark) => mark !== undefined);
  }

  /** Values at the cursor, by the keys of series. */
  values(figure: ShownFigure): Map<string, string> {
    const values = new Map<string, string>();
    const time = this.#time ?? this.#marks.at(-1);
    if (time === undefined) return values;
    for (const { series } of figure.plots) {
      for (const one of series) {
        const reading = readingAt(figure, one, time);
        values.set(seriesKey(one), reading === undefined ? "–" : readingText(reading));
      }
    }
    return values;
  }
}
