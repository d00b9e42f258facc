/**
 * Runs an export of any format: opens its output, shows its progress and cleans up after a failure.
 *
 * @module
 */

import type { BTrDB, ExportProgress } from "../../../mod.ts";
import type { Context } from "../context.ts";
import type { QueryKind } from "../query_kind.ts";
import type { TimeRange } from "../ranges.ts";
import type { GridRules } from "./grid.ts";
import type { ExportTimes } from "./time_form.ts";
import type { Progress } from "../terminal/progress.ts";
import type { NamedStream } from "../words/stream_names.ts";
import { type Destination, fileSink, type Sink, stdoutSink } from "./sink.ts";

/** Request of an export; another one gives other rows for the same points. */
export interface ExportRequest {
  streams: readonly NamedStream[];
  /** Names of the columns. */
  labels: readonly string[];
  range: TimeRange;
  kind: QueryKind;
  /** Rows at regular times instead of those of the points. */
  grid: GridRules | undefined;
  numbers: "shortest" | "fixed6";
  includeVersions: boolean;
  ndjson: boolean;
  times: ExportTimes;
}

/** An export that is ready to run. */
export interface ExportJob extends ExportRequest {
  context: Context;
  db: BTrDB;
  /** A file; absent: stdout. */
  output: Destination | undefined;
  /** True if an interrupted export can be resumed: the output is an uncompressed text file. */
  resumable: boolean;
  resume: boolean;
  progress: Progress;
}

/** Rows and bytes written. */
export interface Exported {
  rows: number;
  bytes: number;
}

/**
 * Opens the output of an export, and finishes it, or abandons it and says what is left of it.
 *
 * @param write Writes all of it.
 * @param append True if the `.part` file goes on where it ends.
 */
export async function runExport(
  job: ExportJob,
  write: (sink: Sink) => Promise<Exported>,
  append: boolean = false,
): Promise<Exported> {
  const { output, resumable, progress } = job;
  const sink = output === undefined ? stdoutSink(job.ndjson) : fileSink(output, append);
  try {
    const written = await write(sink);
    await sink.finish();
    return written;
  } catch (error) {
    await sink.abandon(resumable);
    progress.clear();
    sayWhatIsLeft(job);
    throw sink.failure ?? error;
  } finally {
    progress.clear();
  }
}

/** Shows how far an export is: by the time that it has come to. */
export function showProgress(
  { progress, range, streams }: ExportJob,
  { rows, bytes, time }: ExportProgress,
): void {
  const part = Number((time ?? range.start) - range.start) / Number(range.end - range.start);
  progress.update({ points: rows * streams.length, bytes, part });
}

/** Says what an export that did not end well has left behind. */
function sayWhatIsLeft({ context, output, resumable }: ExportJob): void {
  if (output === undefined || output.direct) return;
  context.talk(
    resumable
      ? `Stopped: the rows written so far are in ${output.name}.part; use --resume to continue`
      : `Stopped: nothing was written to ${output.name}`,
  );
}
