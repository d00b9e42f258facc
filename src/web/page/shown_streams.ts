/**
 * The streams on show: chosen, dragged to other plots and axes, with their colours and menus.
 *
 * @module
 */

import type { BTrDB } from "../../client/btrdb.ts";
import type { NamedStream } from "../../client/named_stream.ts";
import type { Layout } from "../../plot/figure/layout.ts";
import { colorOf, type Palette } from "../../plot/figure/palette.ts";
import { seriesOf, withMoved, withoutStream, withStream } from "../plotter/view_changes.ts";
import { MAX_SERIES } from "../plotter/view_fragment.ts";
import type { ViewState } from "../plotter/view_state.ts";
import type { Catalog } from "./catalog.ts";
import type { MenuEntry } from "./menu.ts";
import { streamEntries } from "./stream_menu.ts";
import { toast } from "./toast.ts";
import type { ViewStore } from "./view_store.ts";
import type { Viewport } from "./viewport.ts";

/** Room below a plot in which a stream is still dropped on it, CSS pixels. */
const DROP_MARGIN = 12;

/** Options of {@linkcode ShownStreams}. */
export interface ShownStreamsOptions {
  readonly store: ViewStore;
  readonly catalog: Catalog;
  readonly viewport: Viewport;
  readonly db: () => BTrDB;
  readonly palette: () => Palette;
  /** Called after streams were added, moved or removed. */
  readonly onChange: () => void;
  /** Called after the first stream was chosen. */
  readonly onFirst: () => void;
}

/** Streams on show. */
export class ShownStreams {
  readonly #options: ShownStreamsOptions;

  constructor(options: ShownStreamsOptions) {
    this.#options = options;
  }

  /** Colour of a stream; undefined if it is not on show. */
  colorOf(uuid: string): string | undefined {
    const series = seriesOf(this.#options.store.view).find((one) => one.uuid === uuid);
    return series && colorOf(this.#options.palette(), series.ink);
  }

  /** Shows a stream, or no longer. */
  toggle(stream: NamedStream): void {
    const { catalog, store, onFirst } = this.#options;
    const series = seriesOf(store.view);
    if (series.some(({ uuid }) => uuid === stream.uuid)) return this.remove(stream.uuid);
    if (series.length >= MAX_SERIES) {
      return toast(`There is room for ${MAX_SERIES} streams: remove one first`);
    }
    catalog.add(stream);
    this.#change(withStream(store.view, stream.uuid, this.#unitOf));
    if (series.length === 0) onFirst();
  }

  /** Removes a stream. */
  remove(uuid: string): void {
    this.#change(withoutStream(this.#options.store.view, uuid));
  }

  /** Moves a stream to the plot and the axis at a place of the figure; below all is a new plot. */
  drop(uuid: string, x: number, y: number): void {
    const { viewport, store } = this.#options;
    const { layout } = viewport;
    if (layout === undefined || x < 0 || y < 0) return;
    const side = viewport.shareOf(x) < 0.5 ? "left" : "right";
    this.#change(withMoved(store.view, uuid, plotAt(layout, y), side, this.#unitOf));
  }

  /** Entries of the menu of a stream. */
  menuOf(uuid: string): MenuEntry[] {
    const { catalog, store: { view }, viewport, db } = this.#options;
    const at = view.plots.findIndex(({ series }) => series.some((one) => one.uuid === uuid));
    const side = seriesOf(view).find((one) => one.uuid === uuid)?.side ?? "left";
    return streamEntries({
      db: db(),
      view,
      uuid,
      named: catalog.find(uuid),
      unitOf: this.#unitOf,
      scale: viewport.layout?.plots[at]?.[side],
      change: (next) => this.#change(next),
    });
  }

  readonly #unitOf = (uuid: string): string | undefined => this.#options.catalog.find(uuid)?.unit;

  #change(view: ViewState): void {
    this.#options.store.change(view);
    this.#options.onChange();
  }
}

/** The plot at a height; the number of plots below all of them. */
function plotAt({ plots }: Layout, y: number): number {
  const at = plots.findIndex(({ outerTop, top, height }) =>
    y >= outerTop && y < top + height + DROP_MARGIN
  );
  return at < 0 ? plots.length : at;
}
