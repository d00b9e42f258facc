/**
 * Times of the rows of columnar files.
 *
 * @module
 */

import { LAST_TIME, STORABLE_TIMES } from "../../core/range.ts";
import type { ColumnarField, ColumnarValues } from "../../io/columnar_file.ts";
import { formatTime } from "../../core/time.ts";
import { findBadTime } from "../../kernel/find_bad_point.ts";
import { CsvError, TableParser } from "../../kernel/mod.ts";
import { ImportError } from "../errors.ts";
import { clockChanges, fixedOffset } from "../../core/clock_changes.ts";
import { zoneNames } from "../text/zone_names.ts";

const NS_PER_SECOND = 1_000_000_000n;

/** Most characters of a text that is a time. */
const MAX_CELL = 256;

/** Columns of the times and their meaning; plain data, because a record of interrupted work keeps it. */
export interface TimeLayout {
  /** Names of the columns: one, or a date and a time of day. */
  readonly names: readonly string[];
  /** Form of cells that are text or numbers, as `--time-format` takes it. */
  readonly format?: string;
  /** Added to times that are relative, ns. */
  readonly start?: string;
  /** Zone of local times. */
  readonly tz: string;
}

/** Times of some rows; a row without one is not in `rows`. */
export interface RowTimes {
  readonly times: BigInt64Array;
  /** Indices of the rows; absent where each has a time. */
  readonly rows?: Int32Array;
}

/** Converts columns of times to ns since the Unix epoch, UTC. */
export class TimeReader {
  /** Clock times that come twice, where the rows around do not tell which one is meant. */
  unsure = 0;
  /** Times with digits below a nanosecond, which were cut. */
  cut = 0;
  /** Leap seconds, which got the time of the second after them. */
  leaps = 0;
  readonly #layout: TimeLayout;
  readonly #fields: readonly ColumnarField[];
  readonly #parser: TableParser | undefined;
  readonly #skip: boolean;

  /**
   * Makes a reader.
   *
   * @param layout Columns and their meaning.
   * @param fields Of those columns.
   * @param skip True to leave out rows without a time.
   */
  constructor(layout: TimeLayout, fields: readonly ColumnarField[], skip: boolean) {
    this.#layout = layout;
    this.#fields = fields;
    this.#skip = skip;
    const isText = layout.format !== undefined && !isPlainUnit(fields, layout.format);
    const offset = fixedOffset(layout.tz);
    const isLocal = layout.start === undefined && offset === undefined &&
      fields.every(({ kind, utc }) => kind !== "number" && utc !== true);
    if (!isText && !isLocal) return;
    this.#parser = new TableParser({
      columns: ["time", "value"],
      delimiter: "\t",
      timeFormat: layout.format ?? "rfc3339",
      limits: STORABLE_TIMES,
      offset: offset ?? 0n,
      zoneNames: zoneNames(layout.tz),
      ...(offset === undefined ? { clockChanges: clockChanges(layout.tz) } : {}),
      ...(layout.start === undefined ? {} : { base: BigInt(layout.start) }),
    });
  }

  /**
   * The times of some rows.
   *
   * @param columns Values of the columns of times.
   * @param rowStart Number of the first row, from 0.
   * @throws {ImportError} If a row has no time.
   */
  read(columns: readonly ColumnarValues[], rowStart: number): RowTimes {
    const length = columns[0]!.length;
    let rows: Int32Array | undefined;
    for (let i = 0, n = 0; i < length; i++) {
      const missing = columns.some((values) => values[i] === null || Number.isNaN(values[i]));
      if (missing && !this.#skip) {
        throw new ImportError(`Cannot import: row ${rowStart + i + 1} has no time`, {
          hint: "--bad-rows skip leaves such rows out",
        });
      }
      if (missing) rows ??= Int32Array.from({ length }, (_, k) => k);
      else if (rows !== undefined) rows[n] = i;
      if (!missing) n++;
      if (i === length - 1 && rows !== undefined) rows = rows.slice(0, n);
    }
    const index = (k: number): number => rows === undefined ? k : rows[k]!;
    const count = rows?.length ?? length;
    const times = this.#parser === undefined
      ? this.#added(columns, index, count, rowStart)
      : this.#parsed(columns, index, count, rowStart);
    return rows === undefined ? { times } : { times, rows };
  }

  /** Times that are sums of numbers of a unit. */
  #added(
    columns: readonly ColumnarValues[],
    index: (k: number) => number,
    count: number,
    rowStart: number,
  ): BigInt64Array {
    const { format, start, tz } = this.#layout;
    const isUtc = this.#fields.some(({ utc, kind }) => utc === true || kind === "number");
    const base = start !== undefined ? BigInt(start) : isUtc ? 0n : -fixedOffset(tz)!;
    const units = this.#fields.map(({ unit }) => unit ?? UNITS[format!]!);
    const [first] = columns;
    const asIs = columns.length === 1 && base === 0n && units[0] === 1n &&
      first instanceof BigInt64Array && count === first.length;
    if (asIs) {
      const bad = findBadTime(first, STORABLE_TIMES.first, LAST_TIME);
      if (bad >= 0) throw outside(rowStart + index(bad), this.#layout.names, first[bad]!);
      return first.slice();
    }
    const times = new BigInt64Array(count);
    for (let k = 0; k < count; k++) {
      const i = index(k);
      let ns = base;
      for (let c = 0; c < columns.length; c++) ns += (columns[c]![i] as bigint) * units[c]!;
      if (ns < STORABLE_TIMES.first || ns > STORABLE_TIMES.last) {
        throw outside(rowStart + i, this.#layout.names, ns);
      }
      times[k] = ns;
    }
    return times;
  }

  /** Times that are text, numbers with digits after the point, or of a place that changes its clocks. */
  #parsed(
    columns: readonly ColumnarValues[],
    index: (k: number) => number,
    count: number,
    rowStart: number,
  ): BigInt64Array {
    const lines: string[] = [];
    const isText = this.#layout.format !== undefined;
    for (let k = 0; k < count; k++) {
      const i = index(k);
      if (isText) lines.push(`${cellOf(columns, i)}\t0\n`);
      else {
        let ns = 0n;
        for (let c = 0; c < columns.length; c++) {
          ns += (columns[c]![i] as bigint) * this.#fields[c]!.unit!;
        }
        lines.push(`${clockText(ns)}\t0\n`);
      }
    }
    const parser = this.#parser!;
    parser.lines = 0;
    try {
      const { times } = parser.parse(new TextEncoder().encode(lines.join("")))[0]!;
      this.unsure = parser.unsureTimes;
      this.cut = parser.cutTimes;
      this.leaps = parser.leapSeconds;
      return times;
    } catch (error) {
      if (!(error instanceof CsvError)) throw error;
      const row = rowStart + index((error.line ?? 1) - 1) + 1;
      const names = this.#layout.names.join(" and ");
      const what = error.message.replace(/^.*?column 1: /, "");
      throw new ImportError(`Cannot import: row ${row}, column ${names}: ${what}`, {
        cause: error,
      });
    }
  }
}

