/**
 * Rows of a table in the order of their keys, read page by page.
 *
 * @module
 */

import { keyPages } from "../file/key_pages.ts";
import type { Row, Statement } from "../file/sqlite.ts";

/** Rows read in one go. */
export const PAGE_ROWS = 256;

/**
 * Rows in the order of their keys, a page after the other, `undefined` between pages.
 *
 * @param end End of the keys, exclusive, where the statements have one.
 */
export function* rowPages(
  first: Statement,
  next: Statement,
  from: Uint8Array,
  ...end: Uint8Array[]
): Generator<Row | undefined> {
  const rows = first.all(from, ...end);
  yield* rows;
  if (rows.length < PAGE_ROWS) return;
  const last = rows.at(-1)!["sort_key"] as Uint8Array;
  for (const page of keyPages((after) => next.all(after, ...end), "sort_key", last)) {
    yield undefined;
    yield* page;
  }
}
