/**
 * The numbers of BTrDB's tree and buffer (docs/protocol.md, "The tree"), and the limits of this
 * engine.
 *
 * @module
 */

import { MIN_TIME } from "../core/range.ts";

/** Children of an inner node. */
export const FANOUT = 64;

/** Pointwidth of the root: its 64 buckets are 2^56 ns wide. */
export const ROOT_POINTWIDTH = 56;

/** Start of the root, ns. */
export const ROOT_START: bigint = MIN_TIME;

/** Points a leaf holds before it is split; leaves of pointwidth 0 are not. */
export const LEAF_POINTS = 1024;

/**
 * Points of a leaf that is not split, above which inserts are refused: such a leaf is read and written
 * as a whole. Flushes of points that are in a buffer already may double it.
 */
export const UNSPLIT_POINTS = 262_144;

/** Points in the buffer of a stream that make it commit. */
export const BUFFER_POINTS = 32_768;

/** Major version of a stream without a commit. */
export const FIRST_MAJOR = 10;

/** Points one insert may carry. */
export const MAX_INSERT_POINTS = 1_048_576;

/** Points per chunk of a streamed answer. */
export const CHUNK_POINTS = 32_768;

/**
 * Points of the first chunks that are lent, and of all later ones; multiples of what a message of a
 * server carries, so that none is put together from two chunks.
 */
export const FIRST_LENT_POINTS = 5_000;
export const LENT_POINTS = 20_000;

/**
 * Windows per chunk of a streamed answer, those of two messages of a server: what hundreds of calls hold
 * whose answers are not read are two or three chunks each.
 */
export const CHUNK_WINDOWS = 10_000;

/** Changed ranges per chunk. */
export const CHUNK_RANGES = 1000;

/**
 * Stream descriptors per chunk of a lookup: those of hundreds of lookups that wait are copied with each
 * collection of garbage.
 */
export const CHUNK_STREAMS = 128;

/** Tags and annotations of a stream that make it as many streams more in a chunk. */
export const STREAM_PROPERTIES = 16;

/** Names per chunk of a listing. */
export const CHUNK_NAMES = 1000;

/** Longest wait of a buffer for its commit by default: eight hours, as in the real server. */
export const MAX_BUFFER_AGE_MS: number = 8 * 3600 * 1000;

/** Points in the buffers of all streams together above which the largest are committed. */
export const MAX_BUFFERED_POINTS = 16_777_216;

/** Streams after which those that were not asked for since as many others are forgotten. */
export const CACHE_STREAMS = 262_144;

/** The pointwidth of the children of an inner node of pointwidth `pointwidth`. */
export function childPointwidth(pointwidth: number): number {
  return pointwidth <= 6 ? 0 : pointwidth - 6;
}

/** Chunks up to which a read is one of thousands, whose nodes are not worth remembering. */
export const MANY_STREAMS_CHUNK = 1024;
