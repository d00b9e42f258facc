/**
 * Arrow IPC streams of points to columns in steps of a few milliseconds, as a server reads what it is sent.
 *
 * @module
 */

import { type Table, tableFromIPC } from "@uwdata/flechette";
import type { CallOptions } from "../core/call.ts";
import type { RawColumns } from "../core/columns.ts";
import { inSlices } from "../core/pacer.ts";
import { invalid } from "./arrow_error.ts";
import { type ArrowMessage, messagesOf, type MetadataBounds } from "./check_metadata.ts";
import { type UnpackedBytes, unpackInSlices, withUnpackedBytes } from "./codecs.ts";
import {
  ALIGNMENT,
  COLUMN_TABLES,
  INTEGERS,
  MAX_METADATA_BYTES,
  OTHER_TABLES,
  unreadable,
} from "./decode_ipc.ts";
import { IpcLayouts } from "./ipc_layouts.ts";
import { tableToRawInSteps } from "./table.ts";

/** Bounds of {@linkcode ipcToRawInSlices}. */
export interface IpcBounds {
  /** Bytes that all buffers may have together when they are unpacked. */
  readonly maxUnpackedBytes: number;
  /** Throws if the points are too many; called with what the stream says before they are decoded. */
  readonly checkPoints: (points: number) => void;
}

/**
 * Raw points as `ipcToRaw` of `read_ipc.ts` reads them, in steps of a few milliseconds between which everything else runs.
 *
 * @param bytes One complete IPC stream or file of at most 64 columns and 4,096 batches.
 * @param bounds Its bounds.
 * @param options Ends the work between two steps.
 * @returns Columns of their own.
 * @throws {BTrDBError} 438 as `ipcToRaw`.
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

/** Bytes that are copied in one step. */
const STEP_BYTES = 1 << 20;
