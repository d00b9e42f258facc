/** Thin stand-in for the plotter's view state. @module */

export type YRange =
  | { readonly kind: "auto" }
  | { readonly kind: "zero" }
  | { readonly kind: "fixed"; readonly low: number; readonly high: number };
export interface SeriesState {
  readonly uuid: string;
  readonly side: "left" | "right";
  readonly color: number;
  readonly version: bigint;
}
export interface PlotState {
  readonly series: readonly SeriesState[];
  readonly left: YRange;
  readonly right: YRange;
}
export type RangeState =
  | { readonly start: bigint; readonly end: bigint }
  | { readonly last: bigint };
export interface ViewState {
  readonly plots: readonly PlotState[];
  readonly range: RangeState;
  readonly zone: string;
  readonly band: boolean;
  readonly density: boolean;
}
export const EMPTY: ViewState = {
  plots: [],
  range: { last: 3_600_000_000_000n },
  zone: "UTC",
  band: true,
  density: true,
};
export function encodeView(view: ViewState): string {
  return "v=" + encodeURIComponent(
    JSON.stringify(view, (_, v) => typeof v === "bigint" ? `${v}n` : v),
  );
}
export function decodeView(fragment: string): { view: ViewState; problems: string[] } {
  if (!fragment.startsWith("v=")) return { view: EMPTY, problems: [] };
  try {
    const view = JSON.parse(
      decodeURIComponent(fragment.slice(2)),
      (_, v) => typeof v === "string" && /^-?\d+n$/.test(v) ? BigInt(v.slice(0, -1)) : v,
    );
    return { view, problems: [] };
  } catch (error) {
    return { view: EMPTY, problems: [String(error)] };
  }
}
