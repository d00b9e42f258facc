/**
 * Arrow IPC streams of any length, a record batch at a time.
 *
 * @module
 */

import { checkObject } from "../core/check_object.ts";
import { type ByteSink, type ExportProgress, openSink } from "../csv/byte_sink.ts";
import { startCall } from "../core/request_options.ts";
import { throwIfOver } from "../core/call.ts";
import { MultiIpc } from "../arrow/multi_ipc.ts";
import { COUNT, DOUBLE, INT64, LOCAL_TIME, TIME } from "../arrow/named_columns.ts";
import { inSlices } from "../core/pacer.ts";
import { END_OF_STREAM } from "./arrow_messages.ts";
import { checkTableStreams, type TableBatch, tableBatches, type TableStream } from "./table.ts";
import { type TimeForm, timeFormOf, type TimeOptions } from "./table_times.ts";

/** Options of writing files. */
export interface WriteTableOptions extends TimeOptions {
  /** Aborting it ends the call with the signal's reason; a file is not left. */
  signal?: AbortSignal | undefined;
  /** True if a `WritableStream` stays open afterwards. @default {false} */
  preventClose?: boolean | undefined;
  /** Called after each batch of rows. */
  onProgress?: ((progress: ExportProgress) => void) | undefined;
}

const ACTION = "write Arrow data";

/**
 * Writes streams as one Arrow IPC stream: `time` (timestamp[ns, UTC]) and, for each stream of
 * points, a float64 column of its label, null where it has no point; for windows `label (Min)`,
 * `(Mean)`, `(Max)` as float64 and `(Count)` as uint64 (a single stream of windows: `min`, `mean`,
 * `max`, `count`).
 *
 * Rows are merged by time. Memory does not grow with the length; a file appears under its name when
 * it is complete.
 *
 * @param sink A path, a `file:` URL, or a stream of bytes, which is closed at the end.
 * @param streams Columns or queries, all of points or all of windows.
 * @returns Rows and bytes written.
 * @throws {TypeError} If points and windows are mixed.
 * @throws {RangeError} If there is no such form of times, or no such zone.
 *
 * @example A stream's points, there and back
 * ```ts
 * import { readArrow, writeArrow } from "@btrdb/btrdb/arrow";
 * import { assertEquals } from "@std/assert";
 *
 * const columns = { times: BigInt64Array.of(1n, 2n), values: Float64Array.of(0.5, 1.5) };
 * const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
 * const written = writeArrow(writable, [{ label: "a", columns }]);
 * const batches = await Array.fromAsync(readArrow(readable));
 * assertEquals((await written).rows, 2);
 * assertEquals(batches, [[{ label: "a", ...columns }]]);
 * ```
 */
export async function writeArrow(
  sink: ByteSink,
  streams: readonly TableStream[],
  options: WriteTableOptions = {},
): Promise<ExportProgress> {
  checkTableStreams(ACTION, streams);
  checkObject(ACTION, "options", options);
  const { form, convert } = timeFormOf(ACTION, options);
  const call = startCall(ACTION, { signal: options.signal });
  call.signal?.throwIfAborted();
  const out = await openSink(ACTION, sink, options.preventClose ?? false, call);
  const progress: ExportProgress = { rows: 0, bytes: 0 };
  try {
    let writer: MultiIpc | undefined;
    for await (const batch of tableBatches(streams)) {
      throwIfOver(call, ACTION);
      const { times, columns } = convert(batch);
      writer ??= writerOf(batch, form);
      const data = [times, ...columns.map((column) => column.data)];
      const bytes = await inSlices(writer.writePart(data, progress.bytes === 0), call);
      await out.write(bytes);
      progress.rows += batch.times.length;
      progress.time = batch.times.at(-1) ?? progress.time!;
      progress.bytes += bytes.length;
      options.onProgress?.({ ...progress });
    }
    await out.write(END_OF_STREAM);
    progress.bytes += END_OF_STREAM.length;
    await out.finish();
  } catch (error) {
    await out.discard(error);
    throw error;
  }
  return progress;
}

/** Types of the times. */
const TIME_TYPES = { instant: TIME, local: LOCAL_TIME, ns: INT64 } as const;

/** Writes the columns of batches such as the first one. */
function writerOf({ columns }: TableBatch, form: TimeForm): MultiIpc {
  return new MultiIpc([
    { name: "time", type: TIME_TYPES[form] },
    ...columns.map(({ name, data, nullable }) => ({
      name,
      nullable,
      type: data instanceof Float64Array ? DOUBLE : COUNT,
    })),
  ]);
}
