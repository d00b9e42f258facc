/**
 * Looking at a stream at two zoom levels: all of it, then where it moves most.
 *
 * @module
 */

import { MAX_TIME, MIN_TIME, pointwidthOf, type StatColumns, type Stream } from "@btrdb/btrdb";

/** Rows of a table of windows. */
const ROWS = 16n;

/** Windows of a range. */
export interface View {
  readonly start: bigint;
  readonly end: bigint;
  /** Length of a window, ns. */
  readonly width: bigint;
  readonly windows: StatColumns;
}

/** A whole stream in about sixteen aligned windows, as the tree has them ready. */
export async function overview(stream: Stream, start: bigint, end: bigint): Promise<View> {
  const pointwidth = pointwidthOf((end - start) / ROWS || 1n);
  const width = 1n << BigInt(pointwidth);
  const stop = (end / width + 1n) * width;
  const windows = await stream.alignedWindows(start, stop, pointwidth).collect();
  return { start, end, width, windows };
}

/** The start of the window in which the values move most. */
function liveliest({ times, min, max }: StatColumns): bigint {
  let best = 0;
  for (let i = 1; i < times.length; i++) {
    if (max[i]! - min[i]! > max[best]! - min[best]!) best = i;
  }
  return times[best]!;
}

/** Sixteen windows of any width, an eighth of an overview window in all, where most happens. */
export async function zoom(stream: Stream, all: View): Promise<View> {
  const coarse = liveliest(all.windows);
  const fine = pointwidthOf(all.width / ROWS || 1n);
  const inside = await stream.alignedWindows(coarse, coarse + all.width + 1n, fine).collect();
  const center = inside.times.length === 0 ? coarse : liveliest(inside);
  const width = all.width / 8n / ROWS || 1n;
  const wanted = center - width * ROWS / 4n;
  const start = wanted > MIN_TIME ? wanted : MIN_TIME;
  const end = start + width * ROWS < MAX_TIME ? start + width * ROWS : MAX_TIME - 1n;
  const windows = await stream.windows(start, end, width).collect();
  return { start, end, width, windows };
}

/** Windows for a plot of a range: about one a dot. */
export async function forPlot(
  stream: Stream,
  start: bigint,
  end: bigint,
  dots: number,
): Promise<StatColumns> {
  const width = (end - start) / BigInt(dots) || 1n;
  return await stream.windows(start, end, width).collect();
}
