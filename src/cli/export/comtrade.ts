/**
 * Exports of COMTRADE.
 *
 * @module
 */

import { mapConcurrently } from "../../core/concurrency.ts";
import { writeComtrade, type WriteComtradeOptions } from "../../ingest/comtrade/mod.ts";
import { queryOf } from "./columnar.ts";
import { gridRows } from "./grid.ts";
import { type Exported, type ExportJob, showProgress } from "./job.ts";

/** Streams whose metadata are read at the same time. */
const AT_ONCE = 8;

/** Form of the samples. */
export type ComtradeForm = NonNullable<WriteComtradeOptions["type"]>;

/** Writes a record: two files, or one `.cff`. */
export async function exportComtrade(
  job: ExportJob,
  type: ComtradeForm | undefined,
): Promise<Exported> {
  const { streams, labels, output, progress, context, grid } = job;
  const opened = new Set<number>();
  const annotated = await mapConcurrently(streams, AT_ONCE, async ({ stream }) => ({
    tags: await stream.tags(),
    annotations: (await stream.annotations())[0],
  }));
  const [station = "", ...device] = (await streams[0]!.stream.collection()).split("/");
  try {
    const { rows, bytes, files, resolution } = await writeComtrade(
      output!.path,
      streams.map((_, i) => ({
        id: labels[i]!,
        unit: annotated[i]!.tags.unit ?? undefined,
        phase: annotated[i]!.annotations.phase ?? undefined,
        circuit: annotated[i]!.annotations.circuit ?? undefined,
        open: () => {
          if (grid === undefined) return queryOf(job, i);
          const isFirst = !opened.has(i);
          opened.add(i);
          return gridRows(job, grid, i, isFirst);
        },
      })),
      {
        type,
        station,
        device: device.join("/") || "btrdb",
        signal: context.signal,
        onProgress: (written) => showProgress(job, written),
      },
    );
    progress.clear();
    if (files.length > 1) context.talk(`Wrote ${files.join(" and ")}`);
    const worst = Math.max(...resolution);
    if (worst > 0 && type !== undefined && type !== "float32") {
      context.talk(`Values come back to ${worst} or better`);
    }
    return { rows, bytes };
  } catch (error) {
    progress.clear();
    context.talk(`Stopped: nothing was written to ${output!.name}`);
    throw error;
  }
}
