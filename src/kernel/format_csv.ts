/**
 * Columns as BTrDB's CSV in one call.
 *
 * @module
 */

import { concatBytes } from "../core/bytes.ts";
import { describe } from "../core/describe.ts";
import type { RawColumns, StatColumns } from "../core/columns.ts";
import { checkObject } from "../core/check_object.ts";
import { isRaw } from "./arguments.ts";
import { type CsvKind, csvLine, csvNames, type CsvNumbers } from "./csv_text.ts";
import { CsvWriter } from "./csv_writer.ts";
import { invalidType, outOfRange } from "../core/argument_error.ts";

/** One stream of a CSV. */
export interface CsvStream {
  /** Name of its column, or what the names of its four columns begin with. */
  label: string;
  /** Its points or windows, in order of time. */
  columns: RawColumns | StatColumns;
}

/** Options of {@linkcode formatCsv}. */
export interface FormatCsvOptions {
  /**
   * `"shortest"`: the shortest text that reads back to the same double, as `String(x)` gives it,
   * and `-0` for −0. `"fixed6"`: C's `%f`, what a BTrDB server writes.
   *
   * @default {"shortest"}
   */
  numbers?: CsvNumbers;
  /**
   * Decimals of the seconds in the human-readable column: 0 as a BTrDB server writes it, or 9.
   *
   * @default {0}
   */
  timeDigits?: 0 | 9;
  /**
   * True to begin with the names of the columns.
   *
   * @default {true}
   */
  header?: boolean;
}

/**
 * Writes streams as one CSV in BTrDB's format: `Timestamp (ns)`, `Human-Readable Time (UTC)`, then
 * a column a stream of raw points or four a stream of windows. Rows are merged as
 * {@linkcode mergeTimes} does it; where a stream has no point its cells are empty.
 *
 * @param streams All of raw points or all of windows.
 * @param options Numbers, digits, header.
 * @returns UTF-8, lines ended by LF, labels quoted as in RFC 4180.
 * @throws {TypeError} If columns are of the wrong type or raw points and windows are mixed.
 * @throws {RangeError} If columns differ in length or an option is out of range.
 *
 * @example Two streams
 * ```ts
 * import { formatCsv } from "@btrdb/btrdb/kernel";
 * import { assertEquals } from "@std/assert";
 *
 * const a = { times: BigInt64Array.of(0n, 1n), values: Float64Array.of(0.5, 1) };
 * const b = { times: BigInt64Array.of(1n), values: Float64Array.of(-2) };
 * const csv = formatCsv([{ label: "a", columns: a }, { label: "b", columns: b }]);
 * assertEquals(
 *   new TextDecoder().decode(csv),
 *   "Timestamp (ns),Human-Readable Time (UTC),a,b\n" +
 *     "0,1970-01-01T00:00:00Z,0.5,\n" +
 *     "1,1970-01-01T00:00:00Z,1,-2\n",
 * );
 * ```
 */
export function formatCsv(
  streams: readonly CsvStream[],
  options: FormatCsvOptions = {},
): Uint8Array<ArrayBuffer> {
  checkObject("format CSV", "options", options);
  const { numbers = "shortest", timeDigits = 0, header = true } = options;
  checkCsvOptions("format CSV", numbers, timeDigits);
  const kind = kindOf(streams);
  const writer = new CsvWriter({ kind, streams: streams.length, numbers, timeDigits });
  streams.forEach(({ columns }, s) => {
    writer.push(s, columns);
    writer.close(s);
  });
  const pieces: Uint8Array[] = [];
  if (header) {
    const names = csvNames(kind, streams.map(({ label }) => label));
    pieces.push(new TextEncoder().encode(csvLine(names)));
  }
  for (let piece = writer.next(); piece !== undefined; piece = writer.next()) pieces.push(piece);
  return concatBytes(pieces);
}

/**
 * Checks the options that every CSV writer takes.
 *
 * @throws {RangeError} If one is out of range.
 */
export function checkCsvOptions(action: string, numbers: unknown, timeDigits: unknown): void {
  if (numbers !== "shortest" && numbers !== "fixed6") {
    throw outOfRange(
      `Cannot ${action}: numbers is ${JSON.stringify(numbers)}, expected "shortest" or "fixed6"`,
    );
  }
  if (timeDigits !== 0 && timeDigits !== 9) {
    throw outOfRange(
      `Cannot ${action}: timeDigits is ${JSON.stringify(timeDigits)}, expected 0 or 9`,
    );
  }
}

function kindOf(streams: readonly CsvStream[]): CsvKind {
  if (!Array.isArray(streams)) {
    throw invalidType(`Cannot format CSV: streams is ${describe(streams)}, expected an array`);
  }
  let kind: CsvKind | undefined;
  for (const stream of streams as readonly CsvStream[]) {
    checkObject("format CSV", "a stream", stream);
    const { label, columns } = stream;
    if (typeof label !== "string") {
      throw invalidType(`Cannot format CSV: label is ${describe(label)}, expected a string`);
    }
    checkObject("format CSV", "columns", columns);
    const own = isRaw(columns) ? "raw" : "windows";
    if (kind !== undefined && kind !== own) {
      throw invalidType(
        "Cannot format CSV: raw points and windows are mixed, expected streams of one kind",
      );
    }
    kind = own;
  }
  return kind ?? "raw";
}
