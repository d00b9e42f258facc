/**
 * Ways to another range: pan, zoom, box, typed ranges, all data, the present.
 *
 * @module
 */

import type { BTrDB } from "../../client/btrdb.ts";
import { valueAt } from "../../plot/figure/layout.ts";
import { parseRange } from "../plotter/typed_range.ts";
import { clamped, panned, seriesOf, withYRange, zoomed } from "../plotter/view_changes.ts";
import type { PlotState, ViewState } from "../plotter/view_state.ts";
import type { Box } from "./gestures.ts";
import type { ViewStore } from "./view_store.ts";
import type { Viewport } from "./viewport.ts";

/** Height from which a box zooms values too, CSS pixels. */
const BOX_HEIGHT = 24;

/** Room below a plot at which a box over it may end, CSS pixels. */
const BOX_MARGIN = 20;

/** Shortest range of an axis, as a share of its values. */
const MIN_VALUES = 1e-13;

/** Options of {@linkcode Navigation}. */
export interface NavigationOptions {
  readonly store: ViewStore;
  readonly viewport: Viewport;
  readonly db: () => BTrDB;
  /** Called with what a reader should know. */
  readonly onProblem: (text: string) => void;
  readonly onError: (error: unknown) => void;
}

/** Moves the view. */
export class Navigation {
  readonly #options: NavigationOptions;
  readonly #store: ViewStore;
  readonly #viewport: Viewport;

  constructor(options: NavigationOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#viewport = options.viewport;
  }

  /**
   * Moves the range by a share of its length. One that follows the clock stands still then.
   *
   * @param share Positive: to later times.
   * @param kind Step of the history, as of {@linkcode ViewStore.change}.
   */
  pan(share: number, kind: "step" | "begin" | "more"): void {
    this.#store.change({ range: panned(this.#viewport.span, share) }, kind);
  }

  /**
   * Zooms around a moment, which stays where it is.
   *
   * @param factor Above 1: more is shown.
   * @param at Its place: 0 at the start of the range, 1 at its end.
   */
  zoom(factor: number, at: number): void {
    const { range } = this.#store.view;
    const next = zoomed(this.#viewport.span, factor, at);
    const isLive = "last" in range;
    this.#store.change({ range: isLive ? { last: next.end - next.start } : next }, "more");
  }

  /** Zooms the values of the plot at a place around the value that is there. */
  zoomValues(factor: number, x: number, y: number): void {
    const plots = this.#viewport.layout?.plots ?? [];
    const index = plots.findIndex(({ top, height }) => y >= top && y <= top + height);
    const place = plots[index];
    if (place === undefined) return;
    const near = this.#viewport.shareOf(x) > 0.5 ? "right" : "left";
    const side = place[near] !== undefined ? near : near === "left" ? "right" : "left";
    const axis = place[side];
    if (axis === undefined) return;
    const center = valueAt(place, axis, y);
    const low = center - (center - axis.low) * factor;
    const high = center + (axis.high - center) * factor;
    if (!(high - low > Math.abs(center) * MIN_VALUES) || !Number.isFinite(high - low)) return;
    const range = { kind: "fixed", low, high } as const;
    this.#store.change(withYRange(this.#store.view, index, side, range), "more");
  }

  /** Zooms to a box: its times, and its values if it is high enough. */
  zoomTo(box: Box): void {
    const { start, end } = this.#viewport.span;
    const span = Number(end - start);
    const at = (x: number) => start + BigInt(Math.round(this.#viewport.shareOf(x) * span));
    const range = clamped({ start: at(box.left), end: at(box.right) });
    let view: ViewState = { ...this.#store.view, range };
    this.#viewport.layout?.plots.forEach((place, i) => {
      const below = place.top + place.height + BOX_MARGIN;
      const isOver = box.top >= place.outerTop && box.bottom <= below;
      if (!isOver || box.bottom - box.top < BOX_HEIGHT) return;
      for (const side of ["left", "right"] as const) {
        const axis = place[side];
        if (axis === undefined) continue;
        const [low, high] = [valueAt(place, axis, box.bottom), valueAt(place, axis, box.top)];
        view = withYRange(view, i, side, { kind: "fixed", low, high });
      }
    });
    this.#store.change(view);
  }

  /** Shows all data of the streams on show, and all of their values. */
  async fit(): Promise<void> {
    const { db, onProblem, onError } = this.#options;
    try {
      const ends = await Promise.all(
        seriesOf(this.#store.view).map(async ({ uuid, version }) => {
          const stream = db().streamFromUUID(uuid);
          return await Promise.all([stream.earliest({ version }), stream.latest({ version })]);
        }),
      );
      const times = ends.flat().flatMap((point) => point === null ? [] : [point.time]);
      if (times.length === 0) return onProblem("These streams have no points");
      const start = times.reduce((a, b) => a < b ? a : b);
      const end = times.reduce((a, b) => a > b ? a : b) + 1n;
      const margin = (end - start) / 50n;
      const range = clamped({ start: start - margin, end: end + margin });
      this.#store.change({ range, plots: this.#store.view.plots.map(unfixed) });
    } catch (error) {
      onError(error);
    }
  }

  /**
   * Goes to a range that was typed.
   *
   * @returns The problem with it, and the field it is in.
   */
  typed(start: string, end: string): { text: string; field: "start" | "end" } | undefined {
    const at = { now: this.#viewport.now, zone: this.#store.view.zone };
    const typed = parseRange(start, end, at);
    if ("problem" in typed) return { text: typed.problem, field: typed.field };
    this.#store.change({ range: typed });
    return undefined;
  }

  /** Draws an earlier period no longer. @param by Distance to the range on show, ns. */
  removePeriod(by: bigint): void {
    const { overlays } = this.#store.view;
    this.#store.change({ overlays: overlays.filter((one) => one !== by) });
  }

  /** Follows the clock, or no longer. */
  toggleLive(): void {
    const { range } = this.#store.view;
    const { start, end } = this.#viewport.span;
    this.#store.change({ range: "last" in range ? { start, end } : { last: end - start } });
  }
}

function unfixed(plot: PlotState): PlotState {
  const { left, right } = plot;
  return {
    ...plot,
    left: left.kind === "fixed" ? { kind: "auto" } : left,
    right: right.kind === "fixed" ? { kind: "auto" } : right,
  };
}
