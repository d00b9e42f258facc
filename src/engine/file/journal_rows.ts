/**
 * Rows of the journal, in SQL: the latest ones are the tail, which its index does not have; of those
 * before, the index has all but the spent ones, whose points are in the tree.
 *
 * @module
 */

/** Setting with the number of spent rows; without it there are none. */
export const SPENT_KEY = "journal_spent";

/** Number of the first row of the tail. */
export const TAIL_START = "(SELECT value FROM setting WHERE key = 'journal_tail')";

/** Condition: a row is in the tail. */
export const IN_TAIL: string = `journal.seq >= ${TAIL_START}`;

/** Condition: a row is not spent. */
export const IS_LIVE: string = `(${IN_TAIL} OR EXISTS (SELECT 1 FROM journal_index AS i
  WHERE i.stream = journal.stream AND i.seq = journal.seq))`;
