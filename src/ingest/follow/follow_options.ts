/**
 * Options of following files, and its result.
 *
 * @module
 */

import { optionError } from "../errors.ts";
import { optionName } from "../open_source.ts";
import type { ImportOptions } from "../options.ts";

/** Options of {@linkcode followFile}; `signal` ends it. */
export interface FollowOptions extends ImportOptions {
  /**
   * Time for which a file that cannot grow, such as Parquet or a compressed one, must not have
   * changed before it is imported, ms, 100 to 3,600,000.
   *
   * @default {2000}
   */
  settleMs?: number | undefined;
}

/** A file that was followed. */
export interface FollowedFileSummary {
  /** Path at which it was seen last. */
  readonly path: string;
  /** Its format; absent if it could not be found out. */
  readonly format: string | undefined;
  /** Rows stored, those of earlier runs included. */
  readonly rows: number;
  /** Points stored, those of earlier runs included. */
  readonly points: number;
  /** Points stored by this run. */
  readonly fresh: number;
  /** Reason for which it was not read to its end. */
  readonly problem: string | undefined;
}

/** Result of following files. */
export interface FollowSummary {
  /** Rows stored by this run. */
  readonly rows: number;
  /** Points stored by this run. */
  readonly fresh: number;
  /** First time stored by this run, ns; absent if it stored nothing. */
  readonly first: bigint | undefined;
  /** Last time stored by this run, ns. */
  readonly last: bigint | undefined;
  /** Streams that were made. */
  readonly created: number;
  /** Files of which this run stored something, or could not store everything. */
  readonly files: readonly FollowedFileSummary[];
  /** Rows and cells that were left out because they could not be read. */
  readonly skipped: { readonly rows: number; readonly cells: number };
  /** Probable mistakes and losses. */
  readonly warnings: readonly string[];
  /** Seconds since the call. */
  readonly seconds: number;
}

/** Options that have no meaning while files grow. */
const REFUSED: readonly (keyof ImportOptions)[] = [
  "live",
  "by",
  "complete",
  "preview",
  "resume",
  "changed",
];

/**
 * Checks options.
 *
 * @throws {ImportError} If one has no meaning here.
 */
export function checkFollowOptions(options: FollowOptions): void {
  for (const key of REFUSED) {
    if (options[key] === undefined || options[key] === false) continue;
    const name = key === "resume" || key === "changed" ? `--${key}` : optionName(key as "live");
    throw optionError(
      `Cannot use ${name} and --follow together`,
      key === "by"
        ? "the streams of a long table are known when all of it was read"
        : key === "complete"
        ? "a last line without a line end may still be written to"
        : "it is what --follow does by itself",
    );
  }
  const { settleMs } = options;
  if (settleMs !== undefined && !(settleMs >= 100 && settleMs <= 3_600_000)) {
    throw optionError(`Cannot follow: settleMs is ${settleMs}, expected 100 to 3600000`);
  }
}
