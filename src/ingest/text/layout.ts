/**
 * Detects the layout of a table of text: delimiter, header, columns of the time and their form.
 *
 * @module
 */

import { nearest } from "../../core/suggest.ts";
import { isNullWord } from "../../kernel/mod.ts";
import { NoRowsError, optionError } from "../errors.ts";
import type { OmittedColumn } from "../source.ts";
import { type InfluxTable, influxTable } from "./influx.ts";
import { tableWarnings } from "./table_warnings.ts";
import { checkTimesApart } from "./times_apart.ts";
import { readRecords, splitCells, type TextRecord } from "./records.ts";
import {
  clockFormat,
  formsOf,
  isCalendar,
  onlyForm,
  patternForm,
  unitNamed,
} from "./time_forms.ts";

/** Layout of a table. It is plain data, because a record of interrupted work keeps it. */
export interface TableLayout {
  delimiter: string;
  /** True if runs of blanks and tabs are the delimiter. */
  blanks: boolean;
  decimal: "." | ",";
  thousands?: string;
  comment?: string;
  encoding?: string;
  /** Lines before the first row of data. */
  headerLines: number;
  /** Names of all columns. */
  names: string[];
  /** Units of all columns, as a row below the header says them. */
  units: (string | null)[];
  roles: ("time" | "value" | "skip" | "spare")[];
  /** Columns of the times, in the order in which they are put together. */
  timeOrder: number[];
  timeFormat: string;
  /** The reason for the column of times and its form. */
  reason: string;
  /** Time zone of times that do not say theirs. */
  tz: string;
  /** Rows without times: first time and distance, ns. */
  times?: { first: string; step: string };
  /** Added to times, ns. */
  base?: string;
  rate?: { rows: string; seconds: string; fromBase: boolean };
  nulls: readonly string[];
  skipBadRows: boolean;
  skipBadCells: boolean;
  /** True if the last line counts without a line end. */
  complete: boolean;
  /** Columns whose texts tell streams apart, and all that they say. */
  by?: { columns: number[]; keys: string[] };
  /** The header, where it comes again within the data and is passed over. */
  headerAgain?: string;
}

/** Layout as far as the user gives it; the rest is detected. */
export interface LayoutWishes {
  delimiter?: string | undefined;
  decimal?: "." | "," | undefined;
  thousands?: string | undefined;
  comment?: string | undefined;
  encoding?: string | undefined;
  header?: boolean | undefined;
  skipLines: number;
  time?: string | undefined;
  timeFormat?: string | undefined;
  columns: readonly string[];
  tz: string;
  /** True if the user says the zone. @default {true} */
  isZoneSaid?: boolean | undefined;
  times?: { first: string; step: string } | undefined;
  start?: string | undefined;
  rate?: number | undefined;
  nulls?: readonly string[] | undefined;
  skipBadRows?: boolean | undefined;
  skipBadCells?: boolean | undefined;
  complete?: boolean | undefined;
  by?: string | undefined;
}

/** A layout, and what was found on the way. */
export interface FoundLayout {
  readonly layout: TableLayout;
  readonly omitted: readonly OmittedColumn[];
  /** Remarks on what may be meant otherwise. */
  readonly warnings?: readonly string[];
}

const BTRDB_NAMES = ["Timestamp (ns)", "Human-Readable Time (UTC)"];
const STATISTIC = / \((Min|Mean|Max|Count)\)$/;
const TIME_NAME = /time|date|zeit|datum|epoch|^ts$|^t$/i;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
/** Commas before groups of three digits, and a decimal point. */
const GROUPED_NUMBER = /^[+-]?\d{1,3}(?:,\d{3})+\.\d*$/;
const COMMA_NUMBER = /^[+-]?\d+,\d+$/;
/** Words of rows that say the type of each column. */
const TYPE_WORD =
  /^(double|float|float64|float32|int|int64|long|string|text|datetime|timestamp|number|numeric|bool|boolean|varchar|object|date)$/i;

