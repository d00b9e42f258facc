/**
 * Streams of the bench of the plotter.
 *
 * @module
 */

/** Number of streams. */
export const STREAMS = 8;

/** Their collection. */
export const COLLECTION = "bench/line";

/** Time of the first point, ns since the Unix epoch. */
export const START = 1_767_225_600_000_000_000n;

/** Time between two points: 120 Hz. */
export const STEP = 8_333_333n;