/** A time that no point may have. */
function outside(row: number, names: readonly string[], ns: bigint): ImportError {
  const fits = ns === BigInt.asIntN(64, ns);
  const shown = fits ? formatTime(ns) : `${ns} ns`;
  return new ImportError(
    `Cannot import: row ${row + 1}, column ${names.join(" and ")}: ${shown} is not within ` +
      `${formatTime(STORABLE_TIMES.first)} to ${formatTime(STORABLE_TIMES.last)}`,
  );
}

/** ns of the units of numbers that are times. */
const UNITS: Readonly<Record<string, bigint>> = {
  s: NS_PER_SECOND,
  ms: 1_000_000n,
  us: 1000n,
  ns: 1n,
};

/** Tells whether times are whole numbers of a unit. */
function isPlainUnit(fields: readonly ColumnarField[], format: string | undefined): boolean {
  return format !== undefined && Object.hasOwn(UNITS, format) && fields.length === 1 &&
    fields[0]!.whole === true;
}

/** A cell as text, several joined with blanks; a line end in it makes it no time, and so does more. */
function cellOf(columns: readonly ColumnarValues[], i: number): string {
  return columns.map((values) => {
    const text = String(values[i]);
    const cell = text.length > MAX_CELL ? `${text.slice(0, MAX_CELL)}…` : text;
    return cell.replace(/[\t\r\n]/g, " ");
  }).join(" ");
}

/** Local date and time, as text, for a number of ns since 1970 on a local clock. */
function clockText(ns: bigint): string {
  const seconds = ns / NS_PER_SECOND - (ns % NS_PER_SECOND < 0n ? 1n : 0n);
  const rest = ns - seconds * NS_PER_SECOND;
  const ms = Number(seconds) * 1000;
  if (Math.abs(ms) > 8.64e15) return String(ns);
  return `${new Date(ms).toISOString().slice(0, 19)}.${String(rest).padStart(9, "0")}`;
}
