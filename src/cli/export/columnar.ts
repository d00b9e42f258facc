/**
 * Exports of Parquet and Arrow.
 *
 * @module
 */

import type { ExportProgress, RawColumns, RawQuery, StatQuery } from "../../../mod.ts";
import { columnarTimes } from "../../csv/time_text.ts";
import { gridPoints } from "./grid.ts";
import { type Exported, type ExportJob, runExport, showProgress } from "./job.ts";
import type { Sink } from "./sink.ts";

/** Writes a table of columns: Parquet, or an Arrow IPC stream. */
export function exportColumnar(job: ExportJob, format: "parquet" | "arrow"): Promise<Exported> {
  return runExport(job, (sink) => write(job, format, sink));
}

async function write(
  job: ExportJob,
  format: "parquet" | "arrow",
  sink: Sink,
): Promise<Exported> {
  const { streams, labels, times, context: { signal } } = job;
  const form = columnarTimes(times.as, times.tz);
  const tables = streams.map((_, i) => ({ label: labels[i]!, columns: queryOf(job, i) }));
  const onProgress = (written: ExportProgress): void => showProgress(job, written);
  if (format === "parquet") {
    const { writeParquet } = await import("../../io/parquet.ts");
    return await writeParquet(sink.stream, tables, { ...form, signal, onProgress });
  }
  const { writeArrow } = await import("../../io/arrow.ts");
  return await writeArrow(sink.stream, tables, { ...form, signal, onProgress });
}

/** The query of a stream of an export, or its points at the times of the rows. */
export function queryOf(
  job: ExportJob,
  i: number,
): RawQuery | StatQuery | AsyncIterable<RawColumns> {
  const { streams, kind, grid, range, context: { signal } } = job;
  if (grid !== undefined) return gridPoints(job, grid, i);
  const { stream } = streams[i]!;
  const { start, end } = range;
  if (kind.kind === "raw") return stream.rawValues(start, end, { signal });
  return kind.kind === "aligned"
    ? stream.alignedWindows(start, end, kind.pointwidth, { signal })
    : stream.windows(start, end, kind.width, { signal });
}
