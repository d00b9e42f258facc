/**
 * Expiry and compaction as operations of an endpoint; only the embedded engine has them.
 *
 * @module
 */

import type { CallOptions } from "../core/call.ts";

/** Age at which the points of some collections expire. */
export interface RetentionRule {
  /** The collection, and all below it: `a/b` stands for `a/b` and `a/b/c`; empty: all collections. */
  readonly prefix: string;
  /** Age above which points expire, ns; `null`: they never do, whatever a shorter prefix says. */
  readonly maxAge: bigint | null;
}

/** Points that have expired so far. */
export interface ExpiryProgress {
  /** Streams looked at. */
  readonly looked: number;
  /** Streams that have lost points or versions. */
  readonly streams: number;
  /** Points that have left the latest versions. */
  readonly points: bigint;
}

/** Result of an expiry. */
export interface ExpiryReport extends ExpiryProgress {
  /** Streams that could not be looked at, because they are damaged, with the reason. */
  readonly failed: readonly { readonly uuid: Uint8Array; readonly message: string }[];
}

/** Options of an expiry. */
export interface ExpiryCallOptions extends CallOptions {
  /** True to count what would expire, and change nothing. */
  dryRun?: boolean | undefined;
  /** Rules to count by instead of those of the database; for dry runs. */
  rules?: readonly RetentionRule[] | undefined;
  /** Told how far it is, several times a second at most. */
  onProgress?: ((progress: ExpiryProgress) => void) | undefined;
}

/** Progress of making a file smaller. */
export interface CompactProgress {
  /** Bytes of the database. */
  readonly bytes: number;
  /** Bytes in it that nothing uses. */
  readonly free: number;
}

/** Result of making a file smaller. */
export interface CompactReport {
  /** Bytes of the database before. */
  readonly before: number;
  /** Bytes of the database after. */
  readonly after: number;
  /** Bytes in it that nothing uses, because they were freed meanwhile. */
  readonly free: number;
}

/** Options of making a file smaller. */
export interface CompactCallOptions extends CallOptions {
  /** True to write the whole file anew where it was not made for giving room back in steps. */
  rewrite?: boolean | undefined;
  /** Told how far it is, after every step. */
  onProgress?: ((progress: CompactProgress) => void) | undefined;
}
