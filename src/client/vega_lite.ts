/**
 * Plots in the grammar of Vega-Lite, which notebooks draw and other programs read.
 *
 * @module
 */

import { outOfRange } from "../core/argument_error.ts";
import type { RawColumns, StatColumns } from "../core/columns.ts";
import { formatTime } from "../core/time.ts";
import { withBundle } from "./display.ts";

/** Options of `toVegaLite`. */
export interface VegaLiteOptions {
  /** Title of the plot. */
  title?: string | undefined;
  /** Unit of the values, at the axis. */
  unit?: string | undefined;
}

/** A row: ms since the Unix epoch, the time with all its digits, and values. */
export type VegaLiteRow = { time: number; ns: string } & Record<string, number | string>;

/** A specification of Vega-Lite 5. */
export interface VegaLiteSpec {
  /** Address of the grammar. */
  readonly $schema: string;
  /** Title of the plot. */
  readonly title?: string;
  /** Width of the plot, CSS pixels. */
  readonly width: number;
  /** The rows. */
  readonly data: { readonly values: VegaLiteRow[] };
  /** The marks: a line, and a band under it for windows. */
  readonly layer: readonly Record<string, unknown>[];
}

const SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json";
const MIME = "application/vnd.vegalite.v5+json";
const WIDTH = 680;
/** Most rows: a row is an object, in this program and in the page. */
const MAX_ROWS = 50_000;

function rowsOf(times: BigInt64Array, values: (i: number) => Record<string, number> | undefined) {
  if (times.length > MAX_ROWS) {
    throw outOfRange(
      `Cannot make a plot of ${times.length} rows, expected at most ${MAX_ROWS}: windows show as much`,
    );
  }
  const rows: VegaLiteRow[] = [];
  for (let i = 0; i < times.length; i++) {
    const row = values(i);
    if (row === undefined) continue;
    rows.push({ time: Number(times[i]!) / 1e6, ns: formatTime(times[i]!), ...row });
  }
  return rows;
}

function specOf(
  values: VegaLiteRow[],
  marks: readonly { mark: string; y: string; y2?: string; opacity?: number }[],
  { title, unit }: VegaLiteOptions,
): VegaLiteSpec {
  const spec: VegaLiteSpec = {
    $schema: SCHEMA,
    ...(title === undefined ? {} : { title }),
    width: WIDTH,
    data: { values },
    layer: marks.map(({ mark, y, y2, opacity }) => ({
      mark: { type: mark, ...(opacity === undefined ? {} : { opacity }) },
      encoding: {
        x: { field: "time", type: "temporal", title: null },
        y: { field: y, type: "quantitative", title: unit ?? null, scale: { zero: false } },
        ...(y2 === undefined ? {} : { y2: { field: y2 } }),
        tooltip: [{ field: "ns", title: "time" }, { field: y }, ...(y2 ? [{ field: y2 }] : [])],
      },
    })),
  };
  return withBundle(spec, { [MIME]: spec });
}

/** Raw points as a line. */
export function rawVegaLite(points: RawColumns, options: VegaLiteOptions): VegaLiteSpec {
  const rows = rowsOf(points.times, (i) => ({ value: points.values[i]! }));
  return specOf(rows, [{ mark: "line", y: "value" }], options);
}

/** Windows as a band and a line. */
export function statVegaLite(windows: StatColumns, options: VegaLiteOptions): VegaLiteSpec {
  const { min, mean, max, count } = windows;
  const rows = rowsOf(
    windows.times,
    (i) =>
      count[i] === 0n
        ? undefined
        : { min: min[i]!, mean: mean[i]!, max: max[i]!, count: Number(count[i]!) },
  );
  const band = { mark: "area", y: "min", y2: "max", opacity: 0.3 };
  return specOf(rows, [band, { mark: "line", y: "mean" }], options);
}
