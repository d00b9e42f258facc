/**
 * Tables of numbers as text to columns: any delimiter, any column, any form of time.
 *
 * @module
 */

import { invalidType } from "../core/argument_error.ts";
import type { RawColumns } from "../core/columns.ts";
import { checkObject } from "../core/check_object.ts";
import { type ExtendedArena, extendedArena } from "./extended_arena.ts";
import { TableColumns } from "./table_columns.ts";
import { TableCounts } from "./table_counts.ts";
import { tableError } from "./table_error.ts";
import { layOutTable, type TableLayout } from "./table_layout.ts";
import type { TableOptions } from "./table_options.ts";
import { TableSettings } from "./table_settings.ts";

const LF = 10;
/** Bytes parsed in one go. */
const PIECE_BYTES = 256 << 10;
/** Bytes whose lines are counted to know about how many there are. */
const SAMPLE_BYTES = 64 << 10;
/** The code of a quoted cell that goes on behind the bytes. */
const INCOMPLETE = 9;
/** No row was before. */
const NO_TIME = -(1n << 63n);

/**
 * Parses the rows of tables of numbers, e.g. CSV of any origin.
 *
 * Cells may be quoted and padded with blanks. An empty cell and words such as `NaN`, `N/A`, `null`,
 * `Bad`, `?` and `-` ({@linkcode isNullWord}) are no point; any other cell that is no finite number
 * is an error that says line and column. Nothing is sorted and nothing is dropped.
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
  readonly #settings: TableSettings;
  readonly #names: readonly string[];
  readonly #step: bigint;
  readonly #columns: TableColumns;
  readonly #counts = new TableCounts();
  #nextTime: bigint;
  #used = 0;
  #before = NO_TIME;
  #distance = 0n;
  /** The place before the next row, where rows have no times: see `wasm/table_time.ts`. */
  #place = 0;

  /**
   * Makes a parser.
   *
   * @param options Layout of the table.
   * @throws {TypeError} If the options do not describe a table.
   */
  constructor(options: TableOptions) {
    checkObject("parse table", "options", options);
    this.#settings = new TableSettings(options);
    this.#names = options.names ?? [];
    this.#nextTime = options.times?.first ?? 0n;
    this.#step = options.times?.step ?? 0n;
    this.#columns = new TableColumns(this.#settings.width);
  }

  /** Lines before the next row; may be set, where rows begin within a file. */
  get lines(): number {
    return this.#counts.lines;
  }

  set lines(lines: number) {
    this.#counts.lines = lines;
  }

  /** Rows left out so far. */
  get badRows(): number {
    return this.#counts.badRows;
  }

  /** Cells left out so far. */
  get badCells(): number {
    return this.#counts.badCells;
  }

  /** Clock times so far that come twice, where the rows around do not tell which one is meant. */
  get unsureTimes(): number {
    return this.#counts.unsureTimes;
  }

  /** Line of the first clock time that comes twice, from 1. */
  get firstUnsureLine(): number | undefined {
    return this.#counts.firstUnsureLine;
  }

  /** Times so far with digits below a nanosecond, which were cut. */
  get cutTimes(): number {
    return this.#counts.cutTimes;
  }

  /** Line of the first time that was cut, from 1. */
  get firstCutLine(): number | undefined {
    return this.#counts.firstCutLine;
  }

  /** Leap seconds so far, which got the time of the second after them. */
  get leapSeconds(): number {
    return this.#counts.leapSeconds;
  }

  /** Line of the first leap second, from 1. */
  get firstLeapLine(): number | undefined {
    return this.#counts.firstLeapLine;
  }

  /** Cells so far with a whole number that no double holds, which was rounded to the nearest one. */
  get roundedNumbers(): number {
    return this.#counts.roundedNumbers;
  }

  /** Line of the first number that was rounded, from 1. */
  get firstRoundedLine(): number | undefined {
    return this.#counts.firstRoundedLine;
  }

  /** Times so far that the rate moved by more than a quarter of the time between two rows. */
  get farTimes(): number {
    return this.#counts.farTimes;
  }

  /** Line of the first time that was moved so far, from 1. */
  get firstFarLine(): number | undefined {
    return this.#counts.firstFarLine;
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
    return this.#counts.rows;
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
    const columns = this.#columns.take();
    const { absent } = this.#settings;
    return absent.length === 0 ? columns : columns.map((column) => withoutValues(column, absent));
  }

  /** Bytes taken; fewer than all only where a quoted cell goes on behind them. */
  #piece(piece: Uint8Array, more: boolean): number {
    const { roles, tables, width } = this.#settings;
    const layout = layOutTable(piece.length, roles.length, width);
    const memory = extendedArena(layout.size + tables.length);
    const { base, exports } = memory;
    memory.u8.set(piece, base);
    memory.u8.set(roles, base + layout.roles);
    memory.u8.set(tables, base + layout.size);
    this.#settings.apply(exports, base + layout.size);
    for (let at = base, end = base + piece.length; at < end;) {
      at = this.#rowsFrom(memory, layout, at, end);
      const code = exports.tableErrorCode();
      if (code === INCOMPLETE && more) return at - base;
      if (code !== 0) this.#fail(memory, piece);
    }
    return piece.length;
  }

  /** One call of the kernel; where it stopped. */
  #rowsFrom(memory: ExtendedArena, layout: TableLayout, at: number, end: number): number {
    const { base, exports } = memory;
    const { roles, width } = this.#settings;
    const counts = base + layout.counts;
    memory.u8.fill(0, counts, counts + 4 * width);
    exports.tableTimes(this.#nextTime, this.#step, this.#place);
    exports.setTimeBefore(this.#before, this.#distance);
    const next = exports.parseTable(
      at,
      end,
      base + layout.roles,
      roles.length,
      base + layout.out,
      layout.stride,
      counts,
      base + layout.scratch,
      layout.capacity,
    );
    const rows = exports.tableRows();
    this.#counts.add(exports);
    this.#place = exports.tablePlace();
    this.#before = exports.timeBefore();
    this.#distance = exports.timeDistance();
    this.#nextTime += this.#step * BigInt(rows);
    this.#append(memory, layout, rows);
    return next;
  }

  /** Takes the points that the kernel has left. */
  #append(
    { base, exports, u32, i64, f64 }: ExtendedArena,
    layout: TableLayout,
    rows: number,
  ): void {
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
      if (this.#settings.width > 0) {
        this.#columns.appendRows(times(0, rows), (c) => values(c, rows));
      }
      return;
    }
    for (let c = 0; c < this.#settings.width; c++) {
      const n = u32[((base + counts) >> 2) + c]!;
      if (n > 0) this.#columns.append(c, times(c, n), values(c, n), rows);
    }
  }

  #fail(memory: ExtendedArena, piece: Uint8Array): never {
    const { exports, base } = memory;
    throw tableError(exports.tableErrorCode(), {
      line: this.lines + 1,
      column: exports.tableErrorColumn(),
      names: this.#names,
      columns: this.#settings.roles.length,
      bytes: piece,
      at: exports.tableErrorAt() - base,
      delimiter: this.#settings.delimiter,
      limits: this.#settings.limits,
      timeFormat: this.#settings.timeFormat,
    });
  }
}

/** The points whose value is none of some numbers. */
function withoutValues({ times, values }: RawColumns, absent: readonly number[]): RawColumns {
  const isPoint = (_: unknown, i: number): boolean => !absent.includes(values[i]!);
  return { times: times.filter(isPoint), values: values.filter(isPoint) };
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
