/**
 * The state of a view: streams, range, axes. Everything that a link to it has to say.
 *
 * @module
 */

import type { Side } from "../../plot/figure/layout.ts";
import type { ValueRange } from "../../plot/figure/value_scale.ts";

/** A stream in a plot. */
export interface SeriesState {
  readonly uuid: string;
  readonly side: Side;
  /** Number of its colour and dash pattern. */
  readonly ink: number;
  /** Version it is read at; 0 for the latest. */
  readonly version: bigint;
  /** Version since which changes are shaded; 0 for none. */
  readonly since: bigint;
}

/** A plot: streams over one another. */
export interface PlotState {
  readonly series: readonly SeriesState[];
  readonly left: ValueRange;
  readonly right: ValueRange;
}

/** The range of time: fixed, or the last so many ns, which moves on with the clock. */
export type RangeState =
  | { readonly start: bigint; readonly end: bigint }
  | { readonly last: bigint };

/** A view. */
export interface ViewState {
  readonly plots: readonly PlotState[];
  readonly range: RangeState;
  /** Time zone, `UTC` or a name such as `Europe/Berlin`. */
  readonly zone: string;
  /** True to draw bands from min to max. */
  readonly band: boolean;
  /** True to draw how dense the data are. */
  readonly density: boolean;
  /** Earlier periods drawn over this one: how much earlier, ns. */
  readonly overlays: readonly bigint[];
}

/** One hour, ns. */
const HOUR = 3_600_000_000_000n;

/** The view of a page that was just opened. */
export const EMPTY_VIEW: ViewState = {
  plots: [],
  range: { last: HOUR },
  zone: "UTC",
  band: true,
  density: true,
  overlays: [],
};

/** An axis whose range follows the data. */
export const AUTO: ValueRange = { kind: "auto" };
