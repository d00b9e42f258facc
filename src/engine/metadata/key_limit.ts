/**
 * Bound on the tags and annotations of a stream: each change of one writes, and looks through, all.
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import type { Metadata } from "../../endpoint/endpoint.ts";

/** Most tags and annotations of a stream, and of a request. */
export const MAX_KEYS = 2_000;

/** Number of tags and annotations of a stream. */
export function keysOf({ tags, annotations }: { tags: Metadata; annotations: Metadata }): number {
  return tags.size + annotations.size;
}

/**
 * Checks the number of tags and annotations that a request names, or that a stream would have.
 *
 * @throws {BTrDBError} 421, if they are more than 2,000.
 */
export function checkKeyCount(count: number): void {
  if (count <= MAX_KEYS) return;
  const text = `${count} tags and annotations are too many, expected at most ${MAX_KEYS} a stream`;
  throw new BTrDBError(text, { code: ErrorCode.WrongArgs });
}
