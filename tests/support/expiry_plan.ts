/**
 * Points of the crash test of expiry: written by the process that gets killed, and expected by the
 * check after it.
 */

import type { RawColumns } from "../../src/core/columns.ts";

const SECOND = 1_000_000_000n;

/** Streams that are written. */
export const EXPIRY_STREAMS = 3;

/** Time between two rounds, ns. */
const ROUND = 1000n * SECOND;

/** Age at which points expire, ns. */
export const EXPIRY_AGE: bigint = 3n * ROUND + 500n * SECOND;

/** The uuid of a stream. */
export function expiryUuid(stream: number): Uint8Array {
  return new Uint8Array(16).fill(stream + 1);
}

/** The present of a round, ms since the Unix epoch. */
export function expiryNowMs(round: number): number {
  return Number(BigInt(round) * ROUND / 1_000_000n);
}

/** Time before which points are too old in a round, ns. */
export function expiryCutoff(round: number): bigint {
  return BigInt(round) * ROUND - EXPIRY_AGE;
}

/** The points of a round: most of the last seconds, a few late ones, and one that is too old at once. */
export function expiryColumns(stream: number, round: number): RawColumns {
  const n = stream === 0 ? 6000 : 300;
  const base = BigInt(round) * ROUND;
  const times = BigInt64Array.from({ length: n }, (_, i) => base - BigInt(i) * ROUND / BigInt(n));
  for (let i = 0; i < 20; i++) times[i] = base - BigInt(i) * 170n * SECOND - 1n;
  times[20] = base - 9n * ROUND;
  return { times, values: Float64Array.from(times, (_, i) => round * 10_000 + i) };
}
