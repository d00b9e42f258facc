/**
 * Inserts whose points the caller gives away before they are stored.
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";

/**
 * Does an insert of `n` points.
 *
 * @throws {TypeError} If their memory is not there any more at its beginning or end, because the caller
 *   transferred it to a thread: what was read of it, if anything, is not all.
 */
export function* whileHeld<T>(
  columns: RawColumns,
  n: number,
  insert: Generator<undefined, T>,
): Generator<undefined, T> {
  try {
    checkHeld(columns, n);
    return yield* insert;
  } finally {
    checkHeld(columns, n);
  }
}

function checkHeld({ times, values }: RawColumns, n: number): void {
  if (times.length === n && values.length === n) return;
  throw new TypeError(
    `Cannot insert: ${times.length} times and ${values.length} values are left of ${n} points, ` +
      "their memory must not be transferred or resized before the insert has ended",
  );
}
