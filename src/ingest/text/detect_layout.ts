/**
 * Detects the layout of a table of text: delimiter, header, columns of the time and their form.
 *
 * @module
 */

import { MAX_COLUMNS } from "../../kernel/table_settings.ts";
import { columnOf } from "../column_of.ts";
import { ImportError, NoRowsError, optionError } from "../errors.ts";
import { MAX_HEAD_BYTES } from "../format.ts";
import { exactNames, isBtrdbTable } from "./btrdb_table.ts";
import { isName } from "./cell_kind.ts";
import { checkLongTable } from "./check_long_table.ts";
import { chooseRoles } from "./column_roles.ts";
import { guessDelimiter } from "./guess_delimiter.ts";
import { type InfluxTable, influxTable } from "./influx.ts";
import { readRecords, splitCells } from "./records.ts";
import { extraRows, prefixOf, unitsOf } from "./table_head.ts";
import type { FoundLayout, LayoutWishes, TableLayout } from "./table_layout.ts";
import { tableWarnings } from "./table_warnings.ts";
import { chooseTimeColumns } from "./time_columns.ts";
import { checkTimesApart } from "./times_apart.ts";

/** Rows looked at to find out what the columns are. */
const SAMPLE_ROWS = 200;

/**
 * Finds out how a table looks.
 *
 * @param head The beginning of the file, whole lines.
 * @param wishes Layout as far as the user gives it.
 * @throws {ImportError} If it cannot be found out.
 */
export function detectLayout(head: string, wishes: LayoutWishes): FoundLayout {
  const influx = wishes.time === undefined && wishes.by === undefined
    ? influxTable(head)
    : undefined;
  if (influx !== undefined) return influxLayout(influx, wishes);
  const prefix = prefixOf(head, wishes);
  const { comment, text, lines: before } = prefix;
  const delimiter = wishes.delimiter ?? prefix.delimiter ?? guessDelimiter(text, comment);
  const blanks = delimiter === "blanks";
  const cut = blanks ? " " : delimiter;
  const records = readRecords(text, { delimiter: cut, blanks, comment, limit: SAMPLE_ROWS + 8 });
  const first = records[0];
  if (first === undefined) {
    throw new NoRowsError(
      before > 0 || head.trim() !== ""
        ? "Cannot import: there are no rows"
        : "Cannot import: the file is empty",
    );
  }
  if (first.cells.length > MAX_COLUMNS) {
    throw optionError(`Cannot import: there are more than ${MAX_COLUMNS} columns`);
  }
  const decimal = wishes.decimal ?? ".";
  const look = { decimal, thousands: wishes.thousands, nulls: wishes.nulls ?? [] };
  const behind = prefix.header === undefined ? [] : splitCells(prefix.header, cut, blanks);
  const commented = wishes.header !== false && behind.length === first.cells.length &&
    behind.some((cell) => isName(cell, look)) && !first.cells.some((cell) => isName(cell, look));
  const header = commented ||
    (wishes.header ?? first.cells.some((cell) => isName(cell, look)));
  const own = isBtrdbTable(first.cells) && cut === "," ? exactNames(text) : undefined;
  const cells = commented ? behind : own ?? first.cells;
  const names = header ? cells : cells.map((_, i) => `column${i + 1}`);
  const below = records.slice(header && !commented ? 1 : 0);
  const extra = header ? extraRows(below, look) : 0;
  const units = unitsOf(below.slice(0, extra), names.length);
  const data = below.slice(extra, extra + SAMPLE_ROWS);
  if (data.length === 0) {
    if (wishes.isCut !== true) {
      throw new NoRowsError("Cannot import: there are no rows after the header");
    }
    throw new ImportError(
      `Cannot import: the line behind line ${before + records.length} is longer than what is ` +
        `looked at, ${MAX_HEAD_BYTES} bytes`,
    );
  }
  const rows = data.map(({ cells }) => cells);
  const time = chooseTimeColumns(names, units, rows, wishes, look);
  const by = wishes.by === undefined ? undefined : columnOf(names, wishes.by, "--by");
  if (by !== undefined && time.columns.includes(by)) {
    throw optionError(`Cannot use --by ${wishes.by}: the column is the time`);
  }
  const { roles, omitted } = chooseRoles(names, rows, time.columns, look, wishes, by);
  const layout: TableLayout = {
    delimiter: cut,
    blanks,
    decimal,
    headerLines: before + data[0]!.line,
    names,
    units,
    roles,
    timeOrder: time.columns,
    timeFormat: time.format,
    reason: time.reason,
    tz: wishes.tz,
    nulls: wishes.nulls ?? [],
    skipBadRows: wishes.skipBadRows ?? false,
    skipBadCells: wishes.skipBadCells ?? false,
    complete: wishes.complete ?? false,
  };
  if (wishes.thousands !== undefined) layout.thousands = wishes.thousands;
  if (comment !== undefined) layout.comment = comment;
  if (wishes.encoding !== undefined) layout.encoding = wishes.encoding;
  if (wishes.times !== undefined) layout.times = wishes.times;
  if (time.relative) layout.base = wishes.start!;
  else if (wishes.start !== undefined && wishes.times === undefined && time.columns.length > 0) {
    throw optionError(
      `Cannot use --start: column ${
        time.columns.map((i) => names[i]).join(" and ")
      } has whole times`,
    );
  }
  if (wishes.rate !== undefined) {
    const [rows, seconds] = rateParts(wishes.rate);
    const fromBase = wishes.start !== undefined;
    layout.rate = { rows, seconds, fromBase };
    if (fromBase) layout.base = wishes.start!;
    if (!fromBase && seconds !== "1") {
      throw optionError(`Cannot use --rate ${wishes.rate} without --start: it is no whole number`);
    }
    if (time.columns.length === 0) layout.times = { first: "0", step: "1" };
  }
  if (wishes.time === undefined && wishes.timeFormat === undefined && !isBtrdbTable(names)) {
    checkTimesApart(layout, rows, wishes.isZoneSaid ?? true);
  }
  if (by === undefined) checkLongTable(layout, rows);
  else layout.by = { columns: [by], keys: [] };
  return { layout, omitted, warnings: tableWarnings(layout, rows) };
}

