/**
 * The words that all frames of C37.118 begin with (IEEE C37.118.2-2011, 6.2.1, Table 2).
 *
 * @module
 */

import { checkBytes } from "../../core/check_bytes.ts";
import { integerOption } from "./options.ts";
import { outOfRange } from "../../core/argument_error.ts";

/** Kind of a frame: data, text header, configuration 1 to 3, or command. */
export type FrameType = "data" | "header" | "cfg1" | "cfg2" | "command" | "cfg3";

/** Kinds of frames, by the number in their second byte. */
export const FRAME_TYPES: readonly FrameType[] = [
  "data",
  "header",
  "cfg1",
  "cfg2",
  "command",
  "cfg3",
];

/** Bytes before the content of a frame. */
export const HEADER_BYTES = 14;
/** Bytes of the checksum behind the content. */
export const CHECKSUM_BYTES = 2;
/** Size of the smallest frame, bytes. */
export const MIN_FRAME_BYTES: number = HEADER_BYTES + CHECKSUM_BYTES;
/** Size of the largest frame that a word of 16 bits can say, bytes. */
export const MAX_FRAME_BYTES = 65_535;

/** Header of a frame: type, version, size, number of the data stream, time and quality. */
export interface FrameHeader {
  /** Kind of the frame. */
  type: FrameType;
  /** Version of the standard: 1 is 2005, 2 is 2011. */
  version: number;
  /** Size of the frame with its checksum, bytes. */
  size: number;
  /** Number of the data stream, 0 to 65535; not that of a PMU in it. */
  idcode: number;
  /** Seconds since the Unix epoch, without leap seconds. */
  soc: number;
  /** Fraction of the second in units of the configuration's `timeBase`, 24 bits. */
  fraction: number;
  /** Time quality of the message, 8 bits: see {@linkcode TimeQuality}. */
  quality: number;
}

/** Type of the frame that two bytes begin, if they can begin one: versions 1 to 3. */
export function frameTypeOf(first: number, second: number): FrameType | undefined {
  const version = second & 0x0f;
  if (first !== 0xaa || second >= 0x60 || version < 1 || version > 3) return undefined;
  return FRAME_TYPES[second >> 4];
}

/**
 * Reads the header of a frame: type, version, size, number of the data stream, time and quality.
 *
 * @param frame One whole frame.
 * @throws {RangeError} If it is none.
 */
export function readFrameHeader(frame: Uint8Array): FrameHeader {
  checkBytes("read the frame", "frame", frame);
  const type = frame.length < MIN_FRAME_BYTES ? undefined : frameTypeOf(frame[0]!, frame[1]!);
  if (type === undefined) {
    throw outOfRange(`Cannot read the frame: ${frame.length} bytes do not begin as one`);
  }
  return frameHeaderAt(new DataView(frame.buffer, frame.byteOffset, frame.length), 0);
}

/** Common words of a frame that is known to be one. */
export function frameHeaderAt(view: DataView, start: number): FrameHeader {
  const second = view.getUint8(start + 1);
  const word = view.getUint32(start + 10);
  return {
    type: FRAME_TYPES[second >> 4]!,
    version: second & 0x0f,
    size: view.getUint16(start + 2),
    idcode: view.getUint16(start + 4),
    soc: view.getUint32(start + 6),
    fraction: word & 0xff_ffff,
    quality: word >>> 24,
  };
}

/** Decoded byte of time quality (6.2.2, Tables 3 and 4). */
export interface TimeQuality {
  /** True if the clock is locked to a source of UTC. */
  locked: boolean;
  /** Largest error, seconds: 0 when locked, `Infinity` when the clock has failed. */
  errorSeconds: number;
  /** True if a leap second will come. */
  leapPending: boolean;
  /** True if a leap second occurred within the last 24 hours. */
  leapOccurred: boolean;
  /** True if the leap second is or was a second removed. */
  leapRemoved: boolean;
}

/**
 * Decodes the byte of time quality of a frame.
 *
 * @throws {RangeError} If it is no byte.
 */
export function timeQualityOf(quality: number): TimeQuality {
  integerOption("read the time quality", quality, "quality", 0, 255);
  const code = quality & 0x0f;
  return {
    locked: code === 0,
    errorSeconds: code === 0 ? 0 : code > 11 ? Infinity : 10 ** (code - 10),
    leapPending: (quality & 0x10) !== 0,
    leapOccurred: (quality & 0x20) !== 0,
    leapRemoved: (quality & 0x40) !== 0,
  };
}
