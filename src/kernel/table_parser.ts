/**
 * Tables of numbers as text to columns: any delimiter, any column, any form of time.
 *
 * @module
 */

import { describe } from "../core/describe.ts";
import type { RawColumns } from "../core/columns.ts";
import { type ExtendedArena, extendedArena } from "./extended_arena.ts";
import { checkObject } from "./arguments.ts";
import { TableColumns } from "./table_columns.ts";
import { tableError } from "./table_error.ts";
import { invalidType } from "../core/argument_error.ts";

/** Role of a column of a table; `"spare"` is skipped, and may be missing at the end of a row. */
export type ColumnRole = "time" | "value" | "skip" | "spare";

/** Layout of a table. */
export interface TableOptions {
  /**
   * The role of each column. Unless `times` is given, one is `"time"`, or several, whose cells are put
   * together with blanks.
   */
  columns: readonly ColumnRole[];
  /** Names of the columns, for errors. */
  names?: readonly string[];
  /** One byte of ASCII. @default {","} */
  delimiter?: string;
  /** The decimal point of values. @default {"."} */
  decimal?: "." | ",";
  /**
   * The form of times: a decimal number of `"ns"`, `"us"`, `"ms"` or `"s"` since the Unix epoch,
   * `"rfc3339"` (also with a blank for the T, without seconds or zone, or a date alone), `"ticks"`
   * and `"filetime"` (100 ns since 0001 and 1601), `"excel"` (days since 1899-12-30), or a pattern
   * with the directives `%Y %y %m %b %d %j %H %I %M %S %f %p %z %Z` of strptime.
   *
   * @default {"ns"}
   */
  timeFormat?: string;
  /** Offset from UTC of times without a zone, ns. @default {0n} */
  offset?: bigint;
  /** Rows without times: of the first one, and the distance between two, ns. */
  times?: { first: bigint; step: bigint };
  /** True if runs of blanks and tabs are the delimiter. @default {false} */
  blanks?: boolean;
  /** First character of lines that are comments, ASCII. */
  comment?: string;
  /** Mark before groups of three digits, ASCII. */
  thousands?: string;
  /** True to leave out and count rows that cannot be read. @default {false} */
  skipBadRows?: boolean;
  /** True to leave out and count cells that are not a number. @default {false} */
  skipBadCells?: boolean;
  /** Further words for no value; case does not matter. */
  nulls?: readonly string[];
  /** Indices of the columns of times in the order in which they are put together. */
  timeOrder?: readonly number[];
  /** Changes of the clocks of a place: pairs of a time and the ns ahead of UTC from then on. */
  clockChanges?: BigInt64Array;
  /** Names of zones in times, and what they are ahead of UTC, ns. */
  zoneNames?: Readonly<Record<string, bigint>>;
  /** Added to times that are numbers, ns. @default {0n} */
  base?: bigint;
  /** Rows in `seconds` seconds, to which times are snapped: from `base`, or within their second. */
  rate?: { rows: bigint; seconds: bigint; fromBase: boolean };
  /** Smallest and largest time of a row, ns. @default all of 64 bits */
  limits?: { readonly first: bigint; readonly last: bigint };
}

const UNITS: Readonly<Record<string, number>> = { ns: 0, us: 3, ms: 6, s: 9 };
const CALENDAR = 10;
const PATTERN = 11;
const IMPLICIT = 12;
const OTHERS: Readonly<Record<string, number>> = { ticks: 13, filetime: 14, excel: 15 };
const DIRECTIVES = "YymbdjHIMSfpzZ";

/** Words for no value, beside an empty cell. */
const NULLS: readonly string[] = [
  "-",
  "--",
  "---",
  "?",
  "nan",
  "-nan",
  "+nan",
  "nan(ind)",
  "-nan(ind)",
  "1.#qnan",
  "-1.#qnan",
  "1.#ind",
  "-1.#ind",
  "1.#nan",
  "na",
  "n/a",
  "n.a.",
  "#n/a",
  "#na",
  "#n/a n/a",
  "<na>",
  "none",
  "null",
  "nil",
  "\\n",
  "bad",
  "no data",
  "nodata",
  "no value",
  "missing",
];

