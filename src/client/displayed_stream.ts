/**
 * Streams as a notebook shows them.
 *
 * @module
 */

import type { StatColumns } from "../core/columns.ts";
import type { TimeLike } from "../core/time.ts";
import type { DescribedStream, StreamDescription } from "./describe_stream.ts";
import type { DisplayedStream } from "./display.ts";
import type { ReadOptions } from "./stream_options.ts";

/** Windows of a plot: about one a column of pixels. */
const WINDOWS = 600n;

/** Stream with the reads that a display needs. */
export interface DisplayableStream extends DescribedStream {
  describe(options?: ReadOptions): Promise<StreamDescription>;
  windows(
    start: TimeLike,
    end: TimeLike,
    width: bigint,
    options?: ReadOptions,
  ): { collect(): Promise<StatColumns> };
}

/**
 * Reads what a display of a stream has.
 *
 * @param stream The stream.
 * @param signal Ends the reads.
 * @param options `isPlotted: false` leaves the windows out.
 */
export async function displayedStream(
  stream: DisplayableStream,
  signal: AbortSignal,
  { isPlotted = true, version }: { isPlotted?: boolean; version?: bigint | undefined } = {},
): Promise<DisplayedStream> {
  const read = { signal, ...(version === undefined ? {} : { version }) };
  const description = await stream.describe(read);
  const { first, last } = description;
  if (first === null || last === null || !isPlotted) return { description };
  const start = first.time;
  const width = (last.time - start) / WINDOWS + 1n;
  const windows = await stream.windows(start, start + width * WINDOWS, width, read).collect();
  return { description, windows };
}
