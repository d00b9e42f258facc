/**
 * BTrDB's CSV back to columns: all at once, or as a stream.
 *
 * @module
 */

import { invalidType } from "../core/argument_error.ts";
import { describe } from "../core/describe.ts";
import { isIterable } from "../core/is_iterable.ts";
import type { RawColumns } from "../core/columns.ts";
import { CsvParser } from "./csv_parser.ts";

/** One column of a parsed CSV. */
export interface CsvColumn extends RawColumns {
  /** Its name, as it stands in the header. */
  label: string;
}

/**
 * Parses a CSV in BTrDB's own export format: `Timestamp (ns),Human-Readable Time (UTC),label…`.
 *
 * An empty cell is no point. Rows may be in any order and are kept in it, duplicates included. The
 * human-readable column is not looked at. Cells may be quoted (RFC 4180), lines end with LF or CRLF,
 * the last one with or without it; a byte order mark is skipped. {@linkcode CsvParser} does the
 * same for files that do not fit into memory.
 *
 * @param csv The whole file, UTF-8 if bytes.
 * @returns One set of columns for each label.
 * @throws {CsvError} If anything is not as described; the message says line and column.
 *
 * @example Points of one stream
 * ```ts
 * import { parseCsv } from "@btrdb/btrdb/kernel";
 * import { assertEquals } from "@std/assert";
 *
 * const [a] = parseCsv("Timestamp (ns),Human-Readable Time (UTC),a\n5,1970-01-01T00:00:00Z,0.25\n");
 * assertEquals(a, { label: "a", times: BigInt64Array.of(5n), values: Float64Array.of(0.25) });
 * ```
 */
export function parseCsv(csv: string | Uint8Array): CsvColumn[] {
  const parser = new CsvParser();
  const first = parser.push(typeof csv === "string" ? new TextEncoder().encode(csv) : csv);
  const rest = parser.finish();
  return parser.labels!.map((label, c) => {
    const tail = rest[c]!;
    const columns = first[c] ?? tail;
    if (first[c] === undefined || tail.times.length === 0) return { label, ...columns };
    return { label, ...append(columns, tail) };
  });
}

/**
 * Parses a CSV in BTrDB's own export format while it arrives, in memory that does not grow with it.
 *
 * @param source Bytes in pieces of any size, e.g. a file's `readable`.
 * @returns Batches: for each label the points of the rows that a piece completed.
 * @throws {CsvError} As {@linkcode parseCsv}.
 *
 * @example A file in two pieces
 * ```ts
 * import { parseCsvStream } from "@btrdb/btrdb/kernel";
 * import { assertEquals } from "@std/assert";
 *
 * const file = new Blob(["Timestamp (ns),Human-Readable Time (UTC),a\n", "5,,0.25\n6,,1\n"]);
 * let points = 0;
 * for await (const [a] of parseCsvStream(file.stream())) points += a!.times.length;
 * assertEquals(points, 2);
 * ```
 */
export async function* parseCsvStream(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<CsvColumn[], void, void> {
  if (!isIterable(source)) {
    throw invalidType(
      `Cannot parse CSV: source is ${describe(source)}, expected an iterable of Uint8Arrays`,
    );
  }
  const parser = new CsvParser();
  const batch = (columns: RawColumns[]): CsvColumn[] =>
    columns.map((column, c) => ({ label: parser.labels![c]!, ...column }));
  for await (const bytes of source) {
    const columns = parser.push(bytes);
    if (columns.some(({ times }) => times.length > 0)) yield batch(columns);
  }
  const columns = parser.finish();
  if (columns.some(({ times }) => times.length > 0)) yield batch(columns);
}

function append(a: RawColumns, b: RawColumns): RawColumns {
  const times = new BigInt64Array(a.times.length + b.times.length);
  const values = new Float64Array(times.length);
  times.set(a.times);
  times.set(b.times, a.times.length);
  values.set(a.values);
  values.set(b.values, a.values.length);
  return { times, values };
}
