/**
 * The plotter: puts the parts of the page together.
 *
 * @module
 */

import { areaOf } from "../../plot/figure/layout.ts";
import { type Palette, PALETTES } from "../../plot/figure/palette.ts";
import type { Action } from "../plotter/keyboard.ts";
import { seriesOf } from "../plotter/view_changes.ts";
import { Catalog } from "./catalog.ts";
import { commandsOf } from "./commands.ts";
import { Connection, type ConnectionState, isKeyError, isLost, messageOf } from "./connection.ts";
import { CursorSet } from "./cursor_set.ts";
import { DataSource } from "./data_source.ts";
import { exportEntries } from "./exports.ts";
import { FigureView } from "./figure_view.ts";
import type { Box } from "./gestures.ts";
import { askForKey } from "./key_dialog.ts";
import { LastValues } from "./last_values.ts";
import { Legends } from "./legend.ts";
import { legendPlaces } from "./legend_places.ts";
import { type MenuEntry, openMenu } from "./menu.ts";
import { Navigation } from "./navigation.ts";
import { RangeBar } from "./range_bar.ts";
import { Shell } from "./shell.ts";
import { showTexts } from "./show_texts.ts";
import { readFigure, type ShownFigure } from "./shown_figure.ts";
import { ShownStreams } from "./shown_streams.ts";
import { StatisticsPanel } from "./statistics_panel.ts";
import { StreamTree } from "./stream_tree.ts";
import { Theme } from "./theme.ts";
import { toast } from "./toast.ts";
import { viewEntries } from "./view_menu.ts";
import { ViewStore } from "./view_store.ts";
import { Viewport } from "./viewport.ts";
import { watchInput } from "./watch_input.ts";
import { watchPage } from "./watch_page.ts";

/** Time between two frames while the range follows the clock, ms. */
const LIVE_MS = 200;

/** Pause in which pieces of a view that come after one another are gathered, ms. */
const ARRIVAL_MS = 100;

/** Starts the plotter in an empty page. */
export async function startPlotter(body: HTMLElement): Promise<void> {
  await new Plotter(body).start();
}

