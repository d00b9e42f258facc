/**
 * Legends of a figure: what is in them, and where they are.
 *
 * @module
 */

import type { NamedStream } from "../../client/named_stream.ts";
import type { Layout } from "../../plot/figure/layout.ts";
import { colorOf, type Palette } from "../../plot/figure/palette.ts";
import type { LegendEntry, LegendPlace } from "./legend.ts";
import type { ShownFigure, ShownSeries } from "./shown_figure.ts";

/** Room between a legend and the plots around it, CSS pixels. */
const MARGIN = 3;

/** Width by which a legend is wider than the data, on each side. */
const BESIDE = 4;

/** The legends of a figure that was drawn. */
export function legendPlaces(
  figure: ShownFigure,
  { left, right, plots }: Layout,
  palette: Palette,
  nameOf: (uuid: string) => NamedStream | undefined,
): LegendPlace[] {
  const entry = ({ uuid, by, period, ink, side, version }: ShownSeries): LegendEntry => {
    const named = nameOf(uuid);
    return {
      uuid,
      by,
      period,
      name: named?.name ?? uuid,
      path: named?.path ?? uuid,
      unit: named?.unit,
      color: colorOf(palette, ink),
      ink,
      side,
      version,
    };
  };
  return plots.map(({ outerTop }, i) => ({
    left: left - BESIDE,
    top: outerTop + MARGIN,
    width: right - left + 2 * BESIDE,
    entries: figure.plots[i]!.series.map(entry),
  }));
}
