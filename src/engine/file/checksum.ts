/**
 * Checksums of what is stored (CRC-32). Each is seeded with where the thing belongs, so that one
 * that turns up elsewhere does not pass.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { BTrDBError } from "../../core/errors.ts";

/** Checksum of some numbers. */
export function checkNumbers(...numbers: number[]): number {
  return crc32(new Uint8Array(Float64Array.from(numbers).buffer));
}

/** Checksum of bytes that belong to the place that `numbers` name. */
export function checkBytes(bytes: Uint8Array, ...numbers: number[]): number {
  return crc32(bytes, checkNumbers(...numbers));
}

/** Checksum of texts and bytes, one after another. */
export function checkParts(...parts: (string | Uint8Array)[]): number {
  let sum = 0;
  for (const part of parts) sum = crc32(part, crc32("\0", sum));
  return sum;
}

/** The error of something that is stored damaged. */
export function damaged(what: string): BTrDBError {
  return new BTrDBError(`The database is damaged: ${what}`, { status: "CORRUPT" });
}

/**
 * A value of a row that is bytes, whatever a damaged file has there.
 *
 * @param what Names the row in the error.
 * @throws {BTrDBError} `CORRUPT` if it is none.
 */
export function bytesOf(value: unknown, what: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw damaged(`${what} has no bytes`);
}
