/**
 * Columns to and from Arrow IPC streams, in the schemas of BTrDB's Arrow calls (docs/protocol.md,
 * "Arrow"). Used by the `./arrow` entry and, lazily, by the server.
 *
 * @module
 */

import { checkBytes } from "../core/check_bytes.ts";
import { checkColumns } from "./check_arguments.ts";
import { invalidType } from "../core/argument_error.ts";
import { checkObject } from "../core/check_object.ts";
import { describe } from "../core/describe.ts";
import { type Field, type Table, tableFromIPC, tableToIPC } from "@uwdata/flechette";
import type { CallOptions } from "../core/call.ts";
import type { RawColumns, StatColumns } from "../core/columns.ts";
import { BTrDBError } from "../core/errors.ts";
import { atOnce, inSlices } from "../core/pacer.ts";
import { invalid, quotedName } from "./arrow_error.ts";
import { MultiIpc } from "./multi_ipc.ts";
import {
  castTo,
  DOUBLE,
  type NamedColumn,
  rawNamed,
  statNamed,
  tableOf,
  TIME,
} from "./named_columns.ts";
import {
  type NamedValues,
  tableToMulti,
  tableToRaw,
  tableToRawInSteps,
  tableToStat,
} from "./table.ts";
import {
  type ArrowMessage,
  checkMetadata,
  messagesOf,
  type MetadataBounds,
} from "./check_metadata.ts";
import { isArrowMark } from "./file_footer.ts";
import { IpcFrames } from "./ipc_frames.ts";
import { IpcLayouts } from "./ipc_layouts.ts";
import { type UnpackedBytes, unpackInSlices, withUnpackedBytes } from "./codecs.ts";

export type { NamedValues } from "./table.ts";

/** Bytes that all buffers of one table may have together when they are unpacked. */
const MAX_UNPACKED_BYTES = 2 ** 30;

/** Options of Arrow output. */
export interface IpcOptions {
  /**
   * IPC stream whose schema gives names and types of the columns, by position; empty: BTrDB's own
   * schema. float64 may become float32, a timestamp any zone or int64; what loses more is refused.
   */
  template?: Uint8Array | undefined;
}

/**
 * Raw points as a complete IPC stream: `time`, `value`.
 *
 * @param columns The points.
 * @throws {BTrDBError} 438 if the template is not for two such columns.
 */
export function rawToIpc(
  columns: RawColumns,
  options: IpcOptions = {},
): Uint8Array<ArrayBuffer> {
  checkObject("write Arrow", "options", options);
  const named = rawNamed(columns);
  return hasTemplate(options) ? encode(named, options) : rawFrames.fill(columns);
}

const rawFrames = new IpcFrames((columns) => encode(rawNamed(columns), {}));

/**
 * Windows as a complete IPC stream: `time`, `min`, `mean`, `max`, `count` and, if the columns have
 * it or it is asked for, `stddev`.
 *
 * @param columns The windows.
 * @param options `withStddev` says whether there is a column `stddev`, NaN where the source has
 * none.
 * @throws {BTrDBError} 438 if the template does not fit.
 */
