/**
 * Plots of time series.
 *
 * @module
 */

export { plotTerminal } from "./terminal.ts";
export type { PlotOptions, PlotSeries } from "./terminal.ts";
