/**
 * The plotter: puts the parts of the page together.
 *
 * @module
 */

import type { NamedStream } from "../../client/named_stream.ts";
import { nameStream } from "../../client/named_stream.ts";
import { MILLISECOND } from "../../core/time.ts";
import { durationText } from "../../plot/figure/duration_text.ts";
import { areaOf, type Shade, valueAt } from "../../plot/figure/layout.ts";
import { colorOf, type Palette, PALETTES } from "../../plot/figure/palette.ts";
import { fromWall, momentText, offsetText, toWall } from "../../plot/figure/zone_time.ts";
import { type Action, actionOf } from "../plotter/keyboard.ts";
import { TileCache } from "../plotter/tile_cache.ts";
import { parseRange } from "../plotter/typed_range.ts";
import {
  clamped,
  panned,
  seriesOf,
  type TimeSpan,
  withMoved,
  withoutStream,
  withStream,
  withYRange,
  zoomed,
} from "../plotter/view_changes.ts";
import { MAX_SERIES } from "../plotter/view_fragment.ts";
import type { SeriesState, ViewState } from "../plotter/view_state.ts";
import { Catalog } from "./catalog.ts";
import { Connection, type ConnectionState, isKeyError, isLost, messageOf } from "./connection.ts";
import { CursorSet } from "./cursor_set.ts";
import type { ShownFigure, ShownSeries } from "./cursors.ts";
import { DataSource } from "./data_source.ts";
import { setAttributes, setText } from "./dom.ts";
import { exportEntries } from "./exports.ts";
import { FigureView } from "./figure_view.ts";
import { type Box, Gestures } from "./gestures.ts";
import { showHelp } from "./help_dialog.ts";
import { askForKey } from "./key_dialog.ts";
import { LastValues } from "./last_values.ts";
import { Legends } from "./legend.ts";
import { type MenuEntry, openMenu } from "./menu.ts";
import { RangeBar } from "./range_bar.ts";
import { Shell } from "./shell.ts";
import { StatisticsPanel } from "./statistics_panel.ts";
import { streamEntries } from "./stream_menu.ts";
import { StreamTree } from "./stream_tree.ts";
import { Theme, THEMES } from "./theme.ts";
import { toast } from "./toast.ts";
import { ViewStore } from "./view_store.ts";

/** Height from which a box zooms values too, CSS pixels. */
const BOX_HEIGHT = 24;

/** Time between two frames while the range follows the clock, ms. */
const LIVE_MS = 200;

/** Periods that earlier data are drawn over, ns. */
const DAY = 86_400_000_000_000n;
const PERIODS: readonly (readonly [string, bigint])[] = [
  ["An hour earlier", DAY / 24n],
  ["A day earlier", DAY],
  ["A week earlier", 7n * DAY],
];

/** Starts the plotter in an empty page. */
export async function startPlotter(body: HTMLElement): Promise<void> {
  await new Plotter(body).start();
}

class Plotter {
  readonly #catalog = new Catalog();
  readonly #store: ViewStore;
  readonly #theme: Theme;
  readonly #connection: Connection;
  readonly #data: DataSource;
  readonly #tree: StreamTree;
  readonly #figureView: FigureView;
  readonly #legends: Legends;
  readonly #bar: RangeBar;
  readonly #shell: Shell;
  readonly #cursors: CursorSet;
  readonly #statistics: StatisticsPanel;
  readonly #lastValues: LastValues;
  #frame = 0;
  #liveTimer: ReturnType<typeof setTimeout> | undefined;
  #isMoving = false;
  #box: Box | undefined;
  #figure: ShownFigure | undefined;
  #columns = 1;
  #isLoading = true;

