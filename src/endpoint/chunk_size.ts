/**
 * Chunk sizes of reads of many streams at once.
 *
 * @module
 */

/** Points that the chunks of all streams of one call hold together: 32 MiB. */
export const CALL_POINTS: number = 2 << 20;

/** Smallest chunk, points: below, starting anew costs more than reading. */
const LEAST_POINTS = 256;

/** Chunk that an endpoint makes by itself, points. */
const USUAL_POINTS = 32_768;

/**
 * The size of the chunks of each of several streams that are read side by side.
 *
 * @param streams Their number.
 * @param points Points that their chunks may hold together; they hold more where each chunk would be
 *   too small.
 * @returns Points; `undefined` where chunks may be as large as an endpoint likes.
 */
export function chunkSize(streams: number, points: number = CALL_POINTS): number | undefined {
  const chunk = Math.floor(points / streams);
  return chunk >= USUAL_POINTS ? undefined : Math.max(LEAST_POINTS, chunk);
}
