/**
 * Checksums of what is stored (CRC-32). Each is seeded with where the thing belongs, so that one
 * that turns up elsewhere does not pass.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { BTrDBError } from "../../core/errors.ts";

/** Most numbers that one checksum has. */
const MAX_NUMBERS = 8;

const numbersOnce = new Float64Array(MAX_NUMBERS);

/** Bytes of so many of {@linkcode numbersOnce}: a new array for every checksum would cost more than it. */
const bytesOfNumbers: readonly Uint8Array[] = Array.from(
  { length: MAX_NUMBERS + 1 },
  (_, n) => new Uint8Array(numbersOnce.buffer, 0, 8 * n),
);

/** Checksum of some numbers, eight at most. */
export function checkNumbers(...numbers: number[]): number {
  // A loop: `set` takes three times as long for a few.
  for (let i = 0; i < numbers.length; i++) numbersOnce[i] = numbers[i]!;
  return crc32(bytesOfNumbers[numbers.length]!);
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
