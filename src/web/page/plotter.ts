/**
 * The plotter: puts the parts of the page together.
 *
 * @module
 */

import type { NamedStream } from "../../client/named_stream.ts";
import { Catalog } from "./catalog.ts";
import { Connection, type ConnectionState, messageOf } from "./connection.ts";
import { element, iconButton, setAttributes, setText } from "./dom.ts";
import { type CursorMark, FigureView } from "./figure_view.ts";
import { type Box, Gestures } from "./gestures.ts";
import { ICONS } from "./icons.ts";
import { askForKey } from "./key_dialog.ts";
import { type Action, actionOf } from "./keyboard.ts";
import { Legends } from "./legend.ts";
import type { FigureOptions } from "./local_figure.ts";
import { yOf } from "./local_figure.ts";
import { TileSource } from "./local_tiles.ts";
import { openMenu } from "./menu.ts";
import { countText, valueText } from "./number_text.ts";
import { colorOf, PALETTES } from "./palette.ts";
import { RangeBar } from "./range_bar.ts";
import { parseMoment } from "./range_text.ts";
import { StreamTree } from "./stream_tree.ts";
import { Theme } from "./theme.ts";
import { toast } from "./toast.ts";
import { durationText, momentText } from "./time_text.ts";
import {
  panned,
  seriesOf,
  type TimeSpan,
  withMoved,
  withoutStream,
  withStream,
  zoomed,
} from "./view_changes.ts";
import { ViewStore } from "./view_store.ts";

/** Starts the plotter in an empty page. */
export async function startPlotter(body: HTMLElement): Promise<void> {
  await new Plotter(body).start();
}

class Plotter {
  readonly #catalog = new Catalog();
  readonly #store: ViewStore;
  readonly #theme: Theme;
  readonly #connection: Connection;
  readonly #tiles: TileSource;
  readonly #tree: StreamTree;
  readonly #figure: FigureView;
  readonly #legends: Legends;
  readonly #bar: RangeBar;
  readonly #app: HTMLElement;
  readonly #state: HTMLElement;
  readonly #server: HTMLElement;
  readonly #empty: HTMLElement;
  #frame = 0;
  #hoverX: number | undefined;
  #box: Box | undefined;
  #options: FigureOptions | undefined;

