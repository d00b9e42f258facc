/**
 * Arrow IPC streams of any length, a record batch at a time.
 *
 * @module
 */

import { tableToIPC } from "@uwdata/flechette";
import { type ByteSink, type ExportProgress, openSink } from "../csv/byte_sink.ts";
import { startCall } from "../core/request_options.ts";
import { throwIfOver } from "../core/call.ts";
import { decode } from "../arrow/ipc.ts";
import { COUNT, DOUBLE, invalid, tableOf, tableToMulti, TIME } from "../arrow/table.ts";
import { type NamedPoints, pointsOf } from "./points.ts";
import { type TableBatch, tableBatches, type TableStream } from "./table.ts";

/** Options of writing files. */
export interface WriteTableOptions {
  /** Aborting it ends the call with the signal's reason; a file is not left. */
  signal?: AbortSignal | undefined;
  /** True if a `WritableStream` stays open afterwards. @default {false} */
  preventClose?: boolean | undefined;
  /** Called after each batch of rows. */
  onProgress?: ((progress: ExportProgress) => void) | undefined;
}

const ACTION = "write Arrow data";
/** End of an IPC stream: a message without a body. */
const END = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);
const CONTINUATION = 0xffffffff;
/** Longest message read: beyond it the bytes are no Arrow stream. */
const MAX_MESSAGE_BYTES = 2 ** 31 - 1;

/**
 * Writes streams as one Arrow IPC stream: `time` (timestamp[ns, UTC]) and, for each stream of
 * points, a float64 column of its label, NaN where it has no point; for windows `label (Min)`,
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
  const call = startCall(ACTION, { signal: options.signal });
  call.signal?.throwIfAborted();
  const out = await openSink(ACTION, sink, options.preventClose ?? false, call);
  const progress: ExportProgress = { rows: 0, bytes: 0 };
  try {
    for await (const batch of tableBatches(streams)) {
      throwIfOver(call, ACTION);
      const bytes = encodeBatch(batch, progress.bytes === 0);
      await out.write(bytes);
      progress.rows += batch.times.length;
      progress.time = batch.times.at(-1) ?? progress.time!;
      progress.bytes += bytes.length;
      options.onProgress?.({ ...progress });
    }
    await out.write(END);
    progress.bytes += END.length;
    await out.finish();
  } catch (error) {
    await out.discard(error);
    throw error;
  }
  return progress;
}

/** The messages of one batch: with the schema if it is the first one. */
function encodeBatch({ times, columns }: TableBatch, first: boolean): Uint8Array<ArrayBuffer> {
  const table = tableOf([
    { name: "time", type: TIME, data: times },
    ...columns.map(({ name, data }) => ({
      name,
      type: data instanceof Float64Array ? DOUBLE : COUNT,
      data,
    })),
  ]);
  const bytes = tableToIPC(table, { format: "stream" }) as Uint8Array<ArrayBuffer>;
  const from = first ? 0 : messageAt(bytes, 0)!.end;
  return bytes.subarray(from, bytes.length - END.length);
}

/**
 * Reads an Arrow IPC stream or file while it arrives: the points of every column beside `time`.
 *
 * @param source The bytes, at once or in pieces of any size.
 * @returns For each record batch, the points of each column; NaN is no point.
 * @throws {BTrDBError} 438 if the bytes are no such stream, `time` is missing or no time, another
 * column holds no numbers, or there are nulls.
 */
export async function* readArrow(
  source: Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<NamedPoints[], void, void> {
  let head: Uint8Array | undefined;
  for await (const message of messages(source instanceof Uint8Array ? [source] : source)) {
    if (message.kind !== "batch") {
      head = join(head ?? new Uint8Array(0), message.bytes);
      continue;
    }
    if (head === undefined) throw invalid("a record batch stands before the schema");
    const table = decode(join(join(head, message.bytes), END));
    const { times, streams } = tableToMulti(table);
    yield streams.map(({ name, values }) => pointsOf(name, times, values));
  }
  if (head === undefined) throw invalid("the bytes are no Arrow IPC stream");
}

interface Message {
  kind: "schema" | "dictionary" | "batch";
  bytes: Uint8Array;
}

/** The messages of a stream, or of a file, whose messages stand between a mark and a footer. */
async function* messages(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Message, void, void> {
  let rest = new Uint8Array(0) as Uint8Array;
  let begun = false;
  for await (const bytes of source) {
    rest = rest.length === 0 ? bytes : join(rest, bytes);
    if (!begun && rest.length < 8) continue;
    let at = !begun && isFile(rest) ? 8 : 0;
    begun = true;
    for (let found = messageAt(rest, at); found !== undefined; found = messageAt(rest, at)) {
      if (found.kind === undefined) return;
      yield { kind: found.kind, bytes: rest.subarray(at, found.end) };
      at = found.end;
    }
    rest = rest.subarray(at);
  }
  if (rest.length > 0) throw invalid("the bytes end inside a message");
}

/** Tells whether the bytes begin as an IPC file does: `ARROW1`. */
function isFile(bytes: Uint8Array): boolean {
  return [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31].every((byte, i) => bytes[i] === byte);
}

const KINDS: Readonly<Record<number, Message["kind"]>> = {
  1: "schema",
  2: "dictionary",
  3: "batch",
};

/**
 * The message at `at`, if all of it is here; without a kind it is the end of the stream. (Arrow
 * columnar format, "Encapsulated message format".)
 */
function messageAt(
  bytes: Uint8Array,
  at: number,
): { kind: Message["kind"] | undefined; end: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (at + 8 > bytes.length) return undefined;
  const marked = view.getUint32(at, true) === CONTINUATION;
  const from = at + (marked ? 8 : 4);
  const length = view.getUint32(at + (marked ? 4 : 0), true);
  if (length === 0) return { kind: undefined, end: from };
  if (length > MAX_MESSAGE_BYTES) throw invalid("the bytes are no Arrow IPC stream");
  if (from + length > bytes.length) return undefined;
  const { kind, bodyBytes } = readHead(view, from, length);
  const end = from + length + bodyBytes;
  return end > bytes.length ? undefined : { kind, end };
}

/**
 * Kind and length of the body, from the flatbuffer `Message { version, header_type, header,
 * bodyLength }`.
 */
function readHead(
  view: DataView,
  from: number,
  length: number,
): { kind: Message["kind"]; bodyBytes: number } {
  try {
    const own = new DataView(view.buffer, view.byteOffset + from, length);
    const table = own.getUint32(0, true);
    const fields = table - own.getInt32(table, true);
    const size = own.getUint16(fields, true);
    const field = (slot: number) =>
      4 + 2 * slot < size ? own.getUint16(fields + 4 + 2 * slot, true) : 0;
    const typeAt = field(1);
    const bodyAt = field(3);
    const kind = KINDS[typeAt === 0 ? 0 : own.getUint8(table + typeAt)];
    const bodyBytes = bodyAt === 0 ? 0 : Number(own.getBigInt64(table + bodyAt, true));
    if (kind !== undefined && bodyBytes >= 0 && bodyBytes <= MAX_MESSAGE_BYTES) {
      return { kind, bodyBytes };
    }
  } catch (cause) {
    throw invalid("the bytes are no Arrow IPC stream", cause);
  }
  throw invalid("the bytes are no Arrow IPC stream");
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
