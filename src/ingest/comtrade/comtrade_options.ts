/**
 * Options of reading records of COMTRADE.
 *
 * @module
 */

import type { TimeRule } from "./sample_times.ts";
import type { StatusChoice } from "./status_points.ts";

/** Side of the transformers on which values are wanted. */
export type ValueSide = "as-is" | "primary" | "secondary";

/** Options of {@linkcode openComtrade}. */
export interface ComtradeOptions {
  /** Source of the times of samples. @default {"auto"} the rate, and stamps where there is none */
  times?: TimeRule | undefined;
  /** Side of the transformers. @default {"as-is"} */
  values?: ValueSide | undefined;
  /** Points of status channels: the first, changes and the last; all; or none. @default {"changes"} */
  status?: StatusChoice | undefined;
  /**
   * Skew of channels: kept in mind only, or applied to the times, so that channels of one record have
   * different ones. @default {"ignore"}
   */
  skew?: "ignore" | "apply" | undefined;
  /** Character encoding of a configuration that is not UTF-8, e.g. `"gb18030"`. */
  encoding?: string | undefined;
  /** Time zone of a recorder that does not say its own. @default {"UTC"} with a notice */
  tz?: string | undefined;
  /** Time of the first sample, ns since 1970, instead of the one in the file. */
  start?: bigint | undefined;
  /** Ends the reading; calls reject with its reason. */
  signal?: AbortSignal | undefined;
}
