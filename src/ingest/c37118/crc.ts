/**
 * The checksum of C37.118 frames: CRC-CCITT, polynomial 0x1021, start 0xFFFF, no final mask
 * (IEEE C37.118.2-2011, Annex B).
 *
 * @module
 */

import { checkBytes } from "../../core/check_bytes.ts";
import { integerOption } from "./options.ts";

/** Remainders of single bytes. */
const TABLE: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 8;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  return crc & 0xffff;
});

/** Goes on with a remainder over one byte. */
function step(crc: number, byte: number): number {
  return ((crc << 8) & 0xff00) ^ TABLE[(crc >> 8) ^ byte]!;
}

/**
 * Checksum of a range of bytes.
 *
 * @param bytes Bytes that contain the range.
 * @param start First byte.
 * @param end Behind the last byte.
 * @throws {TypeError | RangeError} If these are no bytes, or the range is not within them.
 */
export function crcCcitt(bytes: Uint8Array, start = 0, end: number = bytes?.length): number {
  checkBytes("make a checksum", "bytes", bytes);
  integerOption("make a checksum", end, "end", 0, bytes.length);
  integerOption("make a checksum", start, "start", 0, end);
  let crc = 0xffff;
  for (let i = start; i < end; i++) crc = step(crc, bytes[i]!);
  return crc;
}

/**
 * Remainders of the beginnings of a buffer, from 0: `prefixes[i + 1]` belongs to its first `i + 1`
 * bytes. With them the checksum of any range costs the same ({@linkcode crcOfRange}), so that bytes
 * made to look like many overlapping frames cost no more than others.
 *
 * @param bytes The buffer.
 * @param prefixes Filled from `start + 1` to `end`; `prefixes[start]` must be right already.
 * @param start First byte without a remainder.
 * @param end Behind the last byte.
 */
export function crcPrefixes(
  bytes: Uint8Array,
  prefixes: Uint16Array,
  start: number,
  end: number,
): void {
  let crc = prefixes[start]!;
  for (let i = start; i < end; i++) prefixes[i + 1] = crc = step(crc, bytes[i]!);
}

/** A remainder moved on by 2^k zero bytes, as a table of its low byte and one of its high byte. */
const SHIFTS: readonly Uint16Array[] = shifts(17);

function shifts(count: number): Uint16Array[] {
  const tables: Uint16Array[] = [];
  for (let k = 0; k < count; k++) {
    const before = tables[k - 1];
    const once = before === undefined
      ? (crc: number): number => step(crc, 0)
      : (crc: number): number => apply(before, apply(before, crc));
    const table = new Uint16Array(512);
    for (let byte = 0; byte < 256; byte++) {
      table[byte] = once(byte);
      table[256 + byte] = once(byte << 8);
    }
    tables.push(table);
  }
  return tables;
}

function apply(table: Uint16Array, crc: number): number {
  return table[crc & 0xff]! ^ table[256 + (crc >> 8)]!;
}

/**
 * Checksum of a range by the remainders of {@linkcode crcPrefixes}, in at most 17 steps.
 *
 * @param prefixes Remainders of the buffer.
 * @param start First byte.
 * @param end Behind the last byte, less than 2^17 behind `start`.
 */
export function crcOfRange(prefixes: Uint16Array, start: number, end: number): number {
  let crc = prefixes[start]! ^ 0xffff;
  for (let k = 0, rest = end - start; rest > 0; k++, rest >>= 1) {
    if (rest & 1) crc = apply(SHIFTS[k]!, crc);
  }
  return crc ^ prefixes[end]!;
}