class Plotter {
  // First, as parts ask for a frame while they are made.
  #frame = 0;
  #liveTimer: ReturnType<typeof setTimeout> | undefined;
  #arrivalTimer: ReturnType<typeof setTimeout> | undefined;
  #isMoving = false;
  #box: Box | undefined;
  #figure: ShownFigure | undefined;
  #isLoading = true;
  readonly #catalog = new Catalog();
  readonly #theme = new Theme(() => this.#schedule());
  readonly #store = new ViewStore(() => this.#schedule(), toast);
  readonly #figureView = new FigureView(() => this.#schedule());
  readonly #cursors = new CursorSet(() => this.#drawOver());
  readonly #lastValues = new LastValues(() => this.#tree.refresh());
  readonly #viewport = new Viewport({
    range: () => this.#store.view.range,
    layout: () => this.#figureView.layout,
  });
  readonly #connection = new Connection({
    url: new URL(".", location.href).href,
    askForKey,
    onState: (state) => this.#connected(state),
  });
  readonly #data = new DataSource({
    db: () => this.#connection.db,
    onChange: () => this.#arrived(),
    onError: (error, uuid) => this.#failed(error, uuid),
  });
  readonly #navigation = new Navigation({
    store: this.#store,
    viewport: this.#viewport,
    db: () => this.#connection.db,
    onProblem: toast,
    onError: (error) => this.#failed(error),
  });
  readonly #streams = new ShownStreams({
    store: this.#store,
    catalog: this.#catalog,
    viewport: this.#viewport,
    db: () => this.#connection.db,
    palette: () => this.#palette,
    onChange: () => this.#tree.refresh(),
    onFirst: () => void this.#navigation.fit(),
  });
  readonly #tree: StreamTree = new StreamTree({
    catalog: this.#catalog,
    onToggle: (stream) => this.#streams.toggle(stream),
    colorOf: (uuid) => this.#streams.colorOf(uuid),
    lastValueOf: (stream) => this.#lastValues.textOf(stream),
    onShown: (streams) => this.#lastValues.want(streams),
  });
  readonly #legends = new Legends(this.#figureView.legends, {
    onMenu: (uuid, anchor) => openMenu(anchor, "Stream", this.#streams.menuOf(uuid)),
    onRemove: (uuid) => this.#streams.remove(uuid),
    onRemovePeriod: (by) => this.#navigation.removePeriod(by),
    onDrop: (uuid, clientX, clientY) => {
      const { left, top } = this.#figureView.root.getBoundingClientRect();
      this.#streams.drop(uuid, clientX - left, clientY - top);
    },
  });
  readonly #statistics = new StatisticsPanel({
    read: (series, span, signal) => this.#data.statistics(series, span, signal),
    nameOf: (uuid) => this.#catalog.find(uuid),
  });
  readonly #bar = new RangeBar({
    onTyped: (start, end) => this.#navigation.typed(start, end),
    onAll: () => void this.#navigation.fit(),
    onZone: (zone) => this.#store.change({ zone }),
  });
  readonly #commands = commandsOf({
    store: this.#store,
    viewport: this.#viewport,
    navigation: this.#navigation,
    cursors: this.#cursors,
    shell: () => this.#shell,
    search: () => this.#tree.focusSearch(),
    typeRange: () => this.#bar.focus(),
    toggleTable: () => {
      this.#statistics.toggle();
      this.#schedule();
    },
  });
  readonly #shell: Shell = new Shell({
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

  constructor(body: HTMLElement) {
    watchInput({
      figure: this.#figureView.root,
      store: this.#store,
      viewport: this.#viewport,
      navigation: this.#navigation,
      cursors: this.#cursors,
      act: (action) => this.#act(action),
      onBox: (box) => {
        this.#box = box;
        this.#drawOver();
      },
      onMoving: (isMoving) => {
        this.#isMoving = isMoving;
        if (!isMoving) this.#schedule();
      },
    });
    watchPage({
      onHide: () => {
        // No frame is drawn in a hidden page, so that nothing else would end what it follows.
        this.#data.sleep();
        this.#schedule();
      },
      onShow: () => {
        if (this.#connection.state.kind === "ready") this.#data.refresh();
        this.#schedule();
      },
      onOnline: () => this.#data.refresh(),
      onResolution: () => this.#schedule(),
    });
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
      seriesOf(this.#store.view).map(({ uuid }) =>
        this.#catalog.loadOne(this.#connection.db, uuid)
          .catch((error) => this.#failed(error, uuid))
      ),
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

  get #palette(): Palette {
    return PALETTES[this.#theme.appearance];
  }

  #act(action: Action): void {
    this.#commands[action]();
  }

  #viewEntries(): MenuEntry[] {
    return viewEntries({
      view: this.#store.view,
      theme: this.#theme,
      isTableOpen: this.#statistics.isOpen,
      act: (action) => this.#act(action),
      change: (change) => this.#store.change(change),
      onTheme: () => this.#tree.refresh(),
    });
  }

  #exportEntries(): MenuEntry[] {
    const view = () => ({
      db: this.#connection.db,
      figure: this.#figure!,
      palette: this.#palette,
      span: this.#viewport.span,
      columns: this.#viewport.columns,
      address: this.#store.address,
      streams: seriesOf(this.#store.view).map(({ uuid, version }) => ({
        uuid,
        version,
        path: this.#catalog.find(uuid)?.path ?? uuid,
      })),
    });
    return exportEntries(view, this.#store.view.plots.length === 0);
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

  /** Draws what has come; each piece by itself would keep the next ones waiting. */
  #arrived(): void {
    if (this.#data.pending === 0) this.#schedule();
    else this.#arrivalTimer ??= setTimeout(() => this.#schedule(), ARRIVAL_MS);
  }

  #draw(): void {
    this.#frame = 0;
    clearTimeout(this.#arrivalTimer);
    this.#arrivalTimer = undefined;
    const { view } = this.#store;
    const { width, height } = this.#figureView.size;
    if (width === 0 || height === 0) return;
    const { span } = this.#viewport;
    const { left, right } = areaOf(width, view.plots);
    const columns = Math.max(1, Math.round((right - left) * devicePixelRatio));
    this.#viewport.columns = columns;
    this.#figure = readFigure({
      view,
      span,
      width,
      height,
      columns,
      data: this.#data,
      isConnected: this.#connection.state.kind !== "connecting",
      nameOf: (uuid) => this.#catalog.find(uuid),
    });
    const layout = this.#figureView.draw(this.#figure, this.#palette, this.#isMoving);
    this.#legends.show(
      legendPlaces(this.#figure, layout, this.#palette, (uuid) => this.#catalog.find(uuid)),
    );
    showTexts({
      view,
      span,
      columns,
      pending: this.#data.pending,
      kept: this.#data.bytes,
      nameOf: (uuid) => this.#catalog.find(uuid)?.name ?? uuid,
      bar: this.#bar,
      shell: this.#shell,
    });
    const isLive = "last" in view.range;
    this.#shell.update({
      isEmpty: view.plots.length === 0,
      hasStreams: this.#isLoading || this.#catalog.size > 0,
      isLive,
      canGoBack: this.#store.canGoBack,
      canGoForward: this.#store.canGoForward,
    });
    const isSettled = this.#data.pending === 0;
    this.#statistics.show(seriesOf(view), span, view.zone, { isSettled, isLive });
    this.#drawOver();
    clearTimeout(this.#liveTimer);
    if (isLive && !document.hidden) this.#liveTimer = setTimeout(() => this.#schedule(), LIVE_MS);
  }

  #drawOver(): void {
    const layout = this.#figureView.layout;
    if (layout === undefined || this.#figure === undefined) return;
    const marks = this.#cursors.show(this.#figure, layout, this.#palette);
    this.#figureView.drawOver(marks, this.#box, this.#palette);
    this.#legends.showValues(this.#cursors.values(this.#figure));
  }
}
