/**
 * Reading tables in the order of a key, a page at a time.
 *
 * @module
 */

import { compareBytes } from "../../core/bytes.ts";
import { damaged } from "./checksum.ts";
import type { Row } from "./sqlite.ts";

/** A key of rows: a number, or bytes. */
type Key = number | Uint8Array;

/**
 * Pages of rows.
 *
 * @param read Reads the first rows behind a key.
 * @param key Column of the key.
 * @param after Key before the first row.
 * @throws {BTrDBError} `CORRUPT` if a page does not end behind the one before it, as in a damaged file,
 *   which would never end.
 */
export function* keyPages<K extends Key>(
  read: (after: K) => Row[],
  key: string,
  after: K,
): Generator<Row[], void, void> {
  for (let rows = read(after); rows.length > 0; rows = read(after)) {
    const last = rows.at(-1)![key] as K;
    if (!isBehind(last, after)) throw damaged(`rows are not in the order of ${key}`);
    after = last;
    yield rows;
  }
}

/** Compares keys, which may be anything in a damaged file. */
function isBehind(key: unknown, before: Key): boolean {
  if (typeof before === "number") return typeof key === "number" && key > before;
  return key instanceof Uint8Array && compareBytes(key, before) > 0;
}
