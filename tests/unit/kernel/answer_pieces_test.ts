import { assert, assertEquals, assertLess } from "@std/assert";
import {
  allocStat,
  concatRaw,
  emptyRaw,
  type RawColumns,
  sliceRaw,
  sliceStat,
  type StatColumns,
} from "../../../src/core/columns.ts";
import { FrameReader } from "../../../src/core/grpc_web.ts";
import { SpareBuffers } from "../../../src/core/spare_buffers.ts";
import {
  type AnswerChunk,
  type AnswerKind,
  type AnswerPiece,
  answerPieces,
  RAW_ANSWER,
  statAnswer,
} from "../../../src/kernel/answer_pieces.ts";
import { encodeStatResponse } from "../../../src/kernel/encode_stat.ts";
import { encodeBlocksResponse, encodeRawResponse } from "../../../src/kernel/wire.ts";
import { Random } from "../../support/random.ts";

const VERSION = { major: 300n, minor: 7n };

function raw(n: number): RawColumns {
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => BigInt(i) * 1_000_003n - 5_000n),
    values: Float64Array.from({ length: n }, (_, i) => i / 3),
  };
}

function stat(n: number): StatColumns {
  const columns = allocStat(n, true);
  for (let i = 0; i < n; i++) {
    columns.times[i] = BigInt(i) << 30n;
    for (const name of ["min", "mean", "max", "stddev"] as const) columns[name]![i] = i / 7;
    columns.count[i] = BigInt(i % 300);
  }
  return columns;
}

async function* chunked<C>(
  columns: C,
  slice: (columns: C, from: number, to: number) => C,
  sizes: readonly number[],
): AsyncGenerator<AnswerChunk<C>> {
  let from = 0;
  for (const size of sizes) {
    yield await Promise.resolve({
      version: VERSION,
      columns: slice(columns, from, from + size),
    });
    from += size;
  }
}

/** The messages of all pieces; every piece is written over when it was read, as memory lent again. */
async function messagesOf<C extends { times: BigInt64Array }>(
  chunks: AsyncIterable<AnswerChunk<C>>,
  kind: AnswerKind<C>,
): Promise<{ messages: Uint8Array[]; pieces: Omit<AnswerPiece, "frames">[]; longest: number }> {
  const spare = new SpareBuffers(1 << 20);
  const memory = (bytes: number) => spare.take(bytes) ?? new Uint8Array(bytes);
  const messages: Uint8Array[] = [], pieces: Omit<AnswerPiece, "frames">[] = [];
  let longest = 0;
  for await (const { frames, ...piece } of answerPieces(chunks, kind, memory)) {
    pieces.push(piece);
    longest = Math.max(longest, frames.length);
    const reader = new FrameReader(1 << 24);
    for (let frame = reader.take(frames); frame !== undefined; frame = reader.take(frames)) {
      messages.push(frame.bytes);
    }
    assert(reader.isBetween);
    frames.fill(0xaa);
    spare.give(frames.buffer as ArrayBuffer);
  }
  return { messages, pieces, longest };
}

Deno.test("answerPieces: chunks of any size become messages of 5,000 points, several in a piece", async () => {
  const random = new Random(5);
  for (let round = 0; round < 30; round++) {
    const most = 4 ** random.int(0, 8);
    const sizes = Array.from({ length: random.int(1, 6) }, () => random.int(0, most));
    const n = sizes.reduce((sum, size) => sum + size, 0);
    const starts = Array.from({ length: Math.max(1, Math.ceil(n / 5_000)) }, (_, i) => i * 5_000);
    const { major, minor } = VERSION;

    const points = raw(n);
    const ofPoints = await messagesOf(chunked(points, sliceRaw, sizes), RAW_ANSWER);
    assertEquals(
      ofPoints.messages,
      starts.map((at) => encodeRawResponse(points, at, Math.min(n, at + 5_000), major, minor)),
    );
    assertLess(ofPoints.longest, 520 << 10);

    for (const withStddev of [false, true]) {
      const windows = stat(n);
      const ofWindows = await messagesOf(
        chunked(windows, sliceStat, sizes),
        statAnswer(withStddev),
      );
      const encode = (at: number) =>
        encodeStatResponse(windows, at, Math.min(n, at + 5_000), major, minor, withStddev);
      assertEquals(ofWindows.messages, starts.map(encode));
      assertLess(ofWindows.longest, 520 << 10);
    }
    // All but an answer of whole messages says which piece is its last.
    const isWhole = n > 0 && n % 5_000 === 0;
    const lasts = ofPoints.pieces.map(({ isLast }) => isLast);
    assertEquals(lasts, lasts.map((_, i) => !isWhole && i === lasts.length - 1));
    assertEquals(ofPoints.pieces.reduce((sum, { points }) => sum + points, 0), n);
  }
});

Deno.test("answerPieces: no message waits for a chunk that comes later", async () => {
  const asked: number[] = [];
  async function* source(): AsyncGenerator<AnswerChunk<RawColumns>> {
    for (let i = 0; i < 4; i++) {
      asked.push(i);
      yield await Promise.resolve({ version: VERSION, columns: raw(5_000) });
    }
  }
  const pieces = answerPieces(source(), RAW_ANSWER, (bytes) => new Uint8Array(bytes));
  for (let i = 0; i < 4; i++) {
    assertEquals((await pieces.next()).value?.points, 5_000);
    assertEquals(asked.length, i + 1);
  }
  assertEquals((await pieces.next()).done, true);
});

Deno.test("answerPieces: blocks go as they are, behind the points before them", async () => {
  const blocks = { points: 9, blocks: [new Uint8Array([1, 2, 3]), new Uint8Array([4])] };
  async function* source(): AsyncGenerator<AnswerChunk<RawColumns>> {
    yield await Promise.resolve({ version: VERSION, columns: raw(3) });
    yield { version: VERSION, columns: emptyRaw(), blocks };
    yield { version: VERSION, columns: raw(2) };
  }
  const { messages, pieces } = await messagesOf(source(), RAW_ANSWER);
  const { major, minor } = VERSION;
  assertEquals(messages, [
    encodeRawResponse(raw(3), 0, 3, major, minor),
    encodeBlocksResponse(blocks, major, minor, (bytes) => new Uint8Array(bytes)),
    encodeRawResponse(raw(2), 0, 2, major, minor),
  ]);
  assertEquals(pieces.map(({ points, isLast }) => [points, isLast]), [
    [3, false],
    [9, false],
    [2, true],
  ]);
});

Deno.test("answerPieces: messages that have memory of their own are framed all the same", async () => {
  const encode = ({ times }: RawColumns, from: number, to: number) =>
    new TextEncoder().encode(times.subarray(from, to).join());
  const points = concatRaw([raw(4)]);
  const own: AnswerKind<RawColumns> = { ...RAW_ANSWER, encode };
  const { messages } = await messagesOf(chunked(points, sliceRaw, [1, 3]), own);
  assertEquals(messages.map((message) => new TextDecoder().decode(message)), [points.times.join()]);
});