/** Rows looked at to find out what the columns are. */
const SAMPLE_ROWS = 200;
/** Rows between the header and the data, at most. */
const MAX_EXTRA_ROWS = 4;

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
  const decimal = wishes.decimal ?? ".";
  const look = { decimal, thousands: wishes.thousands, nulls: wishes.nulls ?? [] };
  const behind = prefix.header === undefined ? [] : splitCells(prefix.header, cut, blanks);
  const commented = wishes.header !== false && behind.length === first.cells.length &&
    behind.some((cell) => isName(cell, look)) && !first.cells.some((cell) => isName(cell, look));
  const header = commented ||
    (wishes.header ?? first.cells.some((cell) => isName(cell, look)));
  const cells = commented ? behind : first.cells;
  const names = header ? cells : cells.map((_, i) => `column${i + 1}`);
  const below = records.slice(header && !commented ? 1 : 0);
  const extra = header ? extraRows(below, look) : 0;
  const units = unitsOf(below.slice(0, extra), names.length);
  const data = below.slice(extra, extra + SAMPLE_ROWS);
  if (data.length === 0) throw new NoRowsError("Cannot import: there are no rows after the header");
  const rows = data.map(({ cells }) => cells);
  const time = timeOf(names, units, rows, wishes, look);
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
  if (by === undefined) checkLong(layout, rows);
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

interface Look {
  readonly decimal: "." | ",";
  readonly thousands: string | undefined;
  readonly nulls: readonly string[];
}

