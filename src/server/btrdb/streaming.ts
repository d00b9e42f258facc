/**
 * Streams points and windows to a client: chunks of any size from the endpoint become messages of
 * the size a real server sends, and at least one (docs/protocol.md, "Streamed answers").
 *
 * @module
 */

import {
  concatRaw,
  concatStat,
  emptyRaw,
  emptyStat,
  sliceRaw,
  sliceStat,
} from "../../core/columns.ts";
import type { RawColumns, StatColumns } from "../../core/columns.ts";
import type { Chunk, RawChunk, Version } from "../../endpoint/endpoint.ts";
import { SpareBuffers } from "../../core/spare_buffers.ts";
import { encodeBlocksResponse, encodeRawResponse, type MessageMemory } from "../../kernel/wire.ts";
import { encodeStatResponse } from "../../kernel/encode_stat.ts";
import type { Exchange } from "../method.ts";

/** Points or windows a message carries. */
export const BATCH_POINTS = 5_000;

/** Memory of messages that is kept for later ones, bytes. */
const SPARE_BYTES = 4 << 20;

const spare = new SpareBuffers(SPARE_BYTES);

/** Cutting, joining and encoding of columns of one kind. */
export interface Kind<Columns> {
  readonly empty: () => Columns;
  readonly slice: (columns: Columns, from: number, to: number) => Columns;
  readonly concat: (batches: readonly Columns[]) => Columns;
  /** Columns that stay as they are when the next chunk is made. */
  readonly keep: (columns: Columns) => Columns;
  /** Makes a message; asks for its memory, or takes some of its own. */
  readonly encode: (
    columns: Columns,
    from: number,
    to: number,
    version: Version,
    memory: MessageMemory,
  ) => Uint8Array;
}

/** Raw points as `RawValuesResponse`. */
export const RAW: Kind<RawColumns> = {
  empty: emptyRaw,
  slice: sliceRaw,
  concat: concatRaw,
  // A copy: their memory may only have been lent.
  keep: (columns) => concatRaw([columns]),
  encode: (columns, from, to, version, memory) =>
    encodeRawResponse(columns, from, to, version.major, version.minor, memory),
};

/** Windows as `AlignedWindowsResponse` or `WindowsResponse`. */
export function statKind(withStddev: boolean): Kind<StatColumns> {
  return {
    empty: emptyStat,
    slice: sliceStat,
    concat: concatStat,
    keep: (columns) => columns,
    encode: (columns, from, to, version, memory) =>
      encodeStatResponse(columns, from, to, version.major, version.minor, withStddev, memory),
  };
}

/**
 * Sends a streamed answer; points that come in blocks go out in blocks.
 *
 * @param exchange The call.
 * @param chunks From the endpoint.
 * @param kind Kind of the columns: points or windows.
 * @param batch Points or windows of each message but the last.
 */
export async function sendColumns<Columns extends { times: BigInt64Array }>(
  { call, metrics }: Exchange,
  chunks: AsyncIterable<Chunk<Columns> & Pick<RawChunk, "blocks">>,
  kind: Kind<Columns>,
  batch: number = BATCH_POINTS,
): Promise<void> {
  const empty = kind.empty();
  let held = empty;
  let version: Version | undefined;
  let sent = false;
  const sendMessage = (points: number, encode: (memory: MessageMemory) => Uint8Array) => {
    sent = true;
    metrics.pointsRead += points;
    let memory: Uint8Array<ArrayBuffer> | undefined;
    const message = encode((bytes) => memory = spare.take(bytes) ?? new Uint8Array(bytes));
    return call.send(message, () => memory && spare.give(memory.buffer));
  };
  const send = (columns: Columns, from: number, to: number) =>
    sendMessage(to - from, (memory) => kind.encode(columns, from, to, version!, memory));
  for await (const chunk of chunks) {
    version = chunk.version;
    const { blocks } = chunk;
    if (blocks !== undefined) {
      if (held.times.length > 0) await send(held, 0, held.times.length);
      held = empty;
      const { major, minor } = version;
      const encode = (memory: MessageMemory) => encodeBlocksResponse(blocks, major, minor, memory);
      await sendMessage(blocks.points, encode);
      continue;
    }
    const n = chunk.columns.times.length;
    let at = 0;
    if (held.times.length > 0) {
      at = Math.min(n, batch - held.times.length);
      held = kind.concat([held, kind.slice(chunk.columns, 0, at)]);
      if (held.times.length < batch) continue;
      await send(held, 0, batch);
    }
    for (; n - at >= batch; at += batch) await send(chunk.columns, at, at + batch);
    held = at === n ? empty : kind.keep(kind.slice(chunk.columns, at, n));
  }
  if (version !== undefined && (!sent || held.times.length > 0)) {
    await send(held, 0, held.times.length);
  }
}
