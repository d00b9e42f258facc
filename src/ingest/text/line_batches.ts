/**
 * Bytes cut into batches of whole lines. The cuts depend only on the beginning of the first batch,
 * so that resumed work sees the same batches.
 *
 * @module
 */

import { ImportError } from "../errors.ts";

const LF = 10;

/** Whole lines, from `offset` to `end` in the unpacked file. */
export interface LineBatch {
  /** Ends with a line feed. Valid until the next batch is asked for. */
  bytes: Uint8Array;
  offset: number;
  end: number;
  /** True if this is the last line, and it has no line end in the file. */
  open?: boolean;
}

/** Longest line; beyond it this is no text. */
const MAX_LINE = 64 << 20;

/**
 * Cuts bytes into batches of lines: each is as long as fits into `size` bytes, or one line.
 *
 * @param chunks Bytes in pieces of any size; `undefined` ends a batch where lines are whole.
 * @param offset Offset of the first byte in the file.
 * @param size Bytes of a batch.
 */
export async function* lineBatches(
  chunks: AsyncIterable<Uint8Array | undefined>,
  offset: number,
  size: number,
): AsyncGenerator<LineBatch, void, void> {
  let buffer = new Uint8Array(2 * size);
  let length = 0;
  let at = offset;
  const first = (bytes: number): LineBatch => {
    return { bytes: buffer.subarray(0, bytes), offset: at, end: at + bytes };
  };
  const drop = (bytes: number): void => {
    buffer.copyWithin(0, bytes, length);
    length -= bytes;
    at += bytes;
  };
  for await (const chunk of chunks) {
    if (chunk === undefined) {
      const bytes = buffer.subarray(0, length).lastIndexOf(LF) + 1;
      if (bytes === 0) continue;
      yield first(bytes);
      drop(bytes);
      continue;
    }
    if (length + chunk.length > buffer.length) buffer = grow(buffer, length, length + chunk.length);
    buffer.set(chunk, length);
    length += chunk.length;
    while (length >= size) {
      const bytes = wholeLines(buffer.subarray(0, length), size);
      if (bytes === 0) break;
      yield first(bytes);
      drop(bytes);
    }
    if (length > size + MAX_LINE) {
      throw new ImportError(`Cannot import: there is a line of more than ${MAX_LINE} bytes`, {
        hint: "is this a text file?",
      });
    }
  }
  while (length > 0) {
    const bytes = wholeLines(buffer.subarray(0, length), size);
    if (bytes === 0) break;
    yield first(bytes);
    drop(bytes);
  }
  if (length > 0) {
    const last = first(length);
    yield { ...last, bytes: withLineFeed(last.bytes), open: true };
  }
}

function grow(buffer: Uint8Array, length: number, needed: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(2 * buffer.length, needed));
  larger.set(buffer.subarray(0, length));
  return larger;
}

/** Bytes up to the last line feed among the first `size`, or up to the first one after them. */
function wholeLines(bytes: Uint8Array, size: number): number {
  return bytes.subarray(0, size).lastIndexOf(LF) + 1 || bytes.indexOf(LF, size) + 1;
}

function withLineFeed(bytes: Uint8Array): Uint8Array {
  const longer = new Uint8Array(bytes.length + 1);
  longer.set(bytes);
  longer[bytes.length] = LF;
  return longer;
}
