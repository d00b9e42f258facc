/**
 * Putting a recording into a database, again and again without doubling it.
 *
 * @module
 */

import type { BTrDB, Stream } from "@btrdb/btrdb";
import type { Recording, Series } from "./recording.ts";

/** Points of one insert: what is acknowledged, and told, at a time. */
const PIECE = 20_000;

/** Told after every acknowledged insert. */
export type OnAcknowledged = (name: string, points: number, version: bigint) => void;

/** The stream of a series: the one that is there, or a new one. */
async function findOrCreate(db: BTrDB, collection: string, series: Series): Promise<Stream> {
  const tags: Record<string, string> = { name: series.name };
  if (series.unit !== undefined) tags.unit = series.unit;
  for await (const stream of db.lookupStreams(collection, { tags })) {
    const found = Object.keys(await stream.tags());
    if (found.length === Object.keys(tags).length) return stream;
  }
  return await db.create(crypto.randomUUID(), collection, { tags });
}

/** Streams for all series, in their order. */
export async function openStreams(db: BTrDB, recording: Recording): Promise<Stream[]> {
  const streams: Stream[] = [];
  for (const series of recording.series) {
    streams.push(await findOrCreate(db, recording.collection, series));
  }
  return streams;
}

/**
 * Writes the points of a series. Points that an earlier run left in its range are deleted first, so
 * that the stream holds the series once, whether that run ended well or was killed.
 *
 * @param stream Stream to fill.
 * @param series The points, ascending.
 * @param onAcknowledged Told after every insert.
 */
export async function store(
  stream: Stream,
  series: Series,
  onAcknowledged: OnAcknowledged,
): Promise<void> {
  const { times, values } = series.columns;
  if (times.length === 0) return;
  const last = times[times.length - 1]!;
  if (await stream.nearest(times[0]!) !== null) await stream.deleteRange(times[0]!, last + 1n);
  for (let from = 0; from < times.length; from += PIECE) {
    const to = Math.min(from + PIECE, times.length);
    const version = await stream.insert({
      times: times.subarray(from, to),
      values: values.subarray(from, to),
    });
    onAcknowledged(series.name, to, version);
  }
}
