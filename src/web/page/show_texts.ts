/**
 * Shows a view in words: in the bar, in the line of state, in the title, and for those who do not
 * see the figure.
 *
 * @module
 */

import { TileCache } from "../plotter/tile_cache.ts";
import { seriesOf, type TimeSpan } from "../plotter/view_changes.ts";
import type { ViewState } from "../plotter/view_state.ts";
import { clockText, stateText, summaryOf, titleOf, zoneText } from "../plotter/view_texts.ts";
import { setAttributes, setText } from "./dom.ts";
import type { RangeBar } from "./range_bar.ts";
import type { Shell } from "./shell.ts";

/** A view, and where its words go. */
export interface ShowTextsOptions {
  readonly view: ViewState;
  readonly span: TimeSpan;
  /** Columns of pixels across. */
  readonly columns: number;
  /** Requests under way for what is in view. */
  readonly pending: number;
  /** Size of the windows that are kept, bytes. */
  readonly kept: number;
  readonly nameOf: (uuid: string) => string;
  readonly bar: RangeBar;
  readonly shell: Shell;
}

/** Shows the words of a view. */
export function showTexts(options: ShowTextsOptions): void {
  const { view, span, columns, pending, kept, nameOf, bar, shell } = options;
  const { start, end } = span;
  const { zone } = view;
  const series = seriesOf(view);
  const names = series.map(({ uuid }) => nameOf(uuid));
  bar.show(clockText(start, zone), clockText(end, zone), zone, zoneText(start, zone));
  shell.showState(stateText({
    span,
    pointwidth: series.length === 0 ? undefined : TileCache.pointwidthOf(start, end, columns),
    isPinned: series.some(({ version }) => version !== 0n),
    isReading: pending > 0,
  }));
  setAttributes(shell.root, { "data-pending": pending, "data-kept": kept });
  setText(shell.summary, summaryOf(names, span, zone));
  const title = titleOf(names);
  if (document.title !== title) document.title = title;
}