const LF = 10;
/** Bytes parsed in one go. */
const PIECE_BYTES = 256 << 10;
/** Bytes of the columns that one go may fill, unless that is less than 64 rows. */
const OUTPUT_BYTES = 1 << 20;
/** Bytes whose lines are counted to know about how many there are. */
const SAMPLE_BYTES = 64 << 10;
/** Bytes that the kernel may touch beyond its input. */
const SLACK = 64;
/** Most columns of a table. */
const MAX_COLUMNS = 65_536;

/**
 * Parses the rows of tables of numbers, e.g. CSV of any origin.
 *
 * Cells may be quoted and padded with blanks. An empty cell and words such as `NaN`, `N/A`, `null`,
 * `Bad`, `?` and `-` ({@linkcode isNullWord}) are no point; any other cell that is no finite number is an error that says line and column.
 * Nothing is sorted and nothing is dropped.
 *
 * @example German numbers and dates
 * ```ts
 * import { TableParser } from "@btrdb/btrdb/kernel";
 * import { assertEquals } from "@std/assert";
 *
 * const parser = new TableParser({
 *   columns: ["time", "value"],
 *   delimiter: ";",
 *   decimal: ",",
 *   timeFormat: "%d.%m.%Y %H:%M:%S",
 * });
 * const [a] = parser.parse(new TextEncoder().encode("02.01.1970 00:00:00;1,5\n"));
 * assertEquals(a, { times: BigInt64Array.of(86_400_000_000_000n), values: Float64Array.of(1.5) });
 * ```
 */
export class TableParser {
  readonly #roles: Uint8Array;
  readonly #names: readonly string[];
  readonly #delimiter: number;
  readonly #decimal: number;
  readonly #timeKind: number;
  readonly #pattern: Uint8Array;
  readonly #offset: bigint;
  readonly #step: bigint;
  readonly #columns: TableColumns;
  /** Number of value columns. */
  readonly #width: number;
  /** Tables for the kernel: pattern, words for no value, names of zones, changes of clocks. */
  readonly #extras: Uint8Array;
  readonly #extraAt: { words: number; zones: number; changes: number };
  readonly #options: TableOptions;
  readonly #parts: number;
  #nextTime: bigint;
  #rows = 0;
  #used = 0;
  #badRows = 0;
  #badCells = 0;
  #unsure = 0;
  #firstUnsure: number | undefined;
  #cut = 0;
  #firstCut: number | undefined;
  #rounded = 0;
  #firstRounded: number | undefined;
  #before: bigint;
  #distance = 0n;
  /** Lines before the next row; may be set, where rows begin within a file. */
  lines = 0;

  /**
   * Makes a parser.
   *
   * @param options Layout of the table.
   * @throws {TypeError} If the options do not describe a table.
   */
  constructor(options: TableOptions) {
    checkObject("parse table", "options", options);
    const { columns, delimiter = ",", decimal = ".", times, offset = 0n } = options;
    checkColumns(columns, times !== undefined);
    if (!/^[\t -~]$/.test(delimiter) || /["\d]/.test(delimiter)) {
      throw invalidType(
        `Cannot parse table: delimiter is ${
          JSON.stringify(delimiter)
        }, expected one byte of ASCII ` +
          "that is no quote, digit or decimal point",
      );
    }
    const order = options.timeOrder ??
      columns.flatMap((role, i) => role === "time" ? [i] : []);
    this.#parts = order.length > 1 ? order.length : 0;
    this.#roles = Uint8Array.from(
      columns,
      (role, i) => role === "time" && order.length > 1 ? PART + order.indexOf(i) : ROLES[role],
    );
    this.#options = options;
    this.#before = NO_TIME;
    this.#names = options.names ?? [];
    this.#delimiter = delimiter.charCodeAt(0);
    this.#decimal = decimal.charCodeAt(0);
    const { kind, pattern } = timeForm(options.timeFormat ?? "ns");
    this.#timeKind = times === undefined ? kind : IMPLICIT;
    this.#pattern = pattern;
    this.#offset = offset;
    this.#nextTime = times?.first ?? 0n;
    this.#step = times?.step ?? 0n;
    const extras = extrasOf(pattern, options);
    this.#extras = extras.bytes;
    this.#extraAt = extras;
    this.#width = columns.filter((role) => role === "value").length;
    this.#columns = new TableColumns(this.#width);
  }

  /** Rows left out so far. */
  get badRows(): number {
    return this.#badRows;
  }

