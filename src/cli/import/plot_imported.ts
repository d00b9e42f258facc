/**
 * Plots of imported streams.
 *
 * @module
 */

import type { BTrDB, Stream } from "../../../mod.ts";
import type { ImportSummary } from "../../ingest/mod.ts";
import type { Context } from "../context.ts";
import { plotStreams } from "../plot_streams.ts";
import { extent, type TimeRange } from "../ranges.ts";
import { nameStream } from "../words/stream_names.ts";

/** Most streams plotted after an import. */
const MOST_PLOTTED = 8;

/**
 * Points of a close-up in each character of a line: enough to draw a curve, few enough to see it.
 */
const CLOSE_POINTS = 50n;

/** Plots the streams of an import, and a close-up of the first one if it is dense. */
export async function plotImported(
  context: Context,
  db: BTrDB,
  { streams }: ImportSummary,
): Promise<void> {
  const shown = await Promise.all(
    streams.slice(0, MOST_PLOTTED).map(({ uuid }) => nameStream(db.streamFromUUID(uuid))),
  );
  const ends = await extent(streams.map(({ uuid }) => db.streamFromUUID(uuid)));
  const range = ends === undefined ? undefined : { start: ends.first, end: ends.last + 1n };
  await plotStreams(context, shown, range);
  if (range === undefined || context.json) return;
  const close = await closeUp(context, shown[0]!.stream, range);
  if (close !== undefined) await plotStreams(context, shown, close);
}

/** The beginning of a stream that is too dense to be seen as a whole. */
async function closeUp(
  context: Context,
  stream: Stream,
  { start, end }: TimeRange,
): Promise<TimeRange | undefined> {
  const count = await stream.count({ start, end });
  const wanted = CLOSE_POINTS * BigInt(context.width);
  if (count < 2n * wanted) return undefined;
  return { start, end: start + (end - start) * wanted / count };
}