/** The layout of annotated CSV, which says by itself what its columns are. */
function influxLayout(table: InfluxTable, wishes: LayoutWishes): FoundLayout {
  const { names, headerLines, header, time, values, by, omitted } = table;
  const wanted = wishes.columns.map((text) => columnOf(names, text, "--column"));
  const isValue = (i: number) => values.includes(i) && (wanted.length === 0 || wanted.includes(i));
  const layout: TableLayout = {
    delimiter: ",",
    blanks: false,
    decimal: ".",
    comment: "#",
    headerLines,
    headerAgain: header,
    names,
    units: names.map(() => null),
    roles: names.map((_, i) => i === time ? "time" : isValue(i) ? "value" : "skip"),
    timeOrder: [time],
    timeFormat: wishes.timeFormat ?? table.timeFormat,
    reason: "annotated CSV of InfluxDB",
    tz: wishes.tz,
    nulls: wishes.nulls ?? [],
    skipBadRows: wishes.skipBadRows ?? false,
    skipBadCells: wishes.skipBadCells ?? false,
    complete: wishes.complete ?? false,
    by: { columns: [...by], keys: [] },
  };
  if (wishes.encoding !== undefined) layout.encoding = wishes.encoding;
  return { layout, omitted };
}

/** A rate as rows in whole seconds. */
function rateParts(rate: number): [string, string] {
  for (const seconds of [1, 10, 100, 1000, 10_000]) {
    const rows = Math.round(rate * seconds);
    if (Math.abs(rows - rate * seconds) < 1e-9 * rows) return [String(rows), String(seconds)];
  }
  throw optionError(`Cannot use --rate ${rate}: expected at most four digits after the point`);
}