/** Lines before the table: those to skip, `sep=;`, comments. */
function prefixOf(head: string, wishes: LayoutWishes): {
  text: string;
  lines: number;
  comment: string | undefined;
  delimiter: string | undefined;
  header: string | undefined;
} {
  let text = head.replace(/^\uFEFF/, "");
  let lines = 0;
  const drop = (): string => {
    const end = text.indexOf("\n");
    const line = end < 0 ? text : text.slice(0, end);
    text = end < 0 ? "" : text.slice(end + 1);
    lines++;
    return line.replace(/\r$/, "");
  };
  for (let i = 0; i < wishes.skipLines && text !== ""; i++) drop();
  const sep = /^"?sep=(.)"?\r?\n/i.exec(text);
  if (sep !== null) drop();
  const comment = wishes.comment ?? (/^[ \t]*#/.test(text) ? "#" : undefined);
  let header: string | undefined;
  while (comment !== undefined && text.trimStart().startsWith(comment)) {
    const line = drop().trim();
    if (line !== "") header = line.slice(comment.length).trim();
  }
  return { text, lines, comment, delimiter: sep?.[1], header };
}

/** Tells whether a cell of the first line can only be a name. */
function isName(cell: string, look: Look): boolean {
  return /\p{L}/u.test(cell) && !isValue(cell, look) && !isCalendar(cell) &&
    !/\d{1,2}:\d{2}/.test(cell) && !/^(inf|infinity)$/i.test(cell) &&
    !/^\d{1,2}[-. ][a-z]{3}[-. ]\d{2,4}/i.test(cell);
}

function isValue(cell: string, { decimal, thousands, nulls }: Look): boolean {
  const text = cell.trim();
  if (isNullWord(text, nulls)) return true;
  const plain = thousands === undefined ? text : text.replaceAll(thousands, "");
  return NUMBER.test(decimal === "," ? plain.replace(",", ".") : plain);
}

function isNumber(cell: string, look: Look): boolean {
  return isValue(cell, look) && !isNullWord(cell, look.nulls);
}

/** Rows of units, types and descriptions between the header and the first row of numbers. */
function extraRows(below: readonly TextRecord[], look: Look): number {
  for (let i = 0; i < Math.min(below.length, MAX_EXTRA_ROWS + 1); i++) {
    const { cells } = below[i]!;
    if (cells.some((cell) => isNumber(cell, look) || /\d[-./:]\d/.test(cell))) return i;
    if (cells.every((cell) => cell === "")) continue;
    if (!cells.some((cell) => isName(cell, look) || /[%°Ω]/.test(cell))) return i;
  }
  return 0;
}

/** Units from the rows below the header: the third line of JSIS-CSV, or a row that is no types. */
function unitsOf(rows: readonly TextRecord[], columns: number): (string | null)[] {
  const types = (cells: readonly string[]): boolean =>
    cells.some((cell) => TYPE_WORD.test(cell)) &&
    cells.every((cell) => cell === "" || TYPE_WORD.test(cell));
  const row = rows.length === 3 ? rows[1] : rows.find(({ cells }) => !types(cells));
  return Array.from({ length: columns }, (_, i) => {
    const unit = row?.cells[i]?.replace(/^[([](.*)[)\]]$/, "$1").trim();
    return unit === undefined || unit === "" || unit === "-" ? null : unit;
  });
}

/** The candidate that splits the first lines most evenly. */
function guessDelimiter(text: string, comment: string | undefined): string {
  let best = { delimiter: ",", score: 0 };
  for (const delimiter of [",", ";", "\t", "|"]) {
    const rows = readRecords(text, { delimiter, blanks: false, comment, limit: 20 });
    const counts = rows.map(({ cells }) => cells.length);
    const most = counts[0] ?? 1;
    if (most < 2) continue;
    const even = counts.filter((n) => n === most).length / counts.length;
    const score = even * (1 + Math.log2(most));
    if (score > best.score) best = { delimiter, score };
  }
  const rows = readRecords(text, { delimiter: " ", blanks: true, comment, limit: 20 });
  const width = rows[0]?.cells.length ?? 1;
  const alone = best.score === 0 ||
    rows.every(({ cells }) =>
      cells.length === width && cells.every((cell) => /^[\w.+-]+$/.test(cell))
    );
  return alone && width >= 2 && rows.every(({ cells }) => cells.length === width)
    ? "blanks"
    : best.delimiter;
}

/** Index of the column of a name or of a number from 1. */
export function columnOf(names: readonly string[], text: string, option: string): number {
  const exact = names.indexOf(text);
  if (exact >= 0 && names.indexOf(text, exact + 1) < 0) return exact;
  if (exact >= 0) {
    const numbers = names.flatMap((name, i) => name === text ? [i + 1] : []);
    throw optionError(
      `Cannot use ${option} ${text}: columns ${numbers.join(" and ")} are called so`,
      `say the number, for example ${option} ${numbers[0]}`,
    );
  }
  const number = /^\d+$/.test(text) ? Number(text) : 0;
  if (number >= 1 && number <= names.length) return number - 1;
  const near = nearest(text, names);
  throw optionError(
    `Cannot use ${option} ${text}: there is no such column`,
    near.length > 0 ? `did you mean ${near.join(" or ")}?` : `columns are ${names.join(", ")}`,
  );
}

/** The columns of the times, and their form. */
interface TimeChoice {
  readonly columns: number[];
  readonly format: string;
  readonly reason: string;
  /** True if times count from `--start`. */
  readonly relative: boolean;
}

function timeOf(
  names: readonly string[],
  units: readonly (string | null)[],
  rows: readonly string[][],
  wishes: LayoutWishes,
  look: Look,
): TimeChoice {
  const fixed = { relative: false, reason: "said by options" };
  const said = wishes.time;
  if (
    wishes.times !== undefined || (wishes.rate !== undefined && wishes.start !== undefined &&
      said === undefined && !names.some((name) => TIME_NAME.test(name)))
  ) {
    return { ...fixed, columns: [], format: "ns" };
  }
  if (isBtrdbTable(names) && said === undefined) {
    return {
      ...fixed,
      columns: [0],
      format: wishes.timeFormat ?? "ns",
      reason: "BTrDB's own table",
    };
  }
  const cellsOf = (i: number): string[] =>
    // The name again is the header of another table behind this one, which the parser reports.
    rows.map((row) => (row[i] ?? "").trim())
      .filter((cell) => !isNullWord(cell, look.nulls) && cell !== names[i]);
  if (said !== undefined) {
    const columns = !names.includes(said) && said.includes("+")
      ? said.split("+").map((part) => columnOf(names, part.trim(), "--time"))
      : [columnOf(names, said, "--time")];
    return formOf(columns, names, units, rows, cellsOf, wishes, "said by --time");
  }
  const chosen = findTime(names, units, cellsOf, wishes);
  return formOf(chosen.columns, names, units, rows, cellsOf, wishes, chosen.reason);
}

/** The columns whose cells are times. */
function findTime(
  names: readonly string[],
  units: readonly (string | null)[],
  cellsOf: (i: number) => string[],
  wishes: LayoutWishes,
): { columns: number[]; reason: string } {
  const all = names.map((_, i) => ({ i, cells: cellsOf(i) })).filter(({ cells }) =>
    cells.length > 0
  );
  if (wishes.timeFormat?.includes("%")) {
    const form = patternForm(wishes.timeFormat.replace(/ ?%[zZ]/, ""));
    const strip = (cell: string) => cell.replace(/ ?([A-Za-z]{1,5}|[+-]\d{2}:?\d{2})$/, "");
    const zoned = /%[zZ]/.test(wishes.timeFormat);
    const fitting = all.filter(({ cells }) =>
      form.read(zoned ? strip(cells[0]!) : cells[0]!) !== undefined
    );
    if (fitting.length > 0) {
      return only(fitting, names, "its cells have the form of --time-format");
    }
  }
  const isFull = (cell: string): boolean => /\d:\d{2}/.test(cell);
  const text = all.filter(({ cells }) =>
    !cells.every((c) => NUMBER.test(c)) &&
    formsOf(cells).length > 0
  );
  const full = text.filter(({ cells }) => isFull(cells[0]!));
  if (full.length > 0) return only(full, names, "its cells are dates with a clock");
  const dates = text.filter(({ cells }) => !isFull(cells[0]!));
  const clocks = all.filter(({ cells }) => clockFormat(cells) !== undefined);
  if (dates.length > 0 && clocks.length > 0) {
    const date = only(dates, names, "").columns[0]!;
    const clock = only(clocks, names, "").columns[0]!;
    return { columns: [date, clock], reason: "their cells are a date and a clock" };
  }
  const compact = all.filter(({ cells }) =>
    cells.every((c) => /^(19|20)\d{6}$/.test(c)) &&
    formsOf(cells).length > 0
  );
  if (compact.length === 1 && clocks.length === 1) {
    return {
      columns: [compact[0]!.i, clocks[0]!.i],
      reason: "their cells are a date and a clock",
    };
  }
  if (dates.length > 0) return only(dates, names, "its cells are dates");
  if (clocks.length > 0) {
    throw optionError(
      `Cannot import: column ${names[clocks[0]!.i]} is a clock, and no column is its date`,
      "name another column of times with --time",
    );
  }
  const numbers = all.filter(({ cells }) => cells.every((cell) => NUMBER.test(cell)));
  const epochs = numbers.filter(({ cells }) => formsOf(cells).length > 0);
  const growing = epochs.filter(({ cells }) => isGrowing(cells));
  const list = growing.length > 0 ? growing : epochs;
  if (list.length > 0) return only(list, names, "its numbers are times of our age");
  const unit = (i: number): string | undefined => unitNamed(names[i]!, units[i] ?? null);
  const named = numbers.filter(({ i }) => unit(i) !== undefined);
  if (named.length > 0) {
    const times = named.filter(({ i }) => TIME_NAME.test(names[i]!));
    return only(times.length > 0 ? times : named, names, "its name says a unit of time");
  }
  const likely = numbers.filter(({ i, cells }) =>
    (isGrowing(cells) || wishes.timeFormat !== undefined) && (TIME_NAME.test(names[i]!) || i === 0)
  );
  const titled = likely.filter(({ i }) => TIME_NAME.test(names[i]!));
  const found = titled.length > 0 ? titled : likely;
  if (found.length > 0) return only(found, names, "its numbers grow");
  const shown = all.find(({ i }) => TIME_NAME.test(names[i]!)) ?? all[0];
  throw optionError(
    shown === undefined ? "Cannot import: no column has times" : (
      `Cannot tell what ${JSON.stringify(shown.cells[0])} in column ${
        names[shown.i]
      } means as a time`
    ),
    "say --time-format ns, us, ms, s, rfc3339 or a pattern like '%d.%m.%Y %H:%M:%S', or another " +
      "column with --time; --skip N passes over lines before the header",
  );
}

function isGrowing(cells: readonly string[]): boolean {
  const values = cells.map(Number);
  return values.every((value, i) => i === 0 || value >= values[i - 1]!) &&
    (values.length === 1 || values[0] !== values.at(-1));
}

function only(
  found: readonly { i: number }[],
  names: readonly string[],
  reason: string,
): { columns: number[]; reason: string } {
  if (found.length === 1) return { columns: [found[0]!.i], reason };
  const list = found.map(({ i }) => names[i] || `number ${i + 1}`).join(", ");
  throw optionError(
    `Cannot tell which column is the time: ${list} all look like times`,
    `say it, for example --time ${JSON.stringify(names[found[0]!.i] || String(found[0]!.i + 1))}`,
  );
}

function formOf(
  columns: number[],
  names: readonly string[],
  units: readonly (string | null)[],
  rows: readonly string[][],
  cellsOf: (i: number) => string[],
  wishes: LayoutWishes,
  reason: string,
): TimeChoice {
  const said = wishes.timeFormat;
  const numeric = columns.length === 1 && cellsOf(columns[0]!).every((c) => NUMBER.test(c));
  const relative = wishes.start !== undefined && numeric;
  if (said !== undefined) return { columns, format: said, reason, relative };
  if (columns.length > 1) {
    const joined = rows.map((row) => columns.map((i) => (row[i] ?? "").trim()).join(" "));
    const parts = columns.map((i) => {
      const cells = cellsOf(i);
      return clockFormat(cells) ?? onlyForm(formsOf(cells), cells, names[i]!).format;
    });
    if (parts.every((part) => part === "rfc3339" || /^%[HI]/.test(part))) {
      const iso = parts.map((part) => part === "rfc3339" ? isoOf(joined[0]!) : part);
      return { columns, format: iso.join(" "), reason, relative: false };
    }
    return { columns, format: parts.join(" "), reason, relative: false };
  }
  const i = columns[0]!;
  const cells = cellsOf(i);
  const unit = unitNamed(names[i]!, units[i] ?? null);
  const forms = formsOf(cells);
  if (numeric && (relative || forms.length === 0)) {
    if (!relative && unit !== "ns") {
      throw optionError(
        `Cannot import: the times in column ${names[i]} are relative, the first one is ${cells[0]}`,
        "say with --start when they begin, and with --time-format whether they are s, ms, us or ns; " +
          "or name another column with --time",
      );
    }
    return { columns, format: unit ?? "s", reason, relative };
  }
  const named = forms.find(({ format }) => format === unit);
  return { columns, format: (named ?? onlyForm(forms, cells, names[i]!)).format, reason, relative };
}

function isoOf(cell: string): string {
  return cell[4] === "/" ? "%Y/%m/%d" : "%Y-%m-%d";
}

/** Tells whether the names are those of a CSV that BTrDB writes. */
export function isBtrdbTable(names: readonly string[]): boolean {
  return BTRDB_NAMES.every((name, i) => names[i] === name);
}

function chooseRoles(
  names: readonly string[],
  rows: readonly string[][],
  time: readonly number[],
  look: Look,
  wishes: LayoutWishes,
  by: number | undefined,
): { roles: TableLayout["roles"]; omitted: OmittedColumn[] } {
  const wanted = new Set(wishes.columns.map((text) => columnOf(names, text, "--column")));
  const omitted: OmittedColumn[] = [];
  let commas = false;
  const lastNamed = names.findLastIndex((name) => name !== "");
  const roles = names.map((name, i): TableLayout["roles"][number] => {
    if (time.includes(i)) return "time";
    if (i === by) return "skip";
    if (wanted.size > 0) return wanted.has(i) ? "value" : "skip";
    if (isBtrdbTable(names)) return i === 1 ? "skip" : "value";
    if (name === "") {
      const empty = rows.every((row) => (row[i] ?? "") === "");
      if (!empty) omitted.push({ name: `column${i + 1}`, reason: "it has no name" });
      return i > lastNamed ? "spare" : "skip";
    }
    const cells = rows.map((row) => row[i] ?? "");
    // The name again is the header of another table behind this one.
    const strange = cells.filter((cell) => !isValue(cell, look) && cell !== name);
    // Some text among numbers is a mistake, which the parser reports with its line.
    const numbers = cells.filter((cell) => isNumber(cell, look));
    // Digits with marks are numbers of another notation, not text: left to the parser.
    const notation = look.decimal === "," ? /^[+-]?\d[\d.]*(?:,\d*)?$/ : GROUPED_NUMBER;
    const marked = strange.every((cell) => notation.test(cell));
    if (strange.length === 0 || numbers.length > strange.length || marked) return "value";
    if (look.decimal === "." && strange.every((cell) => COMMA_NUMBER.test(cell))) commas = true;
    omitted.push({ name, reason: `text, such as ${JSON.stringify(strange[0]!.slice(0, 30))}` });
    return "skip";
  });
  if (wanted.size === 0 && names.some((name) => STATISTIC.test(name))) {
    throw optionError(
      "Cannot import windows: statistics cannot be turned back into points",
      "to store one of the columns as points anyway, name it with --column",
    );
  }
  if (commas) {
    throw optionError(
      "Cannot import: numbers like 1,5 have a decimal comma",
      "say --decimal , or take only other columns with --column",
    );
  }
  if (!roles.includes("value")) {
    throw optionError(
      "Cannot import: there is no column of values",
      "see --column and --delimiter",
    );
  }
  return { roles, omitted };
}

/** Refuses a table in which rows of one time differ by a column of text. */
function checkLong({ roles, names, timeOrder }: TableLayout, rows: readonly string[][]): void {
  if (timeOrder.length === 0 || rows.length < 4) return;
  const keyOf = (row: readonly string[]) => timeOrder.map((i) => row[i]).join(" ");
  const same = rows.filter((row, i) => i > 0 && keyOf(row) === keyOf(rows[i - 1]!)).length;
  if (same * 3 < rows.length) return;
  const column = names.findIndex((_, i) =>
    roles[i] === "skip" && names[i] !== "" &&
    rows.every((row, r) =>
      r === 0 || keyOf(row) !== keyOf(rows[r - 1]!) ||
      row[i] !== rows[r - 1]![i]
    )
  );
  if (column < 0) return;
  throw optionError(
    `Cannot import: rows of one time differ by column ${names[column]}, this is a long table`,
    `--by ${JSON.stringify(names[column])} makes a stream of each`,
  );
}
