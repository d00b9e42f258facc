/**
 * The bounds of BTrDB's time axis and tree (docs/protocol.md, "The tree").
 *
 * @module
 */

/** First legal time: −2^60 ns, 1933-06-20T00:01:35.393153024Z. */
export const MIN_TIME: bigint = -(16n << 56n);

/** End of the legal times, exclusive: 3·2^60 ns, 2079-08-08T23:55:13.820540928Z. */
export const MAX_TIME: bigint = 48n << 56n;

/** Largest point width any request may name. */
export const MAX_POINTWIDTH = 63;

/** Version number that stands for the latest version, unflushed points included. */
export const LATEST: bigint = 0n;