export function statToIpc(
  columns: StatColumns,
  options: IpcOptions & { withStddev?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  checkObject("write Arrow", "options", options);
  return encode(statNamed(columns, options.withStddev), options);
}

/**
 * Rows of several streams as a complete IPC stream: `time`, then one column a stream.
 *
 * @param times Time of each row.
 * @param streams Their values, NaN where a stream has no point.
 * @throws {BTrDBError} 438 if the template does not fit.
 */
export function multiToIpc(
  times: BigInt64Array,
  streams: readonly NamedValues[],
  options: IpcOptions = {},
): Uint8Array<ArrayBuffer> {
  checkColumns({ times }, { times: BigInt64Array });
  if (!Array.isArray(streams)) {
    throw invalidType(`Cannot write Arrow: streams is ${describe(streams)}, expected an array`);
  }
  for (const stream of streams) checkColumns(stream, { values: Float64Array });
  const rows = streams.find(({ values }) => values.length !== times.length);
  if (rows !== undefined) {
    throw invalidType(
      `Cannot write Arrow: ${
        quotedName(rows.name)
      } has ${rows.values.length} values, expected ${times.length}`,
    );
  }
  const writer = multiIpc(streams.map(({ name }) => name), options);
  return atOnce(writer.write([times, ...streams.map(({ values }) => values)]));
}

/**
 * Writes rows of several streams in steps, as {@linkcode multiToIpc} does at once.
 *
 * @param names Names of the streams.
 * @throws {BTrDBError} 438 if the template does not fit.
 */
export function multiIpc(names: readonly string[], options: IpcOptions = {}): MultiIpc {
  checkObject("write Arrow", "options", options);
  return atOnce(multiIpcInSteps(names, options));
}

/** As {@linkcode multiIpc}, in steps: a template may have thousands of columns. Yields between them. */
export function* multiIpcInSteps(
  names: readonly string[],
  options: IpcOptions,
): Generator<undefined, MultiIpc> {
  const columns: NamedColumn[] = [{ name: "time", type: TIME, data: NO_TIMES }];
  for (const name of names) columns.push({ name, type: DOUBLE, data: NO_VALUES });
  if (!hasTemplate(options)) return new MultiIpc(columns);
  const fields = yield* templateFields(options.template, columns.length);
  yield;
  return new MultiIpc(castTo(columns, fields));
}

const NO_TIMES = new BigInt64Array(0);
const NO_VALUES = new Float64Array(0);

/**
 * Raw points from an IPC stream or file with the columns `time` (timestamp of any unit, or int64
 * ns) and `value` (float64, float32, or an integer of up to 32 bits), in any order among others.
 *
 * @param bytes One complete IPC stream.
 * @param maxUnpackedBytes Bytes that all its buffers may have together when they are unpacked.
 * @returns Columns of their own.
 * @throws {BTrDBError} 438 if it is no such stream, has nulls, a time is out of range, or it is too
 *   long.
 */
export function ipcToRaw(bytes: Uint8Array, maxUnpackedBytes?: number): RawColumns {
  return ipcToRawWithin(bytes, { maxUnpackedBytes });
}

/** Bounds of a stream or file that is decoded at once. */
export interface DecodeBounds extends MetadataBounds {
  /** Bytes that all its buffers may have together when they are unpacked. */
  readonly maxUnpackedBytes?: number | undefined;
}

/**
 * Bounds of a message of a subscription. The points that are unpacked are 80 times those of the largest
 * insert; a server sends one batch in a message, and each takes 20 µs.
 */
const SUBSCRIBED: DecodeBounds = { maxUnpackedBytes: 64 << 20, maxParts: 16_384 };

/** As {@linkcode ipcToRaw}, for a message of a subscription, of at most 16,384 columns of all batches. */
export function subscribedPoints(bytes: Uint8Array): RawColumns {
  return ipcToRawWithin(bytes, SUBSCRIBED);
}

function ipcToRawWithin(bytes: Uint8Array, bounds: DecodeBounds): RawColumns {
  checkBytes("read Arrow", "bytes", bytes);
  const known = rawLayouts.read(bytes);
  if (known !== undefined) return known;
  const aligned = alignedBytes(bytes);
  const table = decode(aligned, bounds);
  const columns = tableToRaw(table);
  rawLayouts.keep(aligned, table);
  return columns;
}

const rawLayouts = new IpcLayouts();

/** Bounds of {@linkcode ipcToRawInSlices}. */
export interface IpcBounds {
  /** Bytes that all buffers may have together when they are unpacked. */
  readonly maxUnpackedBytes: number;
  /** Throws if the points are too many; called with what the stream says before they are decoded. */
  readonly checkPoints: (points: number) => void;
}

/**
 * As {@linkcode ipcToRaw}, in steps of a few milliseconds between which everything else runs.
 *
 * @param bytes One complete IPC stream or file of at most 64 columns and 4,096 batches.
 * @param bounds Its bounds.
 * @param options Ends the work between two steps.
 * @returns Columns of their own.
 * @throws {BTrDBError} 438 as there.
 */
export async function ipcToRawInSlices(
  bytes: Uint8Array,
  { maxUnpackedBytes, checkPoints }: IpcBounds,
  options?: CallOptions,
): Promise<RawColumns> {
  const known = insertLayouts.read(bytes);
  if (known !== undefined) {
    checkPoints(known.times.length);
    return known;
  }
  const aligned = await inSlices(alignedInSteps(bytes), options);
  const unpacked: UnpackedBytes = { left: maxUnpackedBytes };
  const parts: RawColumns[] = [];
  let found: Found, shared: Awaited<ReturnType<typeof unpackInSlices>>;
  try {
    found = await inSlices(messagesInSteps(aligned), options);
    shared = await unpackInSlices(buffersOf(found.dictionaries), unpacked, options);
  } catch (cause) {
    options?.signal?.throwIfAborted();
    throw unreadable(cause, maxUnpackedBytes);
  }
  checkPoints(found.points);
  for (const group of found.groups) {
    let table: Table;
    try {
      const own = await unpackInSlices(buffersOf(group), unpacked, options);
      const ready = new Map([...shared, ...own]);
      const all = [...found.dictionaries, ...group];
      const messages = [found.schema, ...all.map(({ bytes }) => bytes)];
      table = withUnpackedBytes(unpacked, () => tableFromIPC(messages, INTEGERS), ready);
    } catch (cause) {
      options?.signal?.throwIfAborted();
      throw unreadable(cause, maxUnpackedBytes);
    }
    parts.push(await inSlices(tableToRawInSteps(table), options));
    if (!found.isCompressed) insertLayouts.keep(aligned, table);
  }
  return parts.length === 1 ? parts[0]! : await inSlices(joinInSteps(parts, found.points), options);
}

/** Streams without compressed buffers, so that no bound on these is passed by. */
const insertLayouts = new IpcLayouts();

function buffersOf(messages: readonly ArrowMessage[]): ArrowMessage["compressed"] {
  return messages.flatMap(({ compressed }) => compressed);
}

interface Found {
  readonly schema: Uint8Array;
  /** Dictionaries before the first batch. */
  readonly dictionaries: readonly ArrowMessage[];
  /** Batches that are decoded in one step. */
  readonly groups: readonly (readonly ArrowMessage[])[];
  readonly points: number;
  /** True if a buffer of any of them is compressed. */
  readonly isCompressed: boolean;
}

/**
 * Most columns, with those that are below others. An insert has two, `time` and `value`; others are not
 * looked at, but the library makes objects of each.
 */
const MAX_COLUMNS = 64;

/** Most batches. */
const MAX_BATCHES = 4096;

/** Columns of all batches, each batch counted as one more: 4,096 batches of 7 columns have so many. */
const MAX_PARTS = 1 << 15;

/** Columns of all batches that are decoded in one step. */
const STEP_PARTS = 256;

/** Bytes of metadata of the batches that are decoded in one step, unless one alone has more. */
const STEP_METADATA_BYTES = 1 << 16;

/** Longest metadata of a message: those of 64 columns have about 7 KiB. */
const MAX_METADATA_BYTES = 1 << 18;

/** Fields and pairs of metadata that a column may have, and those around the columns. */
const COLUMN_TABLES = 16, OTHER_TABLES = 1_024;

/** Metadata of a message are checked in one step. */
const STEP_METADATA: MetadataBounds = {
  maxBytes: MAX_METADATA_BYTES,
  maxTables: COLUMN_TABLES * MAX_COLUMNS + OTHER_TABLES,
  maxColumns: MAX_COLUMNS,
  maxParts: MAX_PARTS,
};

/**
 * The batches of a stream, in groups. No column of points has a dictionary, but the library wants those of
 * the other columns, the first of each.
 */
function* messagesInSteps(bytes: Uint8Array): Generator<undefined, Found> {
  let schema: Uint8Array | undefined;
  let columns = 0;
  // Without a batch, a table of the schema alone tells which columns there are.
  let group: ArrowMessage[] = [];
  const groups = [group];
  const dictionaries: ArrowMessage[] = [];
  let points = 0;
  let batches = 0, metadataBytes = 0;
  let isCompressed = false;
  for (const message of messagesOf(bytes, STEP_METADATA)) {
    yield;
    if (message === undefined) continue;
    if (message.kind === "schema") {
      schema = message.bytes;
      columns = message.parts;
      if (columns === 0) throw new RangeError("it has no columns");
    }
    if (message.compressed.length > 0) isCompressed = true;
    if (message.kind === "dictionary" && batches === 0) dictionaries.push(message);
    if (dictionaries.length > columns) throw invalid("it has more dictionaries than columns");
    if (message.kind !== "batch") continue;
    if (++batches > MAX_BATCHES) throw invalid(`it has more than ${MAX_BATCHES} batches`);
    metadataBytes += message.metadataBytes;
    const isFull = group.length === Math.max(1, Math.floor(STEP_PARTS / columns)) ||
      (group.length > 0 && metadataBytes > STEP_METADATA_BYTES);
    if (isFull) {
      groups.push(group = []);
      metadataBytes = message.metadataBytes;
    }
    group.push(message);
    points += message.rows;
  }
  if (schema === undefined) throw new RangeError("it has no columns");
  return { schema, dictionaries, groups, points, isCompressed };
}

/** Bytes that begin at a multiple of {@linkcode ALIGNMENT}, copied where they do not. */
function* alignedInSteps(bytes: Uint8Array): Generator<undefined, Uint8Array> {
  if (bytes.byteOffset % ALIGNMENT === 0) return bytes;
  const aligned = new Uint8Array(bytes.length);
  // The C library may have filled it with zeros, which takes as long as to copy it.
  yield;
  for (let at = 0; at < bytes.length; at += STEP_BYTES) {
    aligned.set(bytes.subarray(at, at + STEP_BYTES), at);
    yield;
  }
  return aligned;
}

/** Parts as one, a part a step. */
function* joinInSteps(
  parts: readonly RawColumns[],
  points: number,
): Generator<undefined, RawColumns> {
  const times = new BigInt64Array(points);
  yield;
  const values = new Float64Array(points);
  let at = 0;
  for (const part of parts) {
    yield;
    times.set(part.times, at);
    values.set(part.values, at);
    at += part.times.length;
  }
  return { times, values };
}

/** Columns are views into the bytes, which must begin at a multiple of this. */
const ALIGNMENT = 8;

/** Bytes that begin there, copied where they do not. */
function alignedBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % ALIGNMENT === 0 ? bytes : new Uint8Array(bytes);
}