  constructor(body: HTMLElement) {
    this.#theme = new Theme(() => this.#schedule());
    this.#store = new ViewStore(() => this.#schedule(), toast);
    this.#connection = new Connection({
      url: new URL(".", location.href).href,
      askForKey,
      onState: (state) => this.#connected(state),
    });
    this.#data = new DataSource({
      db: () => this.#connection.db,
      onChange: () => this.#schedule(),
      onError: (error, uuid) => this.#failed(error, uuid),
    });
    this.#lastValues = new LastValues(() => this.#tree.refresh());
    this.#tree = new StreamTree({
      catalog: this.#catalog,
      onToggle: (stream) => this.#toggle(stream),
      colorOf: (uuid) => this.#colorOf(uuid),
      lastValueOf: (stream) => this.#lastValues.textOf(stream),
      onShown: (streams) => this.#lastValues.want(streams),
    });
    this.#figureView = new FigureView(() => this.#schedule());
    this.#legends = new Legends(this.#figureView.legends, {
      onMenu: (uuid, anchor) => this.#streamMenu(uuid, anchor),
      onRemove: (uuid) => this.#change(withoutStream(this.#store.view, uuid)),
      onDrop: (uuid, x, y) => this.#dropped(uuid, x, y),
    });
    this.#cursors = new CursorSet(() => this.#drawOver());
    this.#statistics = new StatisticsPanel({
      read: (series, span, signal) => this.#data.statistics(series, span, signal),
      nameOf: (uuid) => this.#catalog.find(uuid),
    });
    this.#bar = new RangeBar({
      onTyped: (start, end) => this.#typed(start, end),
      onAll: () => void this.#fit(),
      onZone: (zone) => this.#store.change({ zone }),
    });
    this.#shell = new Shell({
      range: this.#bar.parts,
      tree: this.#tree.root,
      figure: this.#figureView.root,
      table: this.#statistics.root,
      differences: this.#cursors.root,
      spoken: this.#cursors.spoken,
      act: (action) => this.#act(action),
      exportEntries: () => this.#exportEntries(),
      viewEntries: () => this.#viewEntries(),
      onTryNow: () => this.#connection.wake(),
    });
    this.#watch();
    body.append(this.#shell.root);
  }

  async start(): Promise<void> {
    this.#schedule();
    await this.#connection.open();
    this.#data.refresh();
    await this.#loadNames();
    await this.#loadCatalog();
  }

  /** Names of the streams of a link, before all others are known. */
  async #loadNames(): Promise<void> {
    await Promise.all(
      seriesOf(this.#store.view).map(async ({ uuid }) => {
        try {
          this.#catalog.add(await nameStream(this.#connection.db.streamFromUUID(uuid)));
        } catch (error) {
          this.#failed(error, uuid);
        }
      }),
    );
    this.#schedule();
  }

  async #loadCatalog(): Promise<void> {
    try {
      await this.#catalog.load(this.#connection.db, () => this.#tree.update(true));
      this.#isLoading = false;
    } catch (error) {
      this.#failed(error);
    }
    this.#tree.update(this.#isLoading);
    this.#schedule();
  }

  #watch(): void {
    const figure = this.#figureView.root;
    const gestures = new Gestures(figure, {
      onDragStart: (x) => this.#isInside(x),
      onPan: (dx) => {
        const isFirst = !this.#isMoving;
        this.#isMoving = true;
        this.#pan(-dx / this.#areaWidth, isFirst ? "begin" : "more");
      },
      onZoom: (factor, x, y, isVertical) => {
        if (isVertical) this.#zoomValues(factor, x, y);
        else this.#zoom(factor, this.#share(x));
      },
      onBox: (box) => {
        this.#box = box;
        this.#drawOver();
      },
      onBoxEnd: (box) => this.#zoomTo(box),
      onHover: (x) => this.#cursors.hover(this.#timeAt(x)),
      onClick: (x) => {
        figure.focus();
        this.#cursors.mark(this.#timeAt(x));
      },
      onDoubleClick: () => {
        this.#cursors.unmark();
        if (this.#store.canGoBack) this.#store.back();
        else void this.#fit();
      },
      onEnd: () => {
        this.#isMoving = false;
        this.#schedule();
      },
    });
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && gestures.cancel()) return;
      this.#key(event);
    });
    document.addEventListener("visibilitychange", () => {
      // No frame is drawn in a hidden page, so that nothing else would end what it follows.
      if (document.hidden) this.#data.sleep();
      else if (this.#connection.state.kind === "ready") this.#data.refresh();
      this.#schedule();
    });
    addEventListener("online", () => this.#data.refresh());
    this.#watchResolution();
  }

  /** Draws again when the page comes to a screen with other pixels, or is zoomed. */
  #watchResolution(): void {
    const query = matchMedia(`(resolution: ${devicePixelRatio}dppx)`);
    query.addEventListener("change", () => {
      this.#schedule();
      this.#watchResolution();
    }, { once: true });
  }

  #key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (target.closest("input, select, textarea, dialog, .menu") !== null) return;
    const isTaken = /^(Enter| |Arrow.*|Home|End|Page.*)$/.test(event.key);
    if (isTaken && target.closest("button, .tree") !== null) return;
    const action = actionOf(event);
    if (action === undefined) return;
    event.preventDefault();
    this.#act(action);
  }

  #act(action: Action): void {
    const { view } = this.#store;
    const at = this.#share(this.#cursorX());
    const actions: Record<Action, () => void> = {
      "pan-left": () => this.#pan(-0.1, "more"),
      "pan-right": () => this.#pan(0.1, "more"),
      "page-left": () => this.#pan(-0.9, "step"),
      "page-right": () => this.#pan(0.9, "step"),
      "zoom-in": () => this.#zoom(1 / 1.5, at),
      "zoom-out": () => this.#zoom(1.5, at),
      "fit": () => void this.#fit(),
      "back": () => this.#store.back(),
      "forward": () => this.#store.forward(),
      "cursor-left": () => this.#moveCursor(-1),
      "cursor-right": () => this.#moveCursor(1),
      "cursor-far-left": () => this.#moveCursor(-20),
      "cursor-far-right": () => this.#moveCursor(20),
      "mark": () => this.#cursors.mark(this.#cursors.time ?? this.#timeAt(this.#middle())),
      "band": () => this.#store.change({ band: !view.band }),
      "density": () => this.#store.change({ density: !view.density }),
      "live": () => this.#toggleLive(),
      "search": () => {
        this.#shell.openSide(true);
        this.#tree.focusSearch();
      },
      "range": () => this.#bar.focus(),
      "table": () => {
        this.#statistics.toggle();
        this.#schedule();
      },
      "side": () => this.#shell.openSide(),
      "help": () => showHelp(),
      "cancel": () => this.#cursors.clear(),
    };
    actions[action]();
  }

  get #now(): bigint {
    return BigInt(Date.now()) * MILLISECOND;
  }

  get #span(): TimeSpan {
    const { range } = this.#store.view;
    if ("start" in range) return range;
    return clamped({ start: this.#now - range.last, end: this.#now });
  }

  get #palette(): Palette {
    return PALETTES[this.#theme.appearance];
  }

  get #areaWidth(): number {
    const layout = this.#figureView.layout;
    return layout === undefined ? 1 : layout.right - layout.left;
  }

  #middle(): number {
    const layout = this.#figureView.layout;
    return layout === undefined ? 0 : (layout.left + layout.right) / 2;
  }

  #share(x: number | undefined): number {
    const layout = this.#figureView.layout;
    if (layout === undefined || x === undefined) return 0.5;
    return Math.max(0, Math.min(1, (x - layout.left) / (layout.right - layout.left)));
  }

  #isInside(x: number): boolean {
    const layout = this.#figureView.layout;
    return layout !== undefined && layout.plots.length > 0 && x <= layout.right + 60;
  }

  #timeAt(x: number | undefined): bigint | undefined {
    const layout = this.#figureView.layout;
    if (layout === undefined || x === undefined || layout.plots.length === 0) return undefined;
    if (x < layout.left || x >= layout.right) return undefined;
    const { start, end } = this.#span;
    return start + BigInt(Math.floor(this.#share(x) * Number(end - start)));
  }

  #cursorX(): number | undefined {
    const layout = this.#figureView.layout;
    const { time } = this.#cursors;
    if (layout === undefined || time === undefined) return undefined;
    const { start, end } = this.#span;
    const share = Number(time - start) / Number(end - start);
    return layout.left + share * (layout.right - layout.left);
  }

  #moveCursor(columns: number): void {
    const { start, end } = this.#span;
    const step = Number(end - start) / this.#columns;
    const from = this.#cursors.time ?? this.#timeAt(this.#middle());
    if (from === undefined) return;
    let time = from + BigInt(Math.round(columns * step) || Math.sign(columns));
    if (time < start) time = start;
    if (time >= end) time = end - 1n;
    this.#cursors.moveTo(time);
  }

  #change(view: ViewState): void {
    this.#store.change(view);
    this.#tree.refresh();
  }

  /** Ranges that follow the clock stand still once they are moved. */
  #pan(share: number, kind: "step" | "begin" | "more"): void {
    this.#store.change({ range: panned(this.#span, share) }, kind);
  }

  #zoom(factor: number, at: number): void {
    const { range } = this.#store.view;
    const next = zoomed(this.#span, factor, at);
    const isLive = "last" in range;
    this.#store.change({ range: isLive ? { last: next.end - next.start } : next }, "more");
  }

  #zoomValues(factor: number, x: number, y: number): void {
    const layout = this.#figureView.layout;
    const index = layout?.plots.findIndex(({ top, height }) => y >= top && y <= top + height) ?? -1;
    const place = layout?.plots[index];
    if (place === undefined) return;
    const side = place.right !== undefined && this.#share(x) > 0.5 ? "right" : "left";
    const axis = place[side] ?? place.left ?? place.right;
    if (axis === undefined) return;
    const center = valueAt(place, axis, y);
    const low = center - (center - axis.low) * factor;
    const high = center + (axis.high - center) * factor;
    if (!(high - low > Math.abs(center) * 1e-13) || !Number.isFinite(high - low)) return;
    const onSide = place[side] === undefined ? (side === "left" ? "right" : "left") : side;
    this.#store.change(
      withYRange(this.#store.view, index, onSide, { kind: "fixed", low, high }),
      "more",
    );
  }

  #zoomTo(box: Box): void {
    const { start, end } = this.#span;
    const span = Number(end - start);
    const at = (x: number) => start + BigInt(Math.round(this.#share(x) * span));
    const range = clamped({ start: at(box.left), end: at(box.right) });
    let view: ViewState = { ...this.#store.view, range };
    const layout = this.#figureView.layout;
    layout?.plots.forEach((place, i) => {
      const isOver = box.top >= place.outerTop && box.bottom <= place.top + place.height + 20;
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

  async #fit(): Promise<void> {
    try {
      const ends = await Promise.all(
        seriesOf(this.#store.view).map(async ({ uuid, version }) => {
          const stream = this.#connection.db.streamFromUUID(uuid);
          return await Promise.all([stream.earliest({ version }), stream.latest({ version })]);
        }),
      );
      const times = ends.flat().flatMap((point) => point === null ? [] : [point.time]);
      if (times.length === 0) return toast("These streams have no points");
      const start = times.reduce((a, b) => a < b ? a : b);
      const end = times.reduce((a, b) => a > b ? a : b) + 1n;
      const margin = (end - start) / 50n;
      const range = clamped({ start: start - margin, end: end + margin });
      const view = this.#store.view;
      const plots = view.plots.map((plot) => ({
        ...plot,
        left: plot.left.kind === "fixed" ? { kind: "auto" as const } : plot.left,
        right: plot.right.kind === "fixed" ? { kind: "auto" as const } : plot.right,
      }));
      this.#store.change({ range, plots });
    } catch (error) {
      this.#failed(error);
    }
  }

  #typed(start: string, end: string): { text: string; field: "start" | "end" } | undefined {
    const typed = parseRange(start, end, { now: this.#now, zone: this.#store.view.zone });
    if ("problem" in typed) return { text: typed.problem, field: typed.field };
    this.#store.change({ range: typed });
    return undefined;
  }

  #toggleLive(): void {
    const { range } = this.#store.view;
    const { start, end } = this.#span;
    this.#store.change({ range: "last" in range ? { start, end } : { last: end - start } });
  }

  #toggle(stream: NamedStream): void {
    const { view } = this.#store;
    const series = seriesOf(view);
    if (series.some(({ uuid }) => uuid === stream.uuid)) {
      return this.#change(withoutStream(view, stream.uuid));
    }
    if (series.length >= MAX_SERIES) {
      return toast(`There is room for ${MAX_SERIES} streams: remove one first`);
    }
    this.#catalog.add(stream);
    this.#change(withStream(view, stream.uuid, (uuid) => this.#catalog.find(uuid)?.unit));
    if (series.length === 0) void this.#fit();
  }

  #colorOf(uuid: string): string | undefined {
    const series = seriesOf(this.#store.view).find((one) => one.uuid === uuid);
    return series && colorOf(this.#palette, series.ink);
  }

  #streamMenu(uuid: string, anchor: HTMLElement): void {
    const { view } = this.#store;
    const at = view.plots.findIndex(({ series }) => series.some((one) => one.uuid === uuid));
    const side = seriesOf(view).find((one) => one.uuid === uuid)?.side ?? "left";
    const entries = streamEntries({
      db: this.#connection.db,
      view,
      uuid,
      named: this.#catalog.find(uuid),
      unitOf: (id) => this.#catalog.find(id)?.unit,
      scale: this.#figureView.layout?.plots[at]?.[side],
      change: (next) => this.#change(next),
    });
    openMenu(anchor, "Stream", entries);
  }

  #dropped(uuid: string, clientX: number, clientY: number): void {
    const { left, top } = this.#figureView.root.getBoundingClientRect();
    const [x, y] = [clientX - left, clientY - top];
    const layout = this.#figureView.layout;
    if (layout === undefined || x < 0 || y < 0) return;
    const found = layout.plots.findIndex(({ outerTop, top, height }) =>
      y >= outerTop && y < top + height + 12
    );
    const to = found < 0 ? layout.plots.length : found;
    const side = this.#share(x) < 0.5 ? "left" : "right";
    const unitOf = (id: string) => this.#catalog.find(id)?.unit;
    this.#change(withMoved(this.#store.view, uuid, to, side, unitOf));
  }

  #viewEntries(): MenuEntry[] {
    const { view } = this.#store;
    const check = (
      label: string,
      isChecked: boolean,
      run: () => void,
      note?: string,
    ): MenuEntry => ({
      label,
      isChecked,
      run,
      ...(note === undefined ? {} : { note }),
    });
    const toggled = (shift: bigint) =>
      view.overlays.includes(shift)
        ? view.overlays.filter((one) => one !== shift)
        : [...view.overlays, shift].slice(-4);
    return [
      { heading: "Figure" },
      check("Band from min to max", view.band, () => this.#act("band"), "b"),
      check("Density of the data", view.density, () => this.#act("density"), "d"),
      check("Table of the range", this.#statistics.isOpen, () => this.#act("table"), "t"),
      { heading: "Drawn over it" },
      ...PERIODS.map(([label, shift]) =>
        check(
          label,
          view.overlays.includes(shift),
          () => this.#store.change({ overlays: toggled(shift) }),
        )
      ),
      { heading: "Colours" },
      ...THEMES.map((name) =>
        check(THEME_NAMES[name], this.#theme.name === name, () => {
          this.#theme.set(name);
          this.#tree.refresh();
        })
      ),
    ];
  }

  #exportEntries(): MenuEntry[] {
    return exportEntries(
      () => ({
        db: this.#connection.db,
        figure: this.#figure!,
        palette: this.#palette,
        span: this.#span,
        columns: this.#columns,
        address: this.#store.address,
        streams: seriesOf(this.#store.view).map(({ uuid, version }) => ({
          uuid,
          version,
          path: this.#catalog.find(uuid)?.path ?? uuid,
        })),
      }),
      this.#store.view.plots.length === 0,
    );
  }

  #connected(state: ConnectionState): void {
    this.#shell.showConnection(state);
    if (state.kind !== "ready") return;
    this.#data.refresh();
    if (this.#isLoading) void this.#loadCatalog();
  }

  #failed(error: unknown, uuid?: string): void {
    if (isLost(error)) return this.#connection.failed(error);
    if (isKeyError(error) && uuid === undefined) return void this.#connection.open();
    const name = uuid === undefined ? "" : `${this.#catalog.find(uuid)?.path ?? uuid}: `;
    toast(`${name}${messageOf(error)}`);
  }

  #schedule(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    this.#frame = 0;
    const { view } = this.#store;
    const { width, height } = this.#figureView.size;
    if (width === 0 || height === 0) return;
    const span = this.#span;
    const { left, right } = areaOf(width, view.plots);
    this.#columns = Math.max(1, Math.round((right - left) * devicePixelRatio));
    this.#figure = this.#readFigure(view, span, width, height);
    this.#figureView.draw(this.#figure, this.#palette, this.#isMoving);
    this.#showLegends(view);
    this.#showTexts(view, span);
    this.#statistics.show(seriesOf(view), span, view.zone, {
      isSettled: this.#data.pending === 0,
      isLive: "last" in view.range,
    });
    this.#drawOver();
    this.#keepLive("last" in view.range);
  }

  #readFigure(view: ViewState, span: TimeSpan, width: number, height: number): ShownFigure {
    const isReady = this.#connection.state.kind !== "connecting";
    const shades: Shade[] = [];
    const shown = (series: SeriesState, by: bigint): ShownSeries => {
      const named = this.#catalog.find(series.uuid);
      const range = { start: span.start - by, end: span.end - by };
      const name = named?.name ?? series.uuid;
      return {
        uuid: series.uuid,
        ink: series.ink,
        side: series.side,
        label: by === 0n ? name : `${name}, ${durationText(by)} earlier`,
        unit: named?.unit,
        isFaint: by !== 0n,
        columns: this.#data.columns(series, range, this.#columns),
      };
    };
    if (isReady) this.#data.begin(view);
    const plots = view.plots.map((plot) => ({
      ...plot,
      series: [
        ...plot.series.map((one) => shown(one, 0n)),
        ...view.overlays.flatMap((by) => plot.series.map((one) => shown(one, by))),
      ],
    }));
    for (const series of seriesOf(view)) if (isReady) shades.push(...this.#data.shades(series));
    if (isReady) this.#data.end();
    const { zone, band, density } = view;
    return { width, height, ...span, zone, band, density, plots, shades };
  }

  #showLegends(view: ViewState): void {
    const { left, right, plots } = this.#figureView.layout!;
    this.#legends.show(plots.map(({ outerTop }, i) => ({
      left: left - 4,
      top: outerTop + 3,
      width: right - left + 8,
      entries: view.plots[i]!.series.map(({ uuid, ink, side, version }) => {
        const named = this.#catalog.find(uuid);
        return {
          uuid,
          name: named?.name ?? uuid,
          path: named?.path ?? uuid,
          unit: named?.unit,
          color: colorOf(this.#palette, ink),
          ink,
          side,
          version,
        };
      }),
    })));
  }

  #showTexts(view: ViewState, { start, end }: TimeSpan): void {
    const series = seriesOf(view);
    const isLive = "last" in view.range;
    this.#bar.show(
      clockText(start, view.zone),
      clockText(end, view.zone),
      view.zone,
      view.zone === "UTC"
        ? "UTC"
        : `${view.zone.replace(/^.*\//, "").replaceAll("_", " ")} ${
          offsetText(start, view.zone).replace("UTC", "")
        }`.trim(),
    );
    const pointwidth = TileCache.pointwidthOf(start, end, this.#columns);
    const parts = [durationText(end - start)];
    if (series.length > 0) parts.push(`windows of ${durationText(2 ** pointwidth)}`);
    if (series.some(({ version }) => version !== 0n)) parts.push("pinned versions");
    if (this.#data.pending > 0) parts.push("reading…");
    this.#shell.showState(parts.join("  ·  "));
    this.#shell.update({
      isEmpty: view.plots.length === 0,
      isLive,
      canGoBack: this.#store.canGoBack,
      canGoForward: this.#store.canGoForward,
    });
    setAttributes(this.#shell.root, { "data-pending": this.#data.pending });
    const names = series.map(({ uuid }) => this.#catalog.find(uuid)?.name ?? uuid);
    document.title = [...names.slice(0, 3), "BTrDB plotter"].join(" · ");
    setText(
      this.#shell.summary,
      `${names.length === 0 ? "No stream" : names.join(", ")}. ` +
        `${momentText(start, view.zone)} to ${momentText(end, view.zone)}, ${view.zone}. ` +
        "Arrow keys pan and zoom, comma and full stop move a cursor, question mark lists all keys.",
    );
  }

  #keepLive(isLive: boolean): void {
    clearTimeout(this.#liveTimer);
    if (!isLive || document.hidden) return;
    this.#liveTimer = setTimeout(() => this.#schedule(), LIVE_MS);
  }

  #drawOver(): void {
    const layout = this.#figureView.layout;
    if (layout === undefined || this.#figure === undefined) return;
    const marks = this.#cursors.show(this.#figure, layout, this.#palette);
    this.#figureView.drawOver(marks, this.#box, this.#palette);
    this.#legends.showValues(this.#cursors.values(this.#figure));
  }
}

const THEME_NAMES: Readonly<Record<typeof THEMES[number], string>> = {
  auto: "As the system",
  light: "Light",
  dark: "Dark",
  contrast: "High contrast",
};

/** A moment as it may be typed; with its difference to UTC where a clock shows it twice. */
function clockText(time: bigint, zone: string): string {
  const text = momentText(time, zone).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
  const isTwice = zone !== "UTC" && fromWall(toWall(time, zone), zone).length > 1;
  return isTwice ? `${text} ${offsetText(time, zone).replace("UTC", "").replace("−", "-")}` : text;
}
