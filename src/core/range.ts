/**
 * The bounds of BTrDB's time axis and tree (docs/protocol.md, "The tree").
 *
 * @module
 */

/**
 * First legal time: −2^60 ns, 1933-06-20T00:01:35.393153024Z.
 *
 * @example In words
 * ```ts
 * import { formatTime, MIN_TIME } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatTime(MIN_TIME), "1933-06-20T00:01:35.393153024Z");
 * ```
 */
export const MIN_TIME: bigint = -(16n << 56n);

/**
 * End of the legal times, exclusive: 3·2^60 ns, 2079-08-08T23:55:13.820540928Z.
 *
 * @example In words
 * ```ts
 * import { formatTime, MAX_TIME } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(formatTime(MAX_TIME), "2079-08-08T23:55:13.820540928Z");
 * ```
 */
export const MAX_TIME: bigint = 48n << 56n;

/** Last time that a request may name, ns: the end of a range over the whole time axis. */
export const LAST_TIME: bigint = MAX_TIME - 1n;

/** Smallest and largest time that a point may have, ns. */
export const STORABLE_TIMES: { readonly first: bigint; readonly last: bigint } = {
  first: MIN_TIME,
  last: LAST_TIME - 1n,
};

/**
 * Largest pointwidth any request may name.
 *
 * @example The widest windows
 * ```ts
 * import { MAX_POINTWIDTH, pointwidthOf } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(pointwidthOf(1n << 80n), MAX_POINTWIDTH);
 * ```
 */
export const MAX_POINTWIDTH = 63;

/**
 * Version number that stands for the latest version, unflushed points included.
 *
 * @example Read the latest version, which is the default
 * ```ts
 * import { connect, LATEST } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * await using db = await connect("memory:");
 * const stream = await db.create(crypto.randomUUID(), "demo");
 * await stream.insert([[1n, 1]]);
 * assertEquals(await stream.count({ version: LATEST }), 1n);
 * ```
 */
export const LATEST: bigint = 0n;