/** Bytes that are copied in one step. */
const STEP_BYTES = 1 << 20;

/**
 * Windows from an IPC stream as {@linkcode statToIpc} makes it.
 *
 * @param bytes One complete IPC stream.
 * @returns Columns of their own.
 * @throws {BTrDBError} 438 if it is no such stream.
 */
export function ipcToStat(bytes: Uint8Array): StatColumns {
  return tableToStat(decode(bytes));
}

/**
 * Rows of several streams from an IPC stream: `time`, and every other column.
 *
 * @param bytes One complete IPC stream.
 * @throws {BTrDBError} 438 if it is no such stream.
 */
export function ipcToMulti(bytes: Uint8Array): { times: BigInt64Array; streams: NamedValues[] } {
  return tableToMulti(decode(bytes));
}

/** Encodes columns in the schema of a template, if there is one. */
function encode(
  columns: readonly NamedColumn[],
  options: IpcOptions,
): Uint8Array<ArrayBuffer> {
  checkObject("write Arrow", "options", options);
  const cast = hasTemplate(options)
    ? castTo(columns, atOnce(templateFields(options.template, columns.length)))
    : columns;
  return tableToIPC(tableOf(cast), { format: "stream" }) as Uint8Array<ArrayBuffer>;
}

/** Fields of a template; of one for far more columns only so much is read. Yields between steps. */
function* templateFields(
  template: Uint8Array,
  columns: number,
): Generator<undefined, readonly Field[]> {
  const maxTables = COLUMN_TABLES * columns + OTHER_TABLES;
  const maxBytes = MAX_METADATA_BYTES + COLUMN_BYTES * columns;
  const table = yield* decodeInSteps(schemaOf(template), { maxTables, maxBytes });
  return table.schema.fields;
}

