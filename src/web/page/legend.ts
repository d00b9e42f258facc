/**
 * The legends over the plots: a chip for each stream, with its values at the cursor and a menu, and
 * one for each earlier period of it. Chips of streams are dragged to other plots and axes.
 *
 * @module
 */

import { lineStyleOf } from "../../plot/figure/series_style.ts";
import { element, iconButton, setText } from "./dom.ts";
import { ICONS } from "./icons.ts";
import { periodText, seriesKey } from "./shown_figure.ts";

/** A stream in a legend, or an earlier period of it. */
export interface LegendEntry {
  readonly uuid: string;
  /** Distance to the range on show, which is later, ns; 0 for that range itself. */
  readonly by: bigint;
  /** Number of that period; 0 for the range on show. */
  readonly period: number;
  readonly name: string;
  readonly path: string;
  readonly unit: string | undefined;
  readonly color: string;
  readonly ink: number;
  readonly side: "left" | "right";
  /** Version it is pinned to, 0 for the latest. */
  readonly version: bigint;
}

/** The legend of a plot and its place, CSS pixels. */
export interface LegendPlace {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly entries: readonly LegendEntry[];
}

/** Listeners of {@linkcode Legends}. */
export interface LegendHandlers {
  readonly onMenu: (uuid: string, anchor: HTMLElement) => void;
  readonly onRemove: (uuid: string) => void;
  /** An earlier period is to be drawn no longer. */
  readonly onRemovePeriod: (by: bigint) => void;
  /** A chip was dropped somewhere on the page. */
  readonly onDrop: (uuid: string, clientX: number, clientY: number) => void;
}

/** Values of series at the cursor, by their keys. */
export type CursorValues = ReadonlyMap<string, string>;

/** Movement from which a press is a drag, CSS pixels. */
const DRAG = 5;

/** Shows legends. */
export class Legends {
  readonly #root: HTMLElement;
  readonly #handlers: LegendHandlers;
  readonly #values = new Map<string, HTMLElement>();
  #shown = "";

  constructor(root: HTMLElement, handlers: LegendHandlers) {
    this.#root = root;
    this.#handlers = handlers;
  }

  /** Shows the legends of all plots. */
  show(places: readonly LegendPlace[]): void {
    const key = JSON.stringify(
      places,
      (_, value) => typeof value === "bigint" ? `${value}` : value,
    );
    if (key === this.#shown) return;
    this.#shown = key;
    this.#values.clear();
    const focused = (document.activeElement as HTMLElement | null)?.dataset?.focus;
    this.#root.replaceChildren(...places.map((place) => this.#legend(place)));
    if (focused !== undefined) {
      for (const button of this.#root.querySelectorAll<HTMLElement>("[data-focus]")) {
        if (button.dataset.focus === focused) button.focus();
      }
    }
  }

  /** Shows values at the cursor. */
  showValues(values: CursorValues): void {
    for (const [key, place] of this.#values) setText(place, values.get(key) ?? "");
  }

  #legend({ left, top, width, entries }: LegendPlace): HTMLElement {
    const legend = element(
      "ul.legend",
      { "aria-label": "Streams of the plot" },
      ...entries.map((entry) => entry.period === 0 ? this.#chip(entry) : this.#periodChip(entry)),
    );
    legend.style.left = `${left}px`;
    legend.style.top = `${top}px`;
    legend.style.maxWidth = `${width}px`;
    return legend;
  }

  #chip(entry: LegendEntry): HTMLElement {
    const { uuid, name, path, unit, version } = entry;
    const values = this.#valuesOf(entry);
    const pinned = version === 0n ? "" : ` @${version}`;
    const menu = element(
      "button.chip-name",
      {
        type: "button",
        title: `${path}${unit === undefined ? "" : ` (${unit})`}\nDrag to another plot or axis`,
        "aria-haspopup": "menu",
        "aria-label": `${path}, ${entry.side} axis${pinned && `, version ${version}`}: menu`,
        "data-focus": `menu ${uuid}`,
      },
      sample(entry),
      element("span.name", {}, element("bdi", {}, `${name}${pinned}`)),
    );
    menu.addEventListener("click", () => this.#handlers.onMenu(uuid, menu));
    const chip = element(
      "li.chip",
      {},
      menu,
      values,
      iconButton(`Remove ${path}`, ICONS.close, () => this.#handlers.onRemove(uuid), {
        "data-focus": `remove ${uuid}`,
      }),
    );
    this.#makeDraggable(chip, menu, uuid);
    return chip;
  }

  #periodChip(entry: LegendEntry): HTMLElement {
    const { uuid, by, name, path } = entry;
    const text = periodText(by);
    return element(
      "li.chip.earlier",
      { title: `${path}, ${text}` },
      sample(entry),
      element("span.name", {}, element("bdi", {}, name), `, ${text}`),
      this.#valuesOf(entry),
      iconButton(`Remove ${text}`, ICONS.close, () => this.#handlers.onRemovePeriod(by), {
        "data-focus": `remove ${seriesKey({ uuid, by })}`,
      }),
    );
  }

  #valuesOf(entry: LegendEntry): HTMLElement {
    const values = element("span.values");
    this.#values.set(seriesKey(entry), values);
    return values;
  }

  #makeDraggable(chip: HTMLElement, handle: HTMLElement, uuid: string): void {
    handle.addEventListener("pointerdown", (down) => {
      if (down.button !== 0) return;
      let isDragging = false;
      handle.setPointerCapture(down.pointerId);
      const move = (event: PointerEvent) => {
        const [dx, dy] = [event.clientX - down.clientX, event.clientY - down.clientY];
        if (!isDragging && Math.hypot(dx, dy) < DRAG) return;
        isDragging = true;
        chip.classList.add("dragged");
        chip.style.translate = `${dx}px ${dy}px`;
      };
      const end = (event: PointerEvent) => {
        handle.removeEventListener("pointermove", move);
        handle.removeEventListener("pointerup", end);
        handle.removeEventListener("pointercancel", end);
        chip.classList.remove("dragged");
        chip.style.translate = "";
        if (!isDragging) return;
        // The click that follows is the end of the drag.
        addEventListener("click", (click) => click.stopPropagation(), {
          capture: true,
          once: true,
        });
        setTimeout(() => this.#shown = "");
        if (event.type === "pointerup") this.#handlers.onDrop(uuid, event.clientX, event.clientY);
      };
      handle.addEventListener("pointermove", move);
      handle.addEventListener("pointerup", end);
      handle.addEventListener("pointercancel", end);
    });
  }
}

/** A piece of the line as it is drawn. */
function sample(entry: LegendEntry): SVGSVGElement {
  const { alpha, dash } = lineStyleOf(entry);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "sample");
  svg.setAttribute("viewBox", "0 0 22 10");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS("http://www.w3.org/2000/svg", "line");
  const attributes = { x1: 0, x2: 22, y1: 5, y2: 5, stroke: entry.color, "stroke-width": 2.4 };
  for (const [name, value] of Object.entries(attributes)) line.setAttribute(name, String(value));
  line.setAttribute("stroke-dasharray", dash.join(" "));
  line.setAttribute("stroke-opacity", String(alpha));
  svg.append(line);
  return svg;
}
