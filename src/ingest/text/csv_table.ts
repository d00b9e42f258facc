/**
 * A table of text and its parser.
 *
 * @module
 */

import { STORABLE_TIMES } from "../../core/range.ts";
import { TableParser } from "../../kernel/table_parser.ts";
import type { InputBytes } from "../bytes.ts";
import type { Position } from "../source.ts";
import { clockChanges, fixedOffset } from "../../core/clock_changes.ts";
import { zoneNames } from "./zone_names.ts";
import { toUtf8 } from "./encoding.ts";
import type { TableLayout } from "./table_layout.ts";

/** Bytes of a batch. Recorded positions depend on it: a batch must be found again. */
export const BATCH_BYTES: number = 8 << 20;

/** A table of text. */
export interface CsvTable {
  /** Bytes of the text. */
  readonly bytes: InputBytes;
  /** Layout of the text. */
  readonly layout: TableLayout;
  /** True to give rows on as they come. */
  readonly live?: boolean;
}

/** The text of a table as UTF-8. */
export function textOf(
  { bytes, layout: { encoding } }: CsvTable,
  raw: AsyncIterable<Uint8Array>,
): AsyncIterable<Uint8Array> {
  return encoding === undefined ? raw : toUtf8(raw, encoding, bytes.name);
}

/** A parser of the rows from a position on. */
export function parserOf(layout: TableLayout, from: Position): TableParser {
  const { times, tz, rate, base } = layout;
  const fixed = fixedOffset(tz);
  const parser = new TableParser({
    columns: layout.roles,
    names: layout.names.map((name, i) => name || `column${i + 1}`),
    delimiter: layout.delimiter,
    decimal: layout.decimal,
    timeFormat: layout.timeFormat,
    limits: STORABLE_TIMES,
    blanks: layout.blanks,
    nulls: layout.nulls,
    skipBadRows: layout.skipBadRows,
    skipBadCells: layout.skipBadCells,
    timeOrder: layout.timeOrder,
    offset: fixed ?? 0n,
    zoneNames: zoneNames(tz),
    ...(fixed === undefined ? { clockChanges: clockChanges(tz) } : {}),
    ...(layout.comment === undefined ? {} : { comment: layout.comment }),
    ...(layout.thousands === undefined ? {} : { thousands: layout.thousands }),
    ...(base === undefined ? {} : { base: BigInt(base) }),
    ...(rate === undefined ? {} : {
      rate: {
        rows: BigInt(rate.rows),
        seconds: BigInt(rate.seconds),
        fromBase: rate.fromBase,
      },
    }),
    ...(times === undefined ? {} : {
      times: {
        first: BigInt(times.first) + BigInt(times.step) * BigInt(from.rows),
        step: BigInt(times.step),
      },
    }),
  });
  parser.lines = from.lines;
  if (from.time !== undefined) {
    parser.lastTime = { time: BigInt(from.time), distance: BigInt(from.step ?? "0") };
  }
  return parser;
}
