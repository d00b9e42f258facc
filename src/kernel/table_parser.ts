/**
 * Tables of numbers as text to columns: any delimiter, any column, any form of time.
 *
 * @module
 */

import { describe } from "../core/describe.ts";
import type { RawColumns } from "../core/columns.ts";
import { type Arena, arena } from "./arena.ts";
import { checkObject } from "./arguments.ts";
import { GrowingColumns } from "./growing_columns.ts";
import { tableError } from "./table_error.ts";

/** Role of a column of a table. */
export type ColumnRole = "time" | "value" | "skip";

/** Layout of a table. */
export interface TableOptions {
  /** The role of each column; exactly one is `"time"`, unless `times` is given. */
  columns: readonly ColumnRole[];
  /** Names of the columns, for errors. */
  names?: readonly string[];
  /** One byte of ASCII. @default {","} */
  delimiter?: string;
  /** The decimal point of values. @default {"."} */
  decimal?: "." | ",";
  /**
   * The form of times: a decimal number of `"ns"`, `"us"`, `"ms"` or `"s"` since the Unix epoch,
   * `"rfc3339"` (also with a blank for the T, without seconds or zone, or a date alone), or a
   * pattern with the directives `%Y %y %m %b %d %j %H %I %M %S %f %p %z` of strptime.
   *
   * @default {"ns"}
   */
  timeFormat?: string;
  /** Offset from UTC of times without a zone, ns. @default {0n} */
  offset?: bigint;
  /** Rows without times: of the first one, and the distance between two, ns. */
  times?: { first: bigint; step: bigint };
}

const UNITS: Readonly<Record<string, number>> = { ns: 0, us: 3, ms: 6, s: 9 };
const CALENDAR = 10;
const PATTERN = 11;
const IMPLICIT = 12;
const DIRECTIVES = "YymbdjHIMSfpz";

const LF = 10;
/** Bytes parsed in one go. */
const PIECE_BYTES = 256 << 10;
/** Bytes of the columns that one go may fill, unless that is less than 64 rows. */
const OUTPUT_BYTES = 1 << 20;
/** Bytes that the kernel may touch beyond its input. */
const SLACK = 64;
/** Most columns of a table. */
const MAX_COLUMNS = 65_536;

