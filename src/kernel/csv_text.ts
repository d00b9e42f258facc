/**
 * The words of BTrDB's CSV (docs/protocol.md, "CSV"): names of the columns and quoting.
 *
 * @module
 */

/** Names of the first two columns. */
export const TIME_NAMES = ["Timestamp (ns)", "Human-Readable Time (UTC)"] as const;

/** Endings of the names of the four columns of a stream of windows. */
export const WINDOW_SUFFIXES = [" (Min)", " (Mean)", " (Max)", " (Count)"] as const;

/** Cells that a stream gives to each row: one value, or four statistics. */
export type CsvKind = "raw" | "windows";

/** Format of doubles. */
export type CsvNumbers = "shortest" | "fixed6";

/**
 * The names of all columns.
 *
 * @param kind True if streams have one column or four.
 * @param labels One for each stream.
 */
export function csvNames(kind: CsvKind, labels: readonly string[]): string[] {
  return [...eachCsvName(kind, labels)];
}

/** The same, each made when it is asked for. */
export function* eachCsvName(kind: CsvKind, labels: Iterable<string>): Generator<string, void> {
  yield* TIME_NAMES;
  for (const label of labels) {
    if (kind === "raw") yield label;
    else for (const suffix of WINDOW_SUFFIXES) yield label + suffix;
  }
}

/** Cells as one line with its line feed, quoted where RFC 4180 wants it. */
export function csvLine(cells: readonly string[]): string {
  return cells.map(quoteCell).join(",") + "\n";
}

/** A cell, in quotes if it contains a comma, a quote or a line break. */
function quoteCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
