/**
 * Chunk sizes of reads of many streams at once.
 *
 * @module
 */

/** Points that the chunks of all streams of one call hold together: 32 MiB. */
const CALL_POINTS = 2 << 20;

/** Smallest chunk, points: below, starting anew costs more than reading. */
const LEAST_POINTS = 256;

/** Streams up to which chunks are as large as an endpoint likes. */
const FEW_STREAMS = 64;

/**
 * The size of the chunks of each of several streams that are read side by side.
 *
 * @param streams Their number.
 * @returns Points; `undefined` where they are few.
 */
export function chunkSize(streams: number): number | undefined {
  if (streams <= FEW_STREAMS) return undefined;
  return Math.max(LEAST_POINTS, Math.floor(CALL_POINTS / streams));
}
