/** Makes streams and files of Arrow that no honest writer makes. */

import { type CompressionType, tableFromArrays, tableToIPC } from "@uwdata/flechette";
import { concatBytes } from "../../src/core/bytes.ts";
import { rawToIpc } from "../../src/arrow/write_ipc.ts";
import type { RawColumns } from "../../src/core/columns.ts";

const END = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);

/** The schema and the batch of points. */
export function pointsMessages(columns: RawColumns): { schema: Uint8Array; batch: Uint8Array } {
  const whole = rawToIpc(columns);
  const head = 8 + viewOf(whole).getInt32(4, true);
  return { schema: whole.slice(0, head), batch: whole.slice(head, whole.length - END.length) };
}

/** A stream of messages. */
export function streamOf(...messages: Uint8Array[]): Uint8Array {
  return concatBytes([...messages, END]);
}

/** A file whose footer names its only batch so many times. */
export function fileOfOneBatch(columns: RawColumns, times: number): Uint8Array {
  const table = tableFromArrays({ time: columns.times, value: columns.values });
  const file = tableToIPC(table, { format: "file" })!;
  const length = viewOf(file).getInt32(file.length - 10, true);
  const at = file.length - 10 - length;
  const footer = file.slice(at, at + length);
  const view = viewOf(footer);
  const root = view.getUint32(0, true);
  const fields = root - view.getInt32(root, true);
  const slot = root + view.getUint16(fields + 4 + 2 * 3, true);
  const blocks = slot + view.getUint32(slot, true);
  const block = footer.slice(blocks + 4, blocks + 4 + 24);
  // Behind everything else: a vector of the same block, aligned as the first one is.
  const padding = (blocks + 4 - footer.length - 4 + 8_000_000) % 8;
  const from = footer.length + padding;
  view.setUint32(slot, from - slot, true);
  const count = new Uint8Array(4);
  viewOf(count).setUint32(0, times, true);
  const many = concatBytes(Array.from({ length: times }, () => block));
  const grown = concatBytes([footer, new Uint8Array(padding), count, many]);
  const end = file.slice(file.length - 10);
  viewOf(end).setUint32(0, grown.length, true);
  return concatBytes([file.slice(0, at), grown, end]);
}

/** A message of a batch whose metadata name so many buffers, most of them empty. */
export function withBuffers(batch: Uint8Array, buffers: number): Uint8Array {
  const length = viewOf(batch).getInt32(4, true);
  const metadata = batch.slice(8, 8 + length);
  const view = viewOf(metadata);
  const slotOf = (table: number, slot: number) => {
    const fields = table - view.getInt32(table, true);
    return table + view.getUint16(fields + 4 + 2 * slot, true);
  };
  const header = slotOf(view.getUint32(0, true), 2);
  const slot = slotOf(header + view.getUint32(header, true), 2);
  const from = slot + view.getUint32(slot, true);
  const known = metadata.slice(from + 4, from + 4 + 16 * view.getUint32(from, true));
  // Behind everything else, where its elements are aligned as the first ones are.
  const vector = new Uint8Array(8 + 16 * buffers);
  viewOf(vector).setUint32(4, buffers, true);
  vector.set(known, 8);
  const at = metadata.length + (8 - metadata.length % 8) % 8;
  view.setUint32(slot, at + 4 - slot, true);
  const grown = new Uint8Array(at + vector.length);
  grown.set(metadata);
  grown.set(vector, at);
  const head = batch.slice(0, 8);
  viewOf(head).setInt32(4, grown.length, true);
  return concatBytes([head, grown, batch.slice(8 + length)]);
}

/** A message of a schema, of whose columns each has the same name, of so many bytes. */
export function withSharedName(schema: Uint8Array, nameBytes: number): Uint8Array {
  const length = viewOf(schema).getInt32(4, true);
  const metadata = schema.slice(8, 8 + length);
  const name = metadata.length;
  const grown = new Uint8Array(name + 8 + Math.ceil(nameBytes / 8) * 8).fill(0x61);
  grown.set(metadata);
  const view = viewOf(grown);
  const slotOf = (table: number, slot: number) =>
    table + view.getUint16(table - view.getInt32(table, true) + 4 + 2 * slot, true);
  const follow = (at: number) => at + view.getUint32(at, true);
  view.setUint32(name, nameBytes, true);
  const columns = follow(slotOf(follow(slotOf(follow(0), 2)), 1));
  for (let i = 1; i <= view.getUint32(columns, true); i++) {
    const place = slotOf(follow(columns + 4 * i), 0);
    view.setUint32(place, name - place, true);
  }
  const head = schema.slice(0, 8);
  viewOf(head).setInt32(4, grown.length, true);
  return concatBytes([head, grown]);
}

/** Points, compressed. */
export function compressed(
  columns: RawColumns,
  codec: typeof CompressionType.ZSTD | typeof CompressionType.LZ4_FRAME,
): Uint8Array {
  const table = tableFromArrays({ time: columns.times, value: columns.values });
  return tableToIPC(table, { format: "stream", codec })!;
}

/** A message in which the `nth` whole number of 64 bits that equals `from` is `to`. */
export function withNumber(message: Uint8Array, from: bigint, to: bigint, nth = 0): Uint8Array {
  const changed = message.slice();
  const view = viewOf(changed);
  for (let at = 0; at + 8 <= changed.length; at += 4) {
    if (view.getBigInt64(at, true) !== from || nth-- > 0) continue;
    view.setBigInt64(at, to, true);
    return changed;
  }
  throw new Error(`There is no ${from}`);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
