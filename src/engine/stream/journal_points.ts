/**
 * The points of a journal row.
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";
import { LAST_TIME, MIN_TIME } from "../../core/range.ts";
import { decodeBlock } from "../../kernel/decode_block.ts";
import { findBadPoint } from "../../kernel/find_bad_point.ts";
import { BUFFER_POINTS } from "../constants.ts";

/**
 * Decodes the points of a journal row, in the order of their arrival.
 *
 * @param data Content of the row, whose checksum fits.
 * @throws {RangeError} If it is no block, or has points that no insert can have brought.
 */
export function journalPoints(data: Uint8Array): RawColumns {
  const points = decodeBlock(data, 0, BUFFER_POINTS - 1);
  const bad = findBadPoint(points, MIN_TIME, LAST_TIME);
  if (bad === undefined) return points;
  const what = bad.reason === "time" ? points.times[bad.index] : points.values[bad.index];
  throw new RangeError(
    `Cannot use point ${bad.index} of a journal row: its ${
      bad.reason === "time" ? "time" : "value"
    } is ${what}`,
  );
}
