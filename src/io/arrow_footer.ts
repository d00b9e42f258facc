/**
 * Footers of Arrow IPC files, which say where the batches are (Arrow columnar format, "IPC File
 * Format").
 *
 * @module
 */

import { FlatBuffer, tableCount } from "../arrow/flat_buffer.ts";
import { invalid } from "../arrow/arrow_error.ts";

/** The mark at both ends of a file: `ARROW1`. */
const MARK = [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31];
/** Bytes behind a footer: its length, and the mark. */
const END_BYTES = 4 + MARK.length;
/** Bytes of a block: offset, length of the metadata, length of the body. */
const BLOCK_BYTES = 24;

/** Longest footer that is read: 24 bytes for each batch, and the schema again. */
export const MAX_FOOTER_BYTES: number = 2 ** 26;

/** Offsets of the messages of a file. */
export interface Blocks {
  readonly dictionary: number[];
  readonly batch: number[];
}

/** Tells whether the mark of a file is at an offset. */
export function isArrowMark(bytes: Uint8Array, at: number): boolean {
  return MARK.every((byte, i) => bytes[at + i] === byte);
}

/**
 * Checks that the footer of a file names the messages that were read, and no others.
 *
 * @param bytes Everything behind the messages.
 * @param read Offsets of the messages that were read.
 * @throws {BTrDBError} 438 if it does not, or is not there.
 */
export function checkFooter(bytes: Uint8Array, read: Blocks): void {
  if (bytes.length < END_BYTES || !isArrowMark(bytes, bytes.length - MARK.length)) {
    throw invalid("the file does not end with ARROW1: it is cut off, or bytes follow its end");
  }
  const named = blocksOf(bytes);
  compare("dictionary", named.dictionary, read.dictionary);
  compare("batch", named.batch, read.batch);
}

function blocksOf(bytes: Uint8Array): Blocks {
  try {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const end = bytes.length - END_BYTES;
    const length = view.getUint32(end, true);
    const footer = new DataView(bytes.buffer, bytes.byteOffset + end - length, length);
    if (length > end) throw new RangeError(`a footer of ${length} bytes in ${end}`);
    const flat = new FlatBuffer(footer, tableCount());
    const root = flat.root();
    return {
      dictionary: flat.longs(root, 2, BLOCK_BYTES),
      batch: flat.longs(root, 3, BLOCK_BYTES),
    };
  } catch (cause) {
    throw invalid("the footer of the file is damaged", cause);
  }
}

function compare(kind: keyof Blocks, named: readonly number[], read: readonly number[]): void {
  const name = kind === "batch" ? "record batches" : "dictionaries";
  if (named.length !== read.length) {
    throw invalid(
      `the file has ${read.length} ${name} before its footer, which names ${named.length}`,
    );
  }
  const other = named.findIndex((offset, i) => offset !== read[i]);
  if (other < 0) return;
  throw invalid(
    `the footer of the file names a ${kind} at byte ${named[other]}, expected ${read[other]}`,
  );
}
