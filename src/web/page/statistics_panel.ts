/**
 * Keeps the table of the visible range as the view is, once it stands still.
 *
 * @module
 */

import type { NamedStream } from "../../client/named_stream.ts";
import { momentText } from "../../plot/figure/zone_time.ts";
import type { TimeSpan } from "../plotter/view_changes.ts";
import type { SeriesState } from "../plotter/view_state.ts";
import { messageOf } from "./connection.ts";
import type { RangeStatistics } from "./data_source.ts";
import { StatisticsTable } from "./statistics.ts";

/** Time for which a view must stand still, ms. */
const STILL_MS = 350;

/** Time between two looks while the range follows the clock, ms. */
const LIVE_MS = 2_000;

/** Options of a {@linkcode StatisticsPanel}. */
export interface StatisticsPanelOptions {
  readonly read: (
    series: SeriesState,
    span: TimeSpan,
    signal: AbortSignal,
  ) => Promise<RangeStatistics | undefined>;
  readonly nameOf: (uuid: string) => NamedStream | undefined;
}

/** The panel. */
export class StatisticsPanel {
  readonly #table = new StatisticsTable();
  readonly #options: StatisticsPanelOptions;
  #shown = "";
  #readMs = 0;
  #known = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  #aborter: AbortController | undefined;

  constructor(options: StatisticsPanelOptions) {
    this.#options = options;
  }

  /** The element. */
  get root(): HTMLElement {
    return this.#table.root;
  }

  /** True if it is seen. */
  get isOpen(): boolean {
    return this.#table.isOpen;
  }

  /** Opens or closes it. */
  toggle(): void {
    this.#table.toggle();
  }

  /**
   * Follows the view.
   *
   * @param state `isSettled` once everything in view was read; `isLive` while it follows the clock,
   * and never stands still.
   */
  show(
    series: readonly SeriesState[],
    span: TimeSpan,
    zone: string,
    { isSettled, isLive }: { readonly isSettled: boolean; readonly isLive: boolean },
  ): void {
    if (isLive) {
      if (Date.now() - this.#readMs > LIVE_MS) void this.#read(series, span, zone);
      return;
    }
    const streams = series.map(({ uuid, version }) => `${uuid}@${version}`).join();
    const key = `${streams} ${span.start} ${span.end} ${zone} ${isSettled}`;
    if (key === this.#shown) return;
    this.#shown = key;
    clearTimeout(this.#timer);
    this.#aborter?.abort();
    if (!isSettled) return;
    this.#timer = setTimeout(() => void this.#read(series, span, zone), STILL_MS);
  }

  async #read(series: readonly SeriesState[], span: TimeSpan, zone: string): Promise<void> {
    const aborter = new AbortController();
    this.#aborter?.abort();
    this.#aborter = aborter;
    this.#readMs = Date.now();
    const caption = `${momentText(span.start, zone)} to ${momentText(span.end, zone)} ${zone}, ` +
      "every point in it";
    const streams = series.map(({ uuid, version }) => `${uuid}@${version}`).join();
    const results = new Map<SeriesState, RangeStatistics | string | undefined>();
    const draw = () => {
      if (aborter.signal.aborted) return;
      this.#table.show(
        caption,
        series.map((one) => {
          const named = this.#options.nameOf(one.uuid);
          return {
            path: named?.path ?? one.uuid,
            unit: named?.unit,
            statistics: results.get(one),
          };
        }),
      );
    };
    if (this.#known !== streams) draw();
    this.#known = streams;
    await Promise.all(series.map(async (one) => {
      try {
        results.set(one, await this.#options.read(one, span, aborter.signal));
      } catch (error) {
        results.set(one, messageOf(error));
      }
    }));
    draw();
  }
}
