/**
 * Options and results of the calls of a stream.
 *
 * @module
 */

import type { TimeLike } from "../core/time.ts";
import type { MetadataValues } from "./pairs.ts";
import type { RequestOptions } from "../core/request_options.ts";
import type { Compute } from "./windows.ts";

/** Options of reads. */
export interface ReadOptions extends RequestOptions {
  /**
   * Version to read; explicit versions never change.
   *
   * @default {0n} the latest, points in the write buffer included
   */
  version?: bigint | undefined;
}

/** Options of `windows`. */
export interface WindowsOptions extends ReadOptions {
  /**
   * The edges of windows may be off by up to 2^depth ns; a larger depth reads less. 0 to 63.
   *
   * @default {0} exact
   */
  depth?: number | undefined;
  /**
   * The side that computes windows: by the server, here (from aligned windows, or from raw values
   * when `depth` is 0), or wherever it is cheaper.
   *
   * @default {"auto"}
   */
  compute?: Compute | undefined;
}

/** Options of `nearest`. */
export interface NearestOptions extends ReadOptions {
  /**
   * Look for the last point strictly before the time instead of the first at or after it.
   *
   * @default {false}
   */
  backward?: boolean | undefined;
}

/** A point and the version it was read from. */
export interface NearestPoint {
  /** ns since the Unix epoch, UTC. */
  time: bigint;
  /** Value, in the unit of the stream. */
  value: number;
  /** Version of the stream. */
  version: bigint;
}

/** Options of `count`. */
export interface CountOptions extends ReadOptions {
  /** First moment. @default {MIN_TIME} */
  start?: TimeLike | undefined;
  /** End, exclusive. @default {MAX_TIME} */
  end?: TimeLike | undefined;
}

/** Options of changes to metadata. */
export interface CompareAndSetOptions extends RequestOptions {
  /**
   * Change only if this is still the version of the metadata.
   *
   * @default {undefined} read it, and try again while others are faster
   */
  expected?: bigint | undefined;
}

/** Changes of tags and collection, for `setTags`. */
export interface TagChanges {
  /** Tags to set; `null` removes one. */
  tags?: MetadataValues | undefined;
  /** Collection to move the stream to. */
  collection?: string | undefined;
}