/** Bytes of metadata that a column of a template may add. */
const COLUMN_BYTES = 1 << 10;

function hasTemplate(options: IpcOptions): options is { template: Uint8Array } {
  return options.template !== undefined && options.template.length > 0;
}

/** The first message of an IPC stream or file, which is its schema; the rest is not looked at. */
function schemaOf(bytes: Uint8Array): Uint8Array {
  const start = isArrowMark(bytes, 0) ? 8 : 0;
  if (bytes.length < start + 8) throw invalid("the bytes are no Arrow IPC stream");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = view.getInt32(start, true);
  // Streams of Arrow before 0.15 have no marker before the length.
  const end = first === -1 ? start + 8 + view.getInt32(start + 4, true) : start + 4 + first;
  if (end <= start || end > bytes.length) throw invalid("the bytes are no Arrow IPC stream");
  return bytes.slice(start, end);
}

/** The table of an IPC stream or file, its integers as bigints. */
export function decode(bytes: Uint8Array, bounds: DecodeBounds = {}): Table {
  return atOnce(decodeInSteps(bytes, bounds));
}

/** The same. Yields between its steps. */
function* decodeInSteps(
  bytes: Uint8Array,
  { maxUnpackedBytes = MAX_UNPACKED_BYTES, ...metadata }: DecodeBounds,
): Generator<undefined, Table> {
  checkBytes("read Arrow", "bytes", bytes);
  let table: Table;
  const aligned = alignedBytes(bytes);
  try {
    const messages = checkMetadata(aligned, metadata);
    yield;
    const unpacked = { left: maxUnpackedBytes };
    table = withUnpackedBytes(unpacked, () => tableFromIPC(messages, INTEGERS));
  } catch (cause) {
    throw unreadable(cause, maxUnpackedBytes);
  }
  if (table.schema.fields.length === 0) throw invalid("the bytes are no Arrow IPC stream");
  return table;
}

/** Integers as bigints. */
const INTEGERS = { useBigInt: true, useBigIntTimestamp: true, useDecimalInt: true };

/** The error of bytes that cannot be decoded. */
function unreadable(cause: unknown, maxUnpackedBytes: number): unknown {
  if (cause instanceof BTrDBError) return cause;
  if (cause instanceof RangeError && cause.message.startsWith("the buffers are too long")) {
    return invalid(`its buffers have more than ${maxUnpackedBytes} bytes unpacked`, cause);
  }
  if (cause instanceof RangeError && cause.message.startsWith("more than ")) {
    return invalid(`it has ${cause.message}`, cause);
  }
  const packing = /compression codec "(\w+)"/.exec(String(cause))?.[1];
  const what = packing === undefined
    ? "the bytes are no Arrow IPC stream"
    : `its buffers are compressed with ${packing}, expected ZSTD or none`;
  return invalid(what, cause);
}
