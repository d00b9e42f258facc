/**
 * Comparison of versions.
 *
 * @module
 */

import type { Version } from "./endpoint.ts";

/** Tells whether two versions are one. */
export function sameVersion(a: Version, b: Version): boolean {
  return a.major === b.major && a.minor === b.minor;
}
