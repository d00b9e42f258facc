/**
 * The delimiter of a table.
 *
 * @module
 */

import { readRecords } from "./records.ts";

/** The candidate that splits the first lines most evenly. */
export function guessDelimiter(text: string, comment: string | undefined): string {
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
