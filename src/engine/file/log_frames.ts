/**
 * Reads the frames of a write-ahead log, past SQLite (sqlite.org/fileformat2.html, 4.1 and 4.2).
 *
 * @module
 */

import { readSync } from "node:fs";

/** Bytes of the header of a log, and of the header of a frame. */
const HEADER_BYTES = 32, FRAME_BYTES = 24;

/** Offsets in the header: of the size of pages, of the salts, and of the checksum of all before it. */
const PAGE_SIZE_AT = 8, SALTS_AT = 16, HEADER_SUMS_AT = 24;

/**
 * Offsets in a frame: of the size of the database, which only the last frame of a transaction has, of the
 * salts, and of the checksum of all before these, of the page, and of all frames before.
 */
const COMMIT_AT = 4, FRAME_SALTS_AT = 8, FRAME_SUMS_AT = 16;

/** Two words of 32 bits: a checksum, which is two running sums, or the salts. */
type Words = readonly [number, number];

function wordsAt(bytes: DataView, at: number): Words {
  return [bytes.getUint32(at), bytes.getUint32(at + 4)];
}

/** Number of words that differ. */
function differing(one: Words, other: Words): number {
  return Number(one[0] !== other[0]) + Number(one[1] !== other[1]);
}

/** The checksum `before` continued over some bytes. */
function summedOn(bytes: DataView, before: Words, isLittle: boolean): Words {
  let [one, two] = before;
  for (let at = 0; at < bytes.byteLength; at += 8) {
    one = (one + bytes.getUint32(at, isLittle) + two) >>> 0;
    two = (two + bytes.getUint32(at + 4, isLittle) + one) >>> 0;
  }
  return [one, two];
}

/**
 * Tells whether a checksum may differ from another one because a single one of the words under it does.
 *
 * @param words Number of words, even.
 */
function isOneWordOff(one: Words, other: Words, words: number): boolean {
  const difference = [(one[0] - other[0]) | 0, (one[1] - other[1]) | 0] as const;
  // Added to both sums by 1 more in the first or in the second word of a pair.
  let [first, second]: [Words, Words] = [[1, 1], [0, 1]];
  for (let pair = 0; pair < words / 2; pair++) {
    if (isMultiple(first, difference) || isMultiple(second, difference)) return true;
    first = pairLater(first);
    second = pairLater(second);
  }
  return false;
}

/** The difference of the sums once one more pair of words is added. */
function pairLater([one, two]: Words): Words {
  return [(one + two) | 0, (one + 2 * two) | 0];
}

/** Tells whether a multiple of `unit` modulo 2^32 is `sums`. One of the two of `unit` is odd. */
function isMultiple(unit: Words, sums: Words): boolean {
  const odd = (unit[0] & 1) === 1 ? 0 : 1;
  const factor = Math.imul(sums[odd], inverse(unit[odd]));
  return Math.imul(unit[1 - odd]!, factor) === sums[1 - odd];
}

/** Inverse of an odd number modulo 2^32. */
function inverse(odd: number): number {
  let result = odd; // Right in its lowest 3 bits, and in twice as many with each step.
  for (let bits = 3; bits < 32; bits *= 2) {
    result = Math.imul(result, 2 - Math.imul(odd, result));
  }
  return result;
}

/** Bytes of a file, fewer at its end. */
function readAt(fd: number, at: number, length: number): DataView {
  const bytes = new Uint8Array(length);
  return new DataView(bytes.buffer, 0, readSync(fd, bytes, 0, length, at));
}

/** A frame as far as its header says it. */
export interface FrameHeader {
  /** True if it is the last frame of a transaction. */
  readonly isCommit: boolean;
  /** True if it has a salt of the log: no frame of an earlier one has. */
  readonly isOfLog: boolean;
  /** True if nothing was written there: the log was truncated while its writer had it open. */
  readonly isHole: boolean;
}

/** A frame. */
export interface Frame {
  readonly isCommit: boolean;
  /** Words that must be wrong in it: 0 to 1, or 2 for more. */
  readonly wrongWords: number;
}

/** The frames of a log. */
export class LogFrames {
  readonly #fd: number;
  readonly #isLittle: boolean;
  readonly #sums: Words;
  readonly #salts: Words;
  /** Bytes of a frame. */
  readonly #stride: number;
  /** True if the header is as it was written. */
  readonly hasHeader: boolean;
  /** The salts, as one number. */
  readonly salts: bigint;

  private constructor(fd: number, header: DataView) {
    this.#fd = fd;
    this.#isLittle = (header.getUint32(0) & 1) === 0;
    const summed = new DataView(header.buffer, 0, HEADER_SUMS_AT);
    this.#sums = summedOn(summed, [0, 0], this.#isLittle);
    this.#salts = wordsAt(header, SALTS_AT);
    this.#stride = FRAME_BYTES + header.getUint32(PAGE_SIZE_AT);
    this.hasHeader = differing(this.#sums, wordsAt(header, HEADER_SUMS_AT)) === 0;
    this.salts = header.getBigUint64(SALTS_AT);
  }

  /** Reads the header of a log; `undefined` if it has no frames. */
  static of(fd: number): LogFrames | undefined {
    const header = readAt(fd, 0, HEADER_BYTES + 1);
    return header.byteLength > HEADER_BYTES ? new LogFrames(fd, header) : undefined;
  }

  #read(frame: number, bytes: number): DataView | undefined {
    const read = readAt(this.#fd, HEADER_BYTES + frame * this.#stride, bytes);
    return read.byteLength < bytes ? undefined : read;
  }

  /** Reads the header of the frame behind so many others; `undefined` at the end. */
  headerAt(frame: number): FrameHeader | undefined {
    const header = this.#read(frame, FRAME_BYTES);
    return header === undefined ? undefined : {
      isCommit: header.getUint32(COMMIT_AT) > 0,
      isHole: header.getBigUint64(FRAME_SALTS_AT) === 0n,
      isOfLog: differing(wordsAt(header, FRAME_SALTS_AT), this.#salts) < 2,
    };
  }

  /** Reads the frame behind so many others, of which the last one is whole; `undefined` at the end. */
  at(frame: number): Frame | undefined {
    const before = frame === 0
      ? this.#sums
      : wordsAt(this.#read(frame - 1, FRAME_BYTES)!, FRAME_SUMS_AT);
    const bytes = this.#read(frame, this.#stride);
    if (bytes === undefined) return undefined;
    const head = summedOn(new DataView(bytes.buffer, 0, FRAME_SALTS_AT), before, this.#isLittle);
    const sums = summedOn(new DataView(bytes.buffer, FRAME_BYTES), head, this.#isLittle);
    const wrong = differing(wordsAt(bytes, FRAME_SALTS_AT), this.#salts) +
      this.#wrongUnder(sums, wordsAt(bytes, FRAME_SUMS_AT));
    return { isCommit: bytes.getUint32(COMMIT_AT) > 0, wrongWords: Math.min(wrong, 2) };
  }

  /** Words that must be wrong in a checksum or under it: 0 to 1, or 2 for more. */
  #wrongUnder(sums: Words, noted: Words): number {
    const wrong = differing(sums, noted);
    const words = (this.#stride - FRAME_BYTES + FRAME_SALTS_AT) / 4;
    return wrong === 2 && isOneWordOff(sums, noted, words) ? 1 : wrong;
  }
}