/**
 * Parses the rows of tables of numbers, e.g. CSV of any origin.
 *
 * Cells may be quoted and padded with blanks. An empty cell, `NaN`, `NA`, `null`, `none` and `-`
 * are no point; any other cell that is no finite number is an error that says line and column.
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
  readonly #columns: GrowingColumns[];
  #nextTime: bigint;
  #rows = 0;
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
    if (!/^[\t -~]$/.test(delimiter) || delimiter === decimal || /["\d]/.test(delimiter)) {
      throw new TypeError(
        `Cannot parse table: delimiter is ${
          JSON.stringify(delimiter)
        }, expected one byte of ASCII ` +
          "that is no quote, digit or decimal point",
      );
    }
    this.#roles = Uint8Array.from(columns, (role) => ROLES[role]);
    this.#names = options.names ?? [];
    this.#delimiter = delimiter.charCodeAt(0);
    this.#decimal = decimal.charCodeAt(0);
    const { kind, pattern } = timeForm(options.timeFormat ?? "ns");
    this.#timeKind = times === undefined ? kind : IMPLICIT;
    this.#pattern = pattern;
    this.#offset = offset;
    this.#nextTime = times?.first ?? 0n;
    this.#step = times?.step ?? 0n;
    this.#columns = columns.filter((role) => role === "value").map(() => new GrowingColumns());
  }

  /** Rows parsed so far. */
  get rows(): number {
    return this.#rows;
  }

  /**
   * Parses complete rows.
   *
   * @param bytes Ends with a line feed, unless it is empty; not changed.
   * @returns The points of each value column, in the order of the rows.
   * @throws {CsvError} If something is wrong with a row.
   */
  parse(bytes: Uint8Array): RawColumns[] {
    if (bytes.length > 0 && bytes[bytes.length - 1] !== LF) {
      throw new TypeError("Cannot parse table: the last row does not end with a line feed");
    }
    const rows = countLines(bytes);
    for (const column of this.#columns) column.reserve(rows);
    for (let at = 0; at < bytes.length;) {
      const end = bytes.subarray(0, Math.min(at + PIECE_BYTES, bytes.length)).lastIndexOf(LF) + 1;
      const to = end > at ? end : bytes.indexOf(LF, at) + 1;
      this.#piece(bytes.subarray(at, to));
      at = to;
    }
    return this.#columns.map((column) => column.take());
  }

  #piece(piece: Uint8Array): void {
    const layout = layOut(piece.length, this.#roles.length, this.#columns.length);
    const memory = arena(layout.size + this.#pattern.length);
    const { base, exports } = memory;
    const pattern = base + layout.size;
    memory.u8.set(piece, base);
    memory.u8.set(this.#roles, base + layout.roles);
    memory.u8.set(this.#pattern, pattern);
    exports.tableCells(
      this.#delimiter,
      this.#decimal,
      this.#timeKind,
      pattern,
      this.#pattern.length,
    );
    exports.setTimeOffset(this.#offset);
    for (let at = base, end = base + piece.length; at < end;) {
      at = this.#rowsFrom(memory, layout, at, end);
      if (exports.tableErrorCode() !== 0) this.#fail(memory, piece);
    }
  }

  /** One call of the kernel; where it stopped. */
  #rowsFrom(memory: Arena, layout: Layout, at: number, end: number): number {
    const { base, exports } = memory;
    const counts = base + layout.counts;
    memory.u8.fill(0, counts, counts + 4 * this.#columns.length);
    exports.tableTimes(this.#nextTime, this.#step);
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
    this.lines += exports.tableLines();
    this.#nextTime += this.#step * BigInt(rows);
    this.#columns.forEach((column, c) => {
      const n = memory.u32[(counts >> 2) + c]!;
      const times = (base + layout.out + c * layout.stride) >> 3;
      const values = times + (layout.stride >> 4);
      if (n > 0) {
        column.append(
          memory.i64.subarray(times, times + n),
          memory.f64.subarray(values, values + n),
        );
      }
    });
    return next;
  }

  #fail(memory: Arena, piece: Uint8Array): never {
    const { exports, base } = memory;
    throw tableError(exports.tableErrorCode(), {
      line: this.lines + 1,
      column: exports.tableErrorColumn(),
      names: this.#names,
      columns: this.#roles.length,
      bytes: piece,
      at: exports.tableErrorAt() - base,
      delimiter: this.#delimiter,
    });
  }
}

const ROLES: Readonly<Record<ColumnRole, number>> = { skip: 0, time: 1, value: 2 };

function checkColumns(columns: readonly ColumnRole[], implicit: boolean): void {
  if (!Array.isArray(columns)) {
    throw new TypeError(
      `Cannot parse table: columns is ${describe(columns)}, expected an array`,
    );
  }
  if (columns.length < 1 || columns.length > MAX_COLUMNS) {
    throw new TypeError(
      `Cannot parse table: it has ${columns.length} columns, expected 1 to ${MAX_COLUMNS}`,
    );
  }
  const times = columns.filter((role) => role === "time").length;
  const expected = implicit ? 0 : 1;
  if (times !== expected) {
    throw new TypeError(`Cannot parse table: ${times} columns are times, expected ${expected}`);
  }
}

/** The kind of a form of times, and its pattern with directives above 127. */
function timeForm(format: string): { kind: number; pattern: Uint8Array } {
  const unit = UNITS[format];
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
  return new TypeError(
    `Cannot parse table: timeFormat is ${
      JSON.stringify(format)
    }, expected ns, us, ms, s, rfc3339 or a ` +
      `pattern of %${[...DIRECTIVES].join(" %")}`,
  );
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
