/**
 * Columns to and from Arrow IPC streams, in the schemas of BTrDB's Arrow calls (docs/protocol.md,
 * "Arrow"). Used by the `./arrow` entry and, lazily, by the server.
 *
 * @module
 */

import {
  CompressionType,
  setCompressionCodec,
  type Table,
  tableFromIPC,
  tableToIPC,
} from "@uwdata/flechette";
import type { RawColumns, StatColumns } from "../core/columns.ts";
import { nodeModule } from "../core/node_module.ts";
import {
  castTo,
  DOUBLE,
  invalid,
  type NamedColumn,
  type NamedValues,
  rawNamed,
  statNamed,
  tableOf,
  tableToMulti,
  tableToRaw,
  tableToRawInSteps,
  tableToStat,
  TIME,
} from "./table.ts";

import { checkMetadata } from "./check_metadata.ts";
import { decompressLz4Frame } from "./lz4_frame.ts";

export type { NamedValues } from "./table.ts";

/** Bytes that all buffers of one table may have together when they are unpacked. */
const MAX_UNPACKED_BYTES = 2 ** 30;

/** Bytes that the buffers of the table that is decoded now may still have. */
let left = 0;

/**
 * Takes the length of a buffer off what is left, before it is unpacked.
 *
 * @throws {RangeError} If it is longer.
 */
function take(length: number): void {
  if (length > left) throw new RangeError("the buffers are too long unpacked");
  left -= length;
}

// Compressed buffers can be read if the runtime has zstd (Node 22.15, Deno).
const zlib = nodeModule<typeof import("node:zlib")>("node:zlib");
if (typeof zlib?.zstdDecompressSync === "function") {
  setCompressionCodec(CompressionType.ZSTD, {
    encode: (bytes) => zlib.zstdCompressSync(bytes),
    decode: (bytes, length) => {
      take(length);
      return zlib.zstdDecompressSync(bytes, { maxOutputLength: length || 1 });
    },
  });
}

setCompressionCodec(CompressionType.LZ4_FRAME, {
  encode: () => {
    throw new Error("LZ4 is only read");
  },
  decode: (bytes, length) => {
    take(length);
    return decompressLz4Frame(bytes, length);
  },
});

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
  return encode(rawNamed(columns), options);
}

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
  const { withStddev = columns.stddev !== undefined } = options;
  return encode(statNamed(columns, withStddev), options);
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
  const all: NamedColumn[] = [{ name: "time", type: TIME, data: times }];
  for (const { name, values } of streams) all.push({ name, type: DOUBLE, data: values });
  return encode(all, options);
}

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
  return tableToRaw(decode(bytes, maxUnpackedBytes));
}

/**
 * As {@linkcode ipcToRaw}, in steps. Buffers that are compressed are unpacked in one of them.
 *
 * @returns Yields between steps.
 */
export function* ipcToRawInSteps(
  bytes: Uint8Array,
  maxUnpackedBytes?: number,
): Generator<undefined, RawColumns> {
  let aligned = bytes;
  if (bytes.byteOffset % ALIGNMENT !== 0) {
    aligned = new Uint8Array(bytes.length);
    for (let at = 0; at < bytes.length; at += STEP_BYTES) {
      aligned.set(bytes.subarray(at, at + STEP_BYTES), at);
      yield;
    }
  }
  const table = decode(aligned, maxUnpackedBytes);
  yield;
  return yield* tableToRawInSteps(table);
}

/** Columns are views into the bytes, which must begin at a multiple of this. */
const ALIGNMENT = 8;

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
  { template }: IpcOptions,
): Uint8Array<ArrayBuffer> {
  const cast = template === undefined || template.length === 0
    ? columns
    : castTo(columns, decode(schemaOf(template)).schema.fields);
  return tableToIPC(tableOf(cast), { format: "stream" }) as Uint8Array<ArrayBuffer>;
}

/** First bytes of an IPC file: its name and two zeros; a stream follows. */
const FILE_MAGIC = [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31];

/** The first message of an IPC stream or file, which is its schema; the rest is not looked at. */
function schemaOf(bytes: Uint8Array): Uint8Array {
  const start = FILE_MAGIC.every((byte, i) => bytes[i] === byte) ? 8 : 0;
  if (bytes.length < start + 8) throw invalid("the bytes are no Arrow IPC stream");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = view.getInt32(start, true);
  // Streams of Arrow before 0.15 have no marker before the length.
  const end = first === -1 ? start + 8 + view.getInt32(start + 4, true) : start + 4 + first;
  if (end <= start || end > bytes.length) throw invalid("the bytes are no Arrow IPC stream");
  return bytes.slice(start, end);
}

/**
 * The table of an IPC stream or file, its integers as bigints.
 *
 * @param maxUnpackedBytes Bytes that all its buffers may have together when they are unpacked.
 */
export function decode(bytes: Uint8Array, maxUnpackedBytes: number = MAX_UNPACKED_BYTES): Table {
  let table: Table;
  left = maxUnpackedBytes;
  const aligned = bytes.byteOffset % ALIGNMENT === 0 ? bytes : new Uint8Array(bytes);
  try {
    checkMetadata(aligned);
    table = tableFromIPC(aligned, {
      useBigInt: true,
      useBigIntTimestamp: true,
      useDecimalInt: true,
    });
  } catch (cause) {
    if (cause instanceof RangeError && cause.message.startsWith("the buffers are too long")) {
      throw invalid(`its buffers have more than ${maxUnpackedBytes} bytes unpacked`, cause);
    }
    const packing = /compression codec "(\w+)"/.exec(String(cause))?.[1];
    const what = packing === undefined
      ? "the bytes are no Arrow IPC stream"
      : `its buffers are compressed with ${packing}, expected ZSTD or none`;
    throw invalid(what, cause);
  }
  if (table.schema.fields.length === 0) throw invalid("the bytes are no Arrow IPC stream");
  return table;
}