  /** Cells left out so far. */
  get badCells(): number {
    return this.#badCells;
  }

  /** Clock times so far that come twice, where the rows around do not tell which one is meant. */
  get unsureTimes(): number {
    return this.#unsure;
  }

  /** Number of the line of the first of them. */
  get firstUnsureLine(): number | undefined {
    return this.#firstUnsure;
  }

  /** Times so far with digits below a nanosecond, which were cut. */
  get cutTimes(): number {
    return this.#cut;
  }

  /** Number of the line of the first of them. */
  get firstCutLine(): number | undefined {
    return this.#firstCut;
  }

  /** Cells so far with a whole number that no double holds, which was rounded to the nearest one. */
  get roundedNumbers(): number {
    return this.#rounded;
  }

  /** Number of the line of the first of them. */
  get firstRoundedLine(): number | undefined {
    return this.#firstRounded;
  }

  /** Bytes that the last {@linkcode TableParser.parse} took. */
  get used(): number {
    return this.#used;
  }

  /** Time of the last row and its distance to the one before; may be set, where rows go on. */
  get lastTime(): { time: bigint; distance: bigint } | undefined {
    return this.#before === NO_TIME ? undefined : { time: this.#before, distance: this.#distance };
  }

  set lastTime(last: { time: bigint; distance: bigint } | undefined) {
    this.#before = last?.time ?? NO_TIME;
    this.#distance = last?.distance ?? 0n;
  }

  /** Rows parsed so far. */
  get rows(): number {
    return this.#rows;
  }

  /**
   * Parses complete rows.
   *
   * @param bytes Ends with a line feed, unless it is empty; not changed.
   * @param more True if more bytes may come: a row at the end whose quoted cell goes on is then
   *   left, see {@linkcode TableParser.used}.
   * @returns The points of each value column, in the order of the rows. Columns of rows that all have
   *   a value in each share one array of times.
   * @throws {CsvError} If something is wrong with a row.
   */
  parse(bytes: Uint8Array, more = false): RawColumns[] {
    if (bytes.length > 0 && bytes[bytes.length - 1] !== LF) {
      throw invalidType("Cannot parse table: the last row does not end with a line feed");
    }
    this.#columns.expect(probableLines(bytes));
    let size = PIECE_BYTES;
    this.#used = 0;
    for (let at = 0; at < bytes.length;) {
      const end = bytes.subarray(0, Math.min(at + size, bytes.length)).lastIndexOf(LF) + 1;
      const to = end > at ? end : bytes.indexOf(LF, at) + 1;
      const last = to === bytes.length;
      const taken = this.#piece(bytes.subarray(at, to), !last || more);
      at += taken;
      this.#used = at;
      if (at < to && last) break;
      size = at < to ? 2 * size : PIECE_BYTES;
    }
    return this.#columns.take();
  }

