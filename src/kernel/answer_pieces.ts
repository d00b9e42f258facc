/**
 * Points and windows as framed messages of a streamed answer: chunks of any size become messages of the size
 * a real server sends, and at least one (docs/protocol.md, "Streamed answers").
 *
 * @module
 */

import {
  concatRaw,
  concatStat,
  emptyRaw,
  emptyStat,
  type RawColumns,
  sliceRaw,
  sliceStat,
  type StatColumns,
} from "../core/columns.ts";
import { HEAD_BYTES, writeHead } from "../core/grpc_web.ts";
import type { PointBlocks } from "../core/point_blocks.ts";
import { encodeRawResponse, type MessageMemory } from "./encode.ts";
import { encodeStatResponse } from "./encode_stat.ts";
import { encodeBlocksResponse } from "./wire_blocks.ts";

/** Points or windows a message carries. */
export const BATCH_POINTS = 5_000;

/** Bytes that messages of one piece may take, if they are more than one. */
const PIECE_BYTES = 512 << 10;

/** Version of a stream, in every message. */
interface Version {
  readonly major: bigint;
  readonly minor: bigint;
}

/** Chunk of an answer; columns are empty where there are blocks. */
export interface AnswerChunk<Columns> {
  readonly version: Version;
  readonly columns: Columns;
  readonly blocks?: PointBlocks | undefined;
}

/** Cutting, joining and encoding of columns of one kind. */
export interface AnswerKind<Columns> {
  /** Most bytes of a point or a window in a message. */
  readonly pointBytes: number;
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
export const RAW_ANSWER: AnswerKind<RawColumns> = {
  pointBytes: 20,
  empty: emptyRaw,
  slice: sliceRaw,
  concat: concatRaw,
  // A copy: their memory may only have been lent.
  keep: (columns) => concatRaw([columns]),
  encode: (columns, from, to, version, memory) =>
    encodeRawResponse(columns, from, to, version.major, version.minor, memory),
};

/** Windows as `AlignedWindowsResponse` or `WindowsResponse`. */
export function statAnswer(withStddev: boolean): AnswerKind<StatColumns> {
  return {
    pointBytes: 56,
    empty: emptyStat,
    slice: sliceStat,
    concat: concatStat,
    keep: (columns) => columns,
    encode: (columns, from, to, version, memory) =>
      encodeStatResponse(columns, from, to, version.major, version.minor, withStddev, memory),
  };
}

/** Messages of an answer that are sent together. */
export interface AnswerPiece {
  /** The messages, each behind its head. */
  readonly frames: Uint8Array;
  /** Points or windows in them. */
  readonly points: number;
  /** True if no piece follows. False also for the last piece of an answer of full messages only. */
  readonly isLast: boolean;
}

/** Writes messages one behind the other. */
class PieceWriter {
  readonly #memory: MessageMemory;
  readonly #count: number;
  #bytes: Uint8Array | undefined;
  #end = 0;

  /** @param count Number of messages, all of which ask for the same memory. */
  constructor(memory: MessageMemory, count: number) {
    this.#memory = memory;
    this.#count = count;
  }

  /** Appends a message, which may have memory of its own. */
  append(encode: (memory: MessageMemory) => Uint8Array): void {
    let place: Uint8Array | undefined;
    const message = encode((length) => place = this.#place(length));
    place ??= this.#place(message.length);
    if (message.buffer !== place.buffer) place.set(message);
    writeHead(this.#bytes!.subarray(this.#end), 0, message.length);
    this.#end += HEAD_BYTES + message.length;
  }

  #place(length: number): Uint8Array {
    this.#bytes ??= this.#memory(this.#count * (HEAD_BYTES + length));
    const start = this.#end + HEAD_BYTES;
    return this.#bytes.subarray(start, start + length);
  }

  get frames(): Uint8Array {
    return this.#bytes!.subarray(0, this.#end);
  }
}

/**
 * Encodes an answer; points that come in blocks stay in blocks. No message waits for the next chunk
 * to be sent with it.
 *
 * @param chunks Chunks of one version. One is not used any more when the next one is asked for.
 * @param kind Kind of the columns: points or windows.
 * @param memory Gives the memory of each piece.
 * @param batch Points or windows of each message but the last.
 */
export async function* answerPieces<Columns extends { times: BigInt64Array }>(
  chunks: AsyncIterable<AnswerChunk<Columns>>,
  kind: AnswerKind<Columns>,
  memory: MessageMemory,
  batch: number = BATCH_POINTS,
): AsyncGenerator<AnswerPiece, void, undefined> {
  const piecePoints = batch * Math.max(1, Math.floor(PIECE_BYTES / (batch * kind.pointBytes)));
  /** Points or windows that wait for more. */
  let held: Columns | undefined;
  let version: Version | undefined;
  let any = false;
  const encode = (columns: Columns, from: number, to: number, isLast = false): AnswerPiece => {
    any = true;
    const writer = new PieceWriter(memory, Math.max(1, Math.ceil((to - from) / batch)));
    let at = from;
    do {
      const end = Math.min(to, at + batch);
      writer.append((memory) => kind.encode(columns, at, end, version!, memory));
      at = end;
    } while (at < to);
    return { frames: writer.frames, points: to - from, isLast };
  };
  const encodeBlocks = (blocks: PointBlocks): AnswerPiece => {
    any = true;
    const { major, minor } = version!;
    const writer = new PieceWriter(memory, 1);
    writer.append((memory) => encodeBlocksResponse(blocks, major, minor, memory));
    return { frames: writer.frames, points: blocks.points, isLast: false };
  };
  for await (const { version: ofChunk, columns, blocks } of chunks) {
    version = ofChunk;
    if (blocks !== undefined) {
      if (held !== undefined) yield encode(held, 0, held.times.length);
      held = undefined;
      yield encodeBlocks(blocks);
      continue;
    }
    const n = columns.times.length;
    let at = 0;
    if (held !== undefined) {
      at = Math.min(n, batch - held.times.length);
      held = kind.concat([held, kind.slice(columns, 0, at)]);
      if (held.times.length < batch) continue;
      yield encode(held, 0, batch);
    }
    while (n - at >= batch) {
      const whole = n - at - (n - at) % batch;
      const end = at + Math.min(piecePoints, whole);
      yield encode(columns, at, end);
      at = end;
    }
    held = at === n ? undefined : kind.keep(kind.slice(columns, at, n));
  }
  if (version === undefined || (any && held === undefined)) return;
  held ??= kind.empty();
  yield encode(held, 0, held.times.length, true);
}
