/**
 * Plots of time series.
 *
 * @module
 */

export { plotTerminal } from "./terminal.ts";
export type { PlotOptions, PlotSeries } from "./terminal.ts";
export { plotSvg } from "./svg.ts";
export type { SvgPlotOptions, SvgSeries } from "./svg.ts";
