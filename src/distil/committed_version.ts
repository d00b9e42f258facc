/**
 * Versions that hold everything and never change.
 *
 * @module
 */

import type { Stream } from "../client/stream.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { MAX_TIME, MIN_TIME } from "../core/range.ts";
import type { RequestOptions } from "../core/request_options.ts";

/** Version of a stream without any commit. */
const FIRST_VERSION = 10n;
/** Deletes in a row by other clients that are looked for on servers that do not report them. */
const MAX_UNREPORTED = 64n;

/** Rules by which versions are found. */
export interface VersionRules {
  /** True to commit the points in the write buffer, so that the version holds them. */
  flush: boolean;
  /** True for servers that may report a version before the latest (`stale-major-after-delete`). */
  stale: boolean;
}

/**
 * The latest committed version of a stream.
 *
 * @throws {BTrDBError} 404 if the stream does not exist.
 */
export async function committedVersion(
  stream: Stream,
  { flush, stale }: VersionRules,
  options: RequestOptions,
): Promise<bigint> {
  let { major, minor } = await stream.fullVersion(options);
  if (minor > 0n && flush) major = await stream.flush(options);
  if (!stale || major <= FIRST_VERSION) return major;
  // A 4.15 server goes on reporting the version before a delete until points are committed.
  const most = major + MAX_UNREPORTED;
  while (major < most && await versionExists(stream, major + 1n, options)) major++;
  return major;
}

async function versionExists(
  stream: Stream,
  version: bigint,
  options: RequestOptions,
): Promise<boolean> {
  try {
    await stream.nearest(MIN_TIME, { ...options, version });
    return true;
  } catch (error) {
    if (error instanceof BTrDBError && error.code === ErrorCode.NoSuchStream) return false;
    throw error;
  }
}

/** Windows of a quarter of the time axis. */
const QUARTER = 60;

/**
 * The number of points of a version and their smallest and largest value, as text: two databases
 * that happen to have the same version of a stream hardly ever agree in it.
 *
 * @returns Absent if the version is not available any more.
 */
export async function markOf(
  stream: Stream,
  version: bigint,
  options: RequestOptions,
): Promise<string | undefined> {
  let [points, least, most] = [0n, Infinity, -Infinity];
  try {
    const windows = stream.alignedWindows(MIN_TIME, MAX_TIME, QUARTER, { ...options, version });
    for await (const { count, min, max } of windows) {
      for (let i = 0; i < count.length; i++) {
        points += count[i]!;
        least = Math.min(least, min[i]!);
        most = Math.max(most, max[i]!);
      }
    }
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
  return `${points}:${least}:${most}`;
}

/** Tells whether an error says that a version is not there: pruned, or of another database. */
export function isGone(error: unknown): boolean {
  return error instanceof BTrDBError &&
    (error.code === ErrorCode.VersionNotAvailable || error.code === ErrorCode.NoSuchStream);
}
