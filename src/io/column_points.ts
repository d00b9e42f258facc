/**
 * The points of one column of a table.
 *
 * @module
 */

import { allocRaw, type RawColumns } from "../core/columns.ts";

/** The points of one column, with its name. */
export interface NamedPoints extends RawColumns {
  /** Name of the column. */
  label: string;
}

/**
 * The rows in which a column has a value.
 *
 * @param label Name of the column.
 * @param times Time of each row.
 * @param values Value of each row; NaN where there is none.
 * @returns Columns of their own.
 */
export function pointsOf(label: string, times: BigInt64Array, values: Float64Array): NamedPoints {
  let n = 0;
  for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i]!)) n++;
  if (n === values.length) return { label, times: times.slice(), values: values.slice() };
  const points = { label, ...allocRaw(n) };
  for (let i = 0, at = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    points.times[at] = times[i]!;
    points.values[at++] = value;
  }
  return points;
}
