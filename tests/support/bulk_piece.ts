/** Points of the bulk load that gets killed. */

import type { RawColumns } from "../../src/core/columns.ts";

/** Points of a piece. */
export const BULK_POINTS = 150_000;

/** Piece number `piece` of a stream: at 120 Hz, where the piece before ends. */
export function bulkPiece(stream: number, piece: number): RawColumns {
  const first = piece * BULK_POINTS;
  return {
    times: BigInt64Array.from({ length: BULK_POINTS }, (_, i) => BigInt(first + i) * 8_333_333n),
    values: Float64Array.from(
      { length: BULK_POINTS },
      (_, i) => Math.fround(stream + Math.sin((first + i) / 5000)),
    ),
  };
}