  constructor(body: HTMLElement) {
    this.#theme = new Theme(() => this.#schedule());
    this.#store = new ViewStore(() => this.#schedule());
    this.#connection = new Connection({
      url: new URL(".", location.href).href,
      askForKey,
      onState: (state) => this.#connected(state),
    });
    this.#tiles = new TileSource(
      () => this.#connection.db,
      () => this.#schedule(),
      (error) => this.#failed(error),
    );
    this.#tree = new StreamTree({
      catalog: this.#catalog,
      onToggle: (stream) => this.#toggle(stream),
      colorOf: (uuid) => this.#colorOf(uuid),
      lastValueOf: () => undefined,
    });
    this.#figure = new FigureView(() => this.#schedule());
    this.#legends = new Legends(this.#figure.legends, {
      onMenu: (uuid, anchor) => this.#streamMenu(uuid, anchor),
      onRemove: (uuid) => this.#change(withoutStream(this.#store.view, uuid)),
      onDrop: (uuid, x, y) => this.#dropped(uuid, x, y),
    });
    this.#bar = new RangeBar({
      onTyped: (start, end) => this.#typed(start, end),
      onAll: () => void this.#fit(),
      onZone: (zone) => this.#store.change({ zone }),
    });
    this.#state = element("span", { role: "status" });
    this.#server = element("span.server");
    this.#empty = this.#emptyNote();
    this.#app = this.#build();
    this.#watch();
    body.append(this.#app);
  }

  async start(): Promise<void> {
    this.#schedule();
    const db = await this.#connection.open();
    const { signal } = new AbortController();
    await this.#catalog.load(db, () => this.#tree.update(true), signal);
    this.#tree.update(false);
    this.#schedule();
  }

  #build(): HTMLElement {
    const button = (name: string, path: string, action: Action) =>
      iconButton(name, path, () => this.#act(action));
    const bar = element(
      "header.bar",
      {},
      button("List of streams", ICONS.menu, "side"),
      element("h1.brand", {}, "BTrDB"),
      element("span.separator"),
      ...this.#bar.parts,
      element("span.separator"),
      button("Back to the view before", ICONS.back, "back"),
      button("Forward again", ICONS.forward, "forward"),
      button("Zoom out", ICONS.minus, "zoom-out"),
      button("Zoom in", ICONS.plus, "zoom-in"),
      button("Show all data", ICONS.fit, "fit"),
      element("span.gap"),
      button("Keys", ICONS.help, "help"),
    );
    return element(
      "div.app",
      {},
      bar,
      element("aside.side", { "aria-label": "Streams" }, this.#tree.root),
      element("main.main", {}, this.#figure.root),
      element("footer.state", {}, this.#server, this.#state),
    );
  }

  #emptyNote(): HTMLElement {
    return element(
      "div.empty",
      {},
      element("h2", {}, "Choose a stream"),
      element("p", {}, "Streams are listed at the left; type / to search."),
    );
  }

  #watch(): void {
    new Gestures(this.#figure.root, {
      onDragStart: (x) => this.#isInside(x),
      onPan: (dx) => this.#pan(-dx / this.#areaWidth, false),
      onZoom: (factor, x) => this.#zoom(factor, this.#share(x)),
      onBox: (box) => {
        this.#box = box;
        this.#drawOver();
      },
      onBoxEnd: (box) => this.#zoomTo(box),
      onHover: (x) => {
        this.#hoverX = x;
        this.#drawOver();
      },
      onClick: () => this.#figure.root.focus(),
      onDoubleClick: () => this.#store.back(),
      onEnd: () => {},
    });
    addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (target.closest("input, select, textarea, dialog, .menu") !== null) return;
    if (target.closest("button, .tree") !== null && /^(Enter| |Arrow.*|Home)$/.test(event.key)) {
      return;
    }
    const action = actionOf(event);
    if (action === undefined) return;
    event.preventDefault();
    this.#act(action);
  }

  #act(action: Action): void {
    const step = 0.1;
    if (action === "pan-left") this.#pan(-step, false);
    else if (action === "pan-right") this.#pan(step, false);
    else if (action === "page-left") this.#pan(-0.9, true);
    else if (action === "page-right") this.#pan(0.9, true);
    else if (action === "zoom-in") this.#zoom(1 / 1.5, this.#share(this.#hoverX));
    else if (action === "zoom-out") this.#zoom(1.5, this.#share(this.#hoverX));
    else if (action === "fit") void this.#fit();
    else if (action === "back") this.#store.back();
    else if (action === "forward") this.#store.forward();
    else if (action === "band") this.#store.change({ band: !this.#store.view.band });
    else if (action === "density") this.#store.change({ density: !this.#store.view.density });
    else if (action === "search") this.#tree.focusSearch();
    else if (action === "range") this.#bar.focus();
    else if (action === "side") this.#app.classList.toggle("narrow-side");
  }

  get #span(): TimeSpan {
    const { range } = this.#store.view;
    if ("start" in range) return range;
    const now = BigInt(Date.now()) * 1_000_000n;
    return { start: now - range.last, end: now };
  }

  get #areaWidth(): number {
    const layout = this.#figure.layout;
    return layout === undefined ? 1 : layout.right - layout.left;
  }

  #share(x: number | undefined): number {
    const layout = this.#figure.layout;
    if (layout === undefined || x === undefined) return 0.5;
    return Math.max(0, Math.min(1, (x - layout.left) / (layout.right - layout.left)));
  }

  #isInside(x: number): boolean {
    const layout = this.#figure.layout;
    return layout !== undefined && x >= layout.left - 60 && x <= layout.right;
  }

  #change(view: ReturnType<typeof withoutStream>): void {
    this.#store.change(view);
    this.#tree.refresh();
  }

  #pan(share: number, isStep: boolean): void {
    this.#store.change({ range: panned(this.#span, share) }, isStep);
  }

  #zoom(factor: number, at: number): void {
    this.#store.change({ range: zoomed(this.#span, factor, at) }, false);
  }

  #zoomTo(box: Box): void {
    const { start, end } = this.#span;
    const span = Number(end - start);
    const [from, to] = [this.#share(box.left), this.#share(box.right)];
    this.#store.change({
      range: {
        start: start + BigInt(Math.round(from * span)),
        end: start + BigInt(Math.round(to * span)),
      },
    });
  }

  async #fit(): Promise<void> {
    try {
      const ends = await Promise.all(
        seriesOf(this.#store.view).map(async ({ uuid, version }) => {
          const stream = this.#connection.db.streamFromUUID(uuid);
          return await Promise.all([stream.earliest({ version }), stream.latest({ version })]);
        }),
      );
      const times = ends.flat().flatMap((point) => point === null ? [] : [point.time]);
      if (times.length === 0) return;
      const start = times.reduce((a, b) => a < b ? a : b);
      const end = times.reduce((a, b) => a > b ? a : b) + 1n;
      const pad = (end - start) / 50n;
      this.#store.change({ range: { start: start - pad, end: end + pad } });
    } catch (error) {
      this.#failed(error);
    }
  }

  #typed(start: string, end: string): { text: string; field: "start" | "end" } | undefined {
    const now = BigInt(Date.now()) * 1_000_000n;
    const from = parseMoment(start, now);
    const to = parseMoment(end, now);
    this.#store.change({ range: { start: from, end: to } });
    return undefined;
  }

  #toggle(stream: NamedStream): void {
    const { view } = this.#store;
    const isShown = seriesOf(view).some(({ uuid }) => uuid === stream.uuid);
    if (isShown) return this.#change(withoutStream(view, stream.uuid));
    const isFirst = view.plots.length === 0;
    this.#change(withStream(view, stream.uuid, (uuid) => this.#catalog.find(uuid)?.unit));
    if (isFirst) void this.#fit();
  }

  #colorOf(uuid: string): string | undefined {
    const series = seriesOf(this.#store.view).find((one) => one.uuid === uuid);
    return series && colorOf(PALETTES[this.#theme.appearance], series.color);
  }

  #streamMenu(uuid: string, anchor: HTMLElement): void {
    const { view } = this.#store;
    const unitOf = (id: string) => this.#catalog.find(id)?.unit;
    const at = view.plots.findIndex(({ series }) => series.some((one) => one.uuid === uuid));
    const move = (to: number, side?: "left" | "right") => () =>
      this.#change(withMoved(view, uuid, to, side, unitOf));
    openMenu(anchor, "Stream", [
      { heading: "Axis" },
      { label: "Left axis", run: move(at, "left") },
      { label: "Right axis", run: move(at, "right") },
      { heading: "Plot" },
      ...view.plots.map((_, i) => ({ label: `Plot ${i + 1}`, isChecked: i === at, run: move(i) })),
      { label: "New plot", run: move(view.plots.length) },
      { label: "Remove", run: () => this.#change(withoutStream(view, uuid)) },
    ]);
  }

  #dropped(uuid: string, clientX: number, clientY: number): void {
    const { left, top } = this.#figure.root.getBoundingClientRect();
    const [x, y] = [clientX - left, clientY - top];
    const layout = this.#figure.layout;
    if (layout === undefined || x < 0 || y < 0) return;
    const each = layout.bottom / Math.max(1, layout.plots.length);
    const to = Math.floor(y / each);
    const side = this.#share(x) < 0.5 ? "left" : "right";
    const unitOf = (id: string) => this.#catalog.find(id)?.unit;
    this.#change(withMoved(this.#store.view, uuid, to, side, unitOf));
  }

  #connected(state: ConnectionState): void {
    this.#server.className = state.kind === "lost" ? "server lost" : "server";
    this.#server.replaceChildren(
      element("span.dot"),
      state.kind === "lost" ? "Server lost, trying again" : location.host,
    );
    this.#schedule();
  }

  #failed(error: unknown): void {
    this.#connection.failed(error);
    toast(messageOf(error));
  }

  #schedule(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    this.#frame = 0;
    const { view } = this.#store;
    const { width, height } = this.#figure.size;
    if (width === 0 || height === 0) return;
    const span = this.#span;
    const isRight = view.plots.some(({ series }) => series.some(({ side }) => side === "right"));
    const area = width - 68 - (isRight ? 68 : 16);
    const pixels = Math.max(1, Math.round(area * devicePixelRatio));
    const palette = PALETTES[this.#theme.appearance];
    this.#options = {
      width,
      height,
      ...span,
      zone: view.zone,
      band: view.band,
      density: view.density,
      palette,
      plots: view.plots.map((plot) => ({
        ...plot,
        series: plot.series.map((series) => ({
          ...series,
          unit: this.#catalog.find(series.uuid)?.unit,
          columns: this.#tiles.columns(series.uuid, series.version, span.start, span.end, pixels),
        })),
      })),
    };
    const layout = this.#figure.draw(this.#options);
    this.#legends.show(layout.plots.map(({ top }, i) => ({
      left: layout.left - 6,
      top: top - 28,
      width: layout.right - layout.left + 6,
      entries: view.plots[i]!.series.map((series) => {
        const stream = this.#catalog.find(series.uuid);
        return {
          uuid: series.uuid,
          name: stream?.name ?? series.uuid,
          path: stream?.path ?? series.uuid,
          unit: stream?.unit,
          color: colorOf(palette, series.color),
          dash: series.color,
          side: series.side,
          version: series.version,
        };
      }),
    })));
    if (view.plots.length === 0) this.#figure.root.append(this.#empty);
    else this.#empty.remove();
    this.#drawOver();
    this.#bar.show(
      momentText(span.start, view.zone),
      momentText(span.end, view.zone),
      view.zone,
      view.zone,
    );
    const pointwidth = this.#options.plots[0]?.series[0]?.columns.pointwidth;
    setText(
      this.#state,
      `${durationText(span.end - span.start)}` +
        (pointwidth === undefined ? "" : ` · windows of ${durationText(2 ** pointwidth)}`) +
        (this.#tiles.pending > 0 ? ` · reading ${this.#tiles.pending}` : ""),
    );
    setAttributes(this.#app, { "data-pending": this.#tiles.pending });
  }

  #drawOver(): void {
    const layout = this.#figure.layout;
    const options = this.#options;
    if (layout === undefined || options === undefined) return;
    const marks: CursorMark[] = [];
    const values = new Map<string, string>();
    const x = this.#hoverX;
    if (x !== undefined && x >= layout.left && x < layout.right) {
      const share = this.#share(x);
      const time = options.start + BigInt(Math.floor(share * Number(options.end - options.start)));
      const dots: { y: number; color: string }[] = [];
      options.plots.forEach((plot, i) => {
        for (const series of plot.series) {
          const { columns, uuid, color, side } = series;
          const at = Math.min(columns.width - 1, Math.floor(share * columns.width));
          if (columns.count[at] === 0) continue;
          const [min, mean, max] = [columns.min[at]!, columns.mean[at]!, columns.max[at]!];
          values.set(
            uuid,
            columns.count[at] === 1
              ? valueText(mean)
              : `${valueText(mean)}  ${valueText(min)}…${valueText(max)}  n ${
                countText(columns.count[at]!)
              }`,
          );
          const axis = layout.plots[i]![side]!;
          dots.push({
            y: yOf(layout.plots[i]!, axis, mean),
            color: colorOf(options.palette, color),
          });
        }
      });
      marks.push({ x, label: momentText(time, options.zone), isHover: true, dots });
    }
    this.#figure.drawOver(marks, this.#box, options.palette);
    this.#legends.showValues(values);
  }
}
