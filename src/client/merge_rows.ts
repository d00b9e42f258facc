/**
 * Several streams side by side: rows of points that share a time.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { mergeBatches, type MergedBatch } from "../kernel/merge_batches.ts";

/** The points of several streams at one time. */
export interface MergedRow {
  /** ns since the Unix epoch, UTC. */
  time: bigint;
  /** One value a stream, in their order; `null` where a stream has no point at this time. */
  values: (number | null)[];
}

/**
 * Merges streams by time: points of equal time share a row, and several points of one stream with
 * the same time make several rows.
 *
 * @param sources One answer a stream, each ascending; they are closed at the end.
 */
export async function* mergeRows(
  sources: readonly AsyncIterator<RawColumns>[],
): AsyncIterableIterator<MergedRow> {
  for await (const batch of mergeBatches(sources)) yield* rowsOf(batch);
}

function* rowsOf({ times, rows, parts }: MergedBatch<RawColumns | undefined>): Iterable<MergedRow> {
  for (let r = 0; r < times.length; r++) {
    const values = parts.map((columns, s) => columns?.values[rows[s]![r]!] ?? null);
    yield { time: times[r]!, values };
  }
}
