/**
 * Long tables: a column of text says which stream a row belongs to.
 *
 * @module
 */

import { emptyRaw, type RawColumns } from "../../core/columns.ts";
import { CsvError } from "../../kernel/csv_error.ts";
import type { TableParser } from "../../kernel/table_parser.ts";
import { readBytes, type ReadCounter } from "../bytes.ts";
import { ImportError } from "../errors.ts";
import type { Position, SourceBatch } from "../source.ts";
import { BATCH_BYTES, type CsvTable, parserOf, textOf } from "./csv_table.ts";
import { noRemarks, type TableRemarks } from "./table_remarks.ts";
import type { TableLayout } from "./table_layout.ts";
import { lineBatches } from "./line_batches.ts";
import { splitCells } from "./records.ts";

const LF = 10;
const CR = 13;
const QUOTE = 34;
/** Most streams of a long table. */
const MAX_KEYS = 100_000;

/** A row: its bytes, the lines before it, and what its column says. */
interface KeyedRow {
  readonly from: number;
  readonly to: number;
  readonly line: number;
  readonly key: string;
}

/**
 * The different texts in the column, in the order in which they come.
 *
 * @param table The table; its layout has a column that streams are told apart by.
 * @param counter Is told how far the file is read.
 * @param limit Bytes to look at.
 */
export async function keysOf(
  table: CsvTable,
  counter: ReadCounter,
  limit: number,
): Promise<string[]> {
  const { bytes, layout } = table;
  const keys = new Set<string>();
  let header = layout.headerLines;
  let rest: Uint8Array = new Uint8Array(0);
  const chunks = textOf(table, readBytes(bytes, 0, counter));
  for await (const batch of lineBatches(chunks, 0, BATCH_BYTES)) {
    if (batch.open && !layout.complete) break;
    const all = joined(rest, batch.bytes);
    const { rows, used } = keyedRows(all, layout, header, 0);
    for (const { key } of rows) if (key !== "") keys.add(key);
    if (keys.size > MAX_KEYS) {
      throw new ImportError(
        `Cannot import: column ${nameOf(layout)} has more than ${MAX_KEYS} different names`,
      );
    }
    header = 0;
    rest = all.slice(used);
    if (batch.end >= limit) break;
  }
  return [...keys];
}

/**
 * Reads a long table: the points of each key and value column, all value columns of the first key
 * first.
 *
 * @param table The table.
 * @param from First byte.
 * @param raw Its bytes from there on.
 * @param remarks Is told what was met.
 * @throws {ImportError} If a row has a key that is not in the layout.
 */
export async function* longBatches(
  { layout }: CsvTable,
  from: Position,
  raw: AsyncIterable<Uint8Array>,
  remarks: TableRemarks,
): AsyncGenerator<SourceBatch, void, void> {
  const { keys } = layout.by!;
  const parsers = new Map(keys.map((key) => [key, parserFor(layout, from, key)]));
  const width = layout.roles.filter((role) => role === "value").length;
  let header = from.offset === 0 ? layout.headerLines : 0;
  let rest: Uint8Array = new Uint8Array(0);
  let line = from.lines;
  let count = from.rows;
  for await (const batch of lineBatches(raw, from.offset, BATCH_BYTES)) {
    if (batch.open && !layout.complete) {
      remarks.openLine = line + 1;
      break;
    }
    const all = joined(rest, batch.bytes);
    const { rows, used, lines } = keyedRows(all, layout, header, line);
    header = 0;
    const columns: RawColumns[] = [];
    const grouped = groupedByKey(rows);
    for (const [key, parser] of parsers) {
      const own = grouped.get(key) ?? [];
      columns.push(...parseRows(parser, all, own, width));
      count += own.length;
    }
    checkKeys(rows, parsers, layout, remarks);
    rest = all.slice(used);
    line = lines;
    note(parsers.values(), remarks);
    const next = { offset: batch.end - rest.length, lines: line, rows: count };
    yield { columns, next: { ...next, ...timesOf(parsers, layout) } };
  }
  if (rest.length > 0) {
    throw new ImportError(`Cannot import: a quote in line ${line + 1} is not closed`);
  }
}

/** Rows by their keys. (`Map.groupBy` is not in Node 20.) */
function groupedByKey(rows: readonly KeyedRow[]): Map<string, KeyedRow[]> {
  const groups = new Map<string, KeyedRow[]>();
  for (const row of rows) {
    const group = groups.get(row.key);
    if (group === undefined) groups.set(row.key, [row]);
    else group.push(row);
  }
  return groups;
}

function parserFor(layout: TableLayout, from: Position, key: string): TableParser {
  const { timesByKey, ...rest } = from;
  const own = timesByKey?.[key];
  return parserOf(layout, own === undefined ? rest : { ...rest, time: own[0], step: own[1] });
}

/** The last time of each key, where it tells hours that come twice apart. */
function timesOf(
  parsers: ReadonlyMap<string, TableParser>,
  { tz }: TableLayout,
): Pick<Position, "timesByKey"> {
  if (tz === "UTC" || /^[+-]/.test(tz)) return {};
  const timesByKey: Record<string, [string, string]> = {};
  for (const [key, { lastTime }] of parsers) {
    if (lastTime === undefined) continue;
    timesByKey[key] = [String(lastTime.time), String(lastTime.distance)];
  }
  return { timesByKey };
}

