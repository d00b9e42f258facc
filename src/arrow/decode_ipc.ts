/**
 * Arrow IPC bytes to a table of the library, within bounds.
 *
 * @module
 */

import { type Table, tableFromIPC } from "@uwdata/flechette";
import { checkBytes } from "../core/check_bytes.ts";
import { BTrDBError } from "../core/errors.ts";
import { atOnce } from "../core/pacer.ts";
import { invalid } from "./arrow_error.ts";
import { checkMetadata, type MetadataBounds } from "./check_metadata.ts";
import { withUnpackedBytes } from "./codecs.ts";

/** Bytes that all buffers of one table may have together when they are unpacked. */
const MAX_UNPACKED_BYTES = 2 ** 30;

/** Longest metadata of a message: those of 64 columns have about 7 KiB. */
export const MAX_METADATA_BYTES: number = 1 << 18;

/** Fields and pairs of metadata that a column may have, and those around the columns. */
export const COLUMN_TABLES = 16, OTHER_TABLES = 1_024;

/** Bounds of a stream or file that is decoded at once. */
export interface DecodeBounds extends MetadataBounds {
  /** Bytes that all its buffers may have together when they are unpacked. */
  readonly maxUnpackedBytes?: number | undefined;
}

/** Columns are views into the bytes, which must begin at a multiple of this. */
export const ALIGNMENT = 8;

/** Bytes that begin at a multiple of {@linkcode ALIGNMENT}, copied where they do not. */
export function alignedBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % ALIGNMENT === 0 ? bytes : new Uint8Array(bytes);
}

/** The table of an IPC stream or file, its integers as bigints. */
export function decode(bytes: Uint8Array, bounds: DecodeBounds = {}): Table {
  return atOnce(decodeInSteps(bytes, bounds));
}

/** As {@linkcode decode}. Yields between its steps. */
export function* decodeInSteps(
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

/** Options of the library for integers as bigints. */
export const INTEGERS = { useBigInt: true, useBigIntTimestamp: true, useDecimalInt: true };

/** The error of bytes that cannot be decoded. */
export function unreadable(cause: unknown, maxUnpackedBytes: number): unknown {
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
