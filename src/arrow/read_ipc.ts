/**
 * Arrow IPC streams to columns, in the schemas of BTrDB's Arrow calls (docs/protocol.md, "Arrow").
 *
 * @module
 */

import { checkBytes } from "../core/check_bytes.ts";
import type { RawColumns, StatColumns } from "../core/columns.ts";
import { alignedBytes, decode, type DecodeBounds } from "./decode_ipc.ts";
import { IpcLayouts } from "./ipc_layouts.ts";
import { type NamedValues, tableToMulti, tableToRaw, tableToStat } from "./table.ts";

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

/**
 * Windows from an IPC stream as `statToIpc` makes it.
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
