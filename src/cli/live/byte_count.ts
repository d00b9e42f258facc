/**
 * Numbers of bytes as written on a command line.
 *
 * @module
 */

import { usageError } from "../errors.ts";

const UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/**
 * Reads a number of bytes: `64MiB`, `1GiB`, `500MB`, `0`.
 *
 * @param text As written.
 * @param name Option, for the error.
 */
export function parseByteCount(text: string, name: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]i?b|b|)$/i.exec(text.trim());
  const bytes = match === null
    ? NaN
    : Math.round(Number(match[1]) * UNITS[match[2]!.toLowerCase()]!);
  if (Number.isSafeInteger(bytes)) return bytes;
  throw usageError(`Cannot use ${name} ${text}: expected a size`, "for example 64MiB, 1GiB, or 0");
}
