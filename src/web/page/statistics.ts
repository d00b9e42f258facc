/**
 * The table of the visible range: exact statistics of every stream. It stands behind the figure for
 * those who do not see it, also while it is closed.
 *
 * @module
 */

import { element, setText } from "./dom.ts";
import type { RangeStatistics } from "./data_source.ts";
import { countText, valueText } from "./number_text.ts";

/** A row. */
export interface StatisticsRow {
  readonly path: string;
  readonly unit: string | undefined;
  /** Undefined while they are read; a text if they could not be. */
  readonly statistics: RangeStatistics | string | undefined;
}

/** The table. */
export class StatisticsTable {
  readonly root: HTMLElement;
  readonly #caption: HTMLElement;
  readonly #body: HTMLElement;

  constructor() {
    const heads = ["Stream", "Unit", "Points", "Min", "Mean", "Max", "Std. deviation"];
    this.#caption = element("caption");
    this.#body = element("tbody");
    this.root = element(
      "section.drawer.hidden-text",
      { "aria-label": "Table of the visible range", tabindex: -1 },
      element(
        "table",
        {},
        this.#caption,
        element(
          "thead",
          {},
          element("tr", {}, ...heads.map((name) => element("th", { scope: "col" }, name))),
        ),
        this.#body,
      ),
    );
  }

  /** True if it is seen. */
  get isOpen(): boolean {
    return !this.root.classList.contains("hidden-text");
  }

  /** Opens or closes it. */
  toggle(): void {
    this.root.classList.toggle("hidden-text");
  }

  /** Shows rows. */
  show(caption: string, rows: readonly StatisticsRow[]): void {
    setText(this.#caption, caption);
    this.#body.replaceChildren(...rows.map(({ path, unit = "", statistics }) => {
      const cell = (text: string) => element("td", {}, text);
      const head = element("th", { scope: "row" }, element("bdi", {}, path));
      if (typeof statistics === "string") {
        return element("tr", {}, head, element("td.problem", { colspan: 6 }, statistics));
      }
      if (statistics === undefined) {
        return element("tr", {}, head, cell(unit), ...Array.from({ length: 5 }, () => cell("…")));
      }
      const { count, min, mean, max, stddev } = statistics;
      const value = (x: number | undefined) =>
        cell(count === 0n || x === undefined ? "–" : valueText(x, 9));
      return element(
        "tr",
        {},
        head,
        cell(unit),
        cell(countText(count)),
        ...[min, mean, max, stddev].map(value),
      );
    }));
  }
}