  /** Bytes taken; fewer than all only where a quoted cell goes on behind them. */
  #piece(piece: Uint8Array, more: boolean): number {
    const layout = layOut(piece.length, this.#roles.length, this.#width);
    const memory = extendedArena(layout.size + this.#extras.length);
    const { base, exports } = memory;
    const pattern = base + layout.size;
    memory.u8.set(piece, base);
    memory.u8.set(this.#roles, base + layout.roles);
    memory.u8.set(this.#extras, pattern);
    exports.tableCells(
      this.#delimiter,
      this.#decimal,
      this.#timeKind,
      pattern,
      this.#pattern.length,
    );
    exports.setTimeOffset(this.#offset);
    this.#setRules(exports, pattern);
    for (let at = base, end = base + piece.length; at < end;) {
      at = this.#rowsFrom(memory, layout, at, end);
      const code = exports.tableErrorCode();
      if (code === INCOMPLETE && more) return at - base;
      if (code !== 0) this.#fail(memory, piece);
    }
    return piece.length;
  }

  #setRules(exports: ExtendedArena["exports"], extras: number): void {
    const { blanks, comment, thousands, skipBadRows, skipBadCells, clockChanges } = this.#options;
    const { words, zones, changes } = this.#extraAt;
    exports.tableRules(
      blanks === true,
      comment?.charCodeAt(0) ?? 0,
      thousands?.charCodeAt(0) ?? 0,
      skipBadRows === true,
      skipBadCells === true,
      extras + words,
      this.#parts,
    );
    const { base = 0n, rate } = this.#options;
    exports.tableTimeBase(
      base,
      rate?.rows ?? 0n,
      rate?.seconds ?? 1n,
      rate?.fromBase === true,
    );
    const { first, last } = this.#options.limits ?? ALL_TIMES;
    exports.tableTimeLimits(first, last);
    exports.setTimeWords(extras + zones, this.#delimiter !== COMMA);
    exports.setTimeZone(extras + changes, (clockChanges?.length ?? 0) >> 1);
  }

  /** One call of the kernel; where it stopped. */
  #rowsFrom(memory: ExtendedArena, layout: Layout, at: number, end: number): number {
    const { base, exports } = memory;
    const counts = base + layout.counts;
    memory.u8.fill(0, counts, counts + 4 * this.#width);
    exports.tableTimes(this.#nextTime, this.#step);
    exports.setTimeBefore(this.#before, this.#distance);
    const next = exports.parseTable(
      at,
      end,
      base + layout.roles,
      this.#roles.length,
      base + layout.out,
      layout.stride,
      counts,
      base + layout.scratch,
      layout.capacity,
    );
    const rows = exports.tableRows();
    this.#rows += rows;
    this.#badRows += exports.tableBadRows();
    this.#badCells += exports.tableBadCells();
    this.#before = exports.timeBefore();
    this.#distance = exports.timeDistance();
    const unsure = exports.timesUnsure();
    if (unsure > 0) this.#firstUnsure ??= this.lines + exports.tableUnsureLine();
    this.#unsure += unsure;
    const cut = exports.timesCut();
    if (cut > 0) this.#firstCut ??= this.lines + exports.tableCutLine();
    this.#cut += cut;
    const rounded = exports.tableRounded();
    if (rounded > 0) this.#firstRounded ??= this.lines + exports.tableRoundedLine();
    this.#rounded += rounded;
    this.lines += exports.tableLines();
    this.#nextTime += this.#step * BigInt(rows);
    this.#append(memory, layout, rows);
    return next;
  }

  /** Takes the points that the kernel has left. */
  #append({ base, exports, u32, i64, f64 }: ExtendedArena, layout: Layout, rows: number): void {
    const { counts, out, stride } = layout;
    const times = (c: number, n: number) => {
      const at = (base + out + c * stride) >> 3;
      return i64.subarray(at, at + n);
    };
    const values = (c: number, n: number) => {
      const at = (base + out + c * stride + (stride >> 1)) >> 3;
      return f64.subarray(at, at + n);
    };
    if (exports.tableIsFull()) {
      if (this.#width > 0) this.#columns.appendRows(times(0, rows), (c) => values(c, rows));
      return;
    }
    for (let c = 0; c < this.#width; c++) {
      const n = u32[((base + counts) >> 2) + c]!;
      if (n > 0) this.#columns.append(c, times(c, n), values(c, n));
    }
  }

  #fail(memory: ExtendedArena, piece: Uint8Array): never {
    const { exports, base } = memory;
    throw tableError(exports.tableErrorCode(), {
      line: this.lines + 1,
      column: exports.tableErrorColumn(),
      names: this.#names,
      columns: this.#roles.length,
      bytes: piece,
      at: exports.tableErrorAt() - base,
      delimiter: this.#delimiter,
      limits: this.#options.limits ?? ALL_TIMES,
    });
  }
}

const ROLES: Readonly<Record<ColumnRole, number>> = { skip: 0, time: 1, value: 2, spare: 3 };
/** The role of the first part of a time. */
const PART = 8;
/** Most parts of a time. */
const MAX_PARTS = 4;
const INCOMPLETE = 9;
const COMMA = 44;
const ALL_TIMES = { first: -(1n << 63n), last: (1n << 63n) - 1n };
/** No row was before. */
const NO_TIME = -(1n << 63n);

/** Tells whether a cell is one of the words for no value, or empty. */
export function isNullWord(cell: string, more: readonly string[] = []): boolean {
  const text = cell.trim().toLowerCase();
  return text === "" || NULLS.includes(text) || more.some((word) => word.toLowerCase() === text);
}

/** Tables for the kernel, one after the other. */
function extrasOf(
  pattern: Uint8Array,
  { nulls = [], zoneNames = { UTC: 0n }, clockChanges = new BigInt64Array(0) }: TableOptions,
): { bytes: Uint8Array; words: number; zones: number; changes: number } {
  const encoder = new TextEncoder();
  const bytes: number[] = [...pattern];
  const words = bytes.length;
  for (const word of [...NULLS, ...nulls]) {
    // The kernel lowers ASCII letters alone.
    const text = encoder.encode(word.replace(/[A-Z]/g, (c) => c.toLowerCase()));
    if (text.length === 0 || text.length > 255) continue;
    bytes.push(text.length, ...text);
  }
  bytes.push(0);
  const zones = bytes.length;
  for (const [name, ahead] of Object.entries(zoneNames)) {
    const text = encoder.encode(name.toUpperCase());
    bytes.push(text.length, ...text, ...new Uint8Array(BigInt64Array.of(ahead).buffer));
  }
  bytes.push(0);
  const changes = bytes.length;
  const all = new Uint8Array(bytes.length + clockChanges.byteLength);
  all.set(bytes);
  all.set(new Uint8Array(clockChanges.slice().buffer), bytes.length);
  return { bytes: all, words, zones, changes };
}

function checkColumns(columns: readonly ColumnRole[], implicit: boolean): void {
  if (!Array.isArray(columns)) {
    throw invalidType(
      `Cannot parse table: columns is ${describe(columns)}, expected an array`,
    );
  }
  if (columns.length < 1 || columns.length > MAX_COLUMNS) {
    throw invalidType(
      `Cannot parse table: it has ${columns.length} columns, expected 1 to ${MAX_COLUMNS}`,
    );
  }
  const times = columns.filter((role) => role === "time").length;
  if (implicit ? times !== 0 : times < 1 || times > MAX_PARTS) {
    const expected = implicit ? "0" : `1 to ${MAX_PARTS}`;
    throw invalidType(`Cannot parse table: ${times} columns are times, expected ${expected}`);
  }
}

/** The kind of a form of times, and its pattern with directives above 127. */
function timeForm(format: string): { kind: number; pattern: Uint8Array } {
  const unit = UNITS[format] ?? OTHERS[format];
  if (unit !== undefined) return { kind: unit, pattern: new Uint8Array(0) };
  if (format === "rfc3339") return { kind: CALENDAR, pattern: new Uint8Array(0) };
  const bytes: number[] = [];
  for (let i = 0; i < format.length; i++) {
    const letter = format[i + 1] ?? "";
    const directive = letter !== "" && DIRECTIVES.includes(letter);
    if (format[i] !== "%") {
      bytes.push(format.charCodeAt(i));
      continue;
    }
    if (!directive && letter !== "%") throw badFormat(format);
    bytes.push(directive ? letter.charCodeAt(0) + 128 : 37);
    i++;
  }
  if (!bytes.some((byte) => byte > 127) || bytes.length > 64) throw badFormat(format);
  return { kind: PATTERN, pattern: Uint8Array.from(bytes) };
}

function badFormat(format: string): TypeError {
  return invalidType(
    `Cannot parse table: timeFormat is ${
      JSON.stringify(format)
    }, expected ns, us, ms, s, rfc3339 or a ` +
      `pattern of %${[...DIRECTIVES].join(" %")}`,
  );
}

/** Number of lines, of many bytes as it is at their beginning, and some more. */
function probableLines(bytes: Uint8Array): number {
  const sample = bytes.subarray(0, SAMPLE_BYTES);
  const lines = countLines(sample);
  if (sample.length === bytes.length) return lines;
  return Math.ceil((lines + 1) * (bytes.length / sample.length) * 1.02);
}

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) lines++;
  return lines;
}

interface Layout {
  roles: number;
  counts: number;
  scratch: number;
  out: number;
  stride: number;
  capacity: number;
  size: number;
}

/** Offsets in the arena: input, roles, counts, scratch, columns. */
function layOut(bytes: number, columns: number, values: number): Layout {
  const align = (n: number): number => (n + 63) & ~63;
  const capacity = Math.max(64, Math.min(16_384, Math.floor(OUTPUT_BYTES / (16 * (values + 1)))));
  const stride = 16 * capacity + 640;
  const roles = align(bytes + SLACK);
  const counts = roles + align(columns);
  const scratch = counts + align(4 * values);
  const out = scratch + align(4 * values);
  return { roles, counts, scratch, out, stride, capacity, size: out + values * stride };
}
