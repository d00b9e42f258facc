/**
 * Inserts whose points the caller gives away before they are stored.
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";
import type { Transaction } from "./transaction.ts";

/**
 * Does an insert of `n` points. Their memory must also be there when its transaction is committed, since
 * subscribers are told of them afterwards; the transaction is undone otherwise.
 *
 * @throws {TypeError} If their memory is not there any more at its beginning or end, because the caller
 *   transferred it to a thread: what was read of it, if anything, is not all.
 */
export function* whileHeld<T>(
  tx: Pick<Transaction, "beforeCommit">,
  columns: RawColumns,
  n: number,
  insert: Generator<undefined, T>,
): Generator<undefined, T> {
  try {
    checkHeld(columns, n);
    const result = yield* insert;
    tx.beforeCommit(() => checkHeld(columns, n));
    return result;
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
