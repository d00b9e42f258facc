/**
 * Batches whose points can be stored.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { LAST_TIME, STORABLE_TIMES } from "../core/range.ts";
import { formatTime } from "../core/time.ts";
import { findBadTime } from "../kernel/find_bad_point.ts";
import { ImportError } from "./errors.ts";
import type { Position, Source, SourceBatch } from "./source.ts";

/**
 * The batches of a source, each looked at before any of it is stored: tables name the cell of a time
 * that no point may have, other formats only its column.
 *
 * @throws {ImportError} If a point has such a time.
 */
export async function* storableBatches(
  source: Source,
  from: Position,
  signal: AbortSignal,
): AsyncGenerator<SourceBatch, void, void> {
  for await (const batch of source.batches(from, signal)) {
    let checked: BigInt64Array | undefined;
    for (const [i, column] of batch.columns.entries()) {
      // Columns may share their times.
      if (column.times !== checked) checkTimes(source.columns[i]!.name, column);
      checked = column.times;
    }
    yield batch;
  }
}

function checkTimes(name: string, { times }: RawColumns): void {
  const bad = findBadTime(times, STORABLE_TIMES.first, LAST_TIME);
  if (bad < 0) return;
  throw new ImportError(
    `Cannot import: a point of ${JSON.stringify(name)} is at ${
      formatTime(times[bad]!)
    }, which is not ` +
      `within ${formatTime(STORABLE_TIMES.first)} to ${formatTime(STORABLE_TIMES.last)}`,
  );
}