/** Parses the rows of one key, which stand among others. */
function parseRows(
  parser: TableParser,
  bytes: Uint8Array,
  rows: readonly KeyedRow[],
  width: number,
): RawColumns[] {
  if (rows.length === 0) {
    return Array.from({ length: width }, emptyRaw);
  }
  const own = new Uint8Array(rows.reduce((n, { from, to }) => n + to - from, 0));
  let at = 0;
  for (const { from, to } of rows) {
    own.set(bytes.subarray(from, to), at);
    at += to - from;
  }
  parser.lines = 0;
  try {
    return parser.parse(own);
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = lineIn(bytes, rows, error.line);
    throw new CsvError(error.message.replace(`line ${error.line},`, `line ${line},`), {
      ...(error.column === undefined ? {} : { column: error.column }),
      ...(error.label === undefined ? {} : { label: error.label }),
      ...(error.cell === undefined ? {} : { cell: error.cell }),
      line,
    });
  }
}

/** The line of the table that is line `n` of the rows of one key, both from 1. */
function lineIn(bytes: Uint8Array, rows: readonly KeyedRow[], n: number): number {
  let left = n;
  for (const { from, to, line } of rows) {
    let lines = 0;
    for (let at = from; at < to; at++) if (bytes[at] === LF) lines++;
    if (left <= lines) return line + left;
    left -= lines;
  }
  return n;
}

function checkKeys(
  rows: readonly KeyedRow[],
  parsers: ReadonlyMap<string, TableParser>,
  layout: TableLayout,
  remarks: TableRemarks,
): void {
  for (const { key, line } of rows) {
    if (parsers.has(key)) continue;
    if (key === "" && layout.skipBadRows) {
      remarks.unnamed = (remarks.unnamed ?? 0) + 1;
      continue;
    }
    throw new ImportError(
      key === ""
        ? `Cannot import: line ${line + 1} has nothing in column ${nameOf(layout)}`
        : `Cannot resume: line ${line + 1} has ${JSON.stringify(key)} in column ${
          nameOf(layout)
        }, ` +
          "which was not there when the import began",
      {
        hint: key === ""
          ? "--bad-rows skip leaves such rows out"
          : "--restart imports all again, " +
            "with --merge equal nothing is stored twice",
      },
    );
  }
}

function note(parsers: Iterable<TableParser>, remarks: TableRemarks): void {
  const sums = { ...noRemarks(), badRows: remarks.unnamed ?? 0 };
  for (const parser of parsers) {
    sums.badRows += parser.badRows;
    sums.badCells += parser.badCells;
    sums.unsure += parser.unsureTimes;
    sums.cut += parser.cutTimes;
    sums.leaps += parser.leapSeconds;
    sums.rounded += parser.roundedNumbers;
    sums.far += parser.farTimes;
  }
  Object.assign(remarks, sums);
}

function nameOf({ by, names }: TableLayout): string {
  return by!.columns.map((i) => JSON.stringify(names[i])).join(" and ");
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

/** The rows of whole lines, and how far they go: a quote that is open at the end waits for more. */
function keyedRows(
  bytes: Uint8Array,
  layout: TableLayout,
  header: number,
  line: number,
): { rows: KeyedRow[]; used: number; lines: number } {
  const rows: KeyedRow[] = [];
  const delimiter = layout.delimiter.charCodeAt(0);
  const comment = layout.comment?.charCodeAt(0);
  const decoder = new TextDecoder();
  const { columns } = layout.by!;
  const column = columns.length === 1 ? columns[0]! : -1;
  let at = 0;
  for (let i = 0; i < header; i++, line++) at = bytes.indexOf(LF, at) + 1 || bytes.length;
  while (at < bytes.length) {
    let cell = 0;
    let quoted = false;
    let lines = 0;
    let from = at;
    let to = -1;
    let end = at;
    for (; end < bytes.length; end++) {
      const byte = bytes[end]!;
      if (byte === QUOTE) quoted = !quoted;
      else if (byte === LF) {
        lines++;
        if (!quoted) break;
      } else if (byte === delimiter && !quoted) {
        if (cell === column) to = end;
        cell++;
        if (cell === column) from = end + 1;
      }
    }
    if (end === bytes.length) break;
    if (cell === column) to = end;
    const isEmpty = end === at || (end === at + 1 && bytes[at] === CR);
    if (!isEmpty && bytes[at] !== comment) {
      if (column >= 0 && !layout.blanks) {
        const key = to < 0 ? "" : keyText(decoder.decode(bytes.subarray(from, to)));
        rows.push({ from: at, to: end + 1, line, key });
      } else {
        const text = decoder.decode(bytes.subarray(at, end)).replace(/\r$/, "");
        const cells = splitCells(text, layout.delimiter, layout.blanks);
        const key = columns.map((i) => cells[i] ?? "").filter((cell) => cell !== "").join("/");
        if (text !== layout.headerAgain) rows.push({ from: at, to: end + 1, line, key });
      }
    }
    line += lines;
    at = end + 1;
  }
  return { rows, used: at, lines: line };
}

/** A cell without blanks around it and without its quotes. */
function keyText(cell: string): string {
  const text = cell.trim();
  return text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text;
}
