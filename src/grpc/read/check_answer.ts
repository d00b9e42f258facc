/**
 * Checks of answers against their questions, for all reads alike. A server that answers another
 * question is believed in nothing.
 *
 * @module
 */

import { uuidText } from "../../core/uuid.ts";
import { isLatest } from "../../endpoint/checks.ts";
import type { LookupRequest, StreamDescriptor, Version } from "../../endpoint/endpoint.ts";
import { type ErrorContext, wrongAnswer } from "../errors.ts";

/**
 * Refuses data of another version than the explicit one that was asked for, and data of version 0, which
 * would stand for the latest one later. Only for answers that hold data: of an empty stream, a real
 * server answers with the version that it has.
 *
 * @throws {BTrDBError} `DATA_LOSS`.
 */
export function checkVersion(asked: bigint, { major }: Version, call: ErrorContext): void {
  if (major === asked && !isLatest(asked)) return;
  if (isLatest(major)) throw wrongAnswer("it has no version", call);
  if (!isLatest(asked)) throw wrongAnswer(`it is of version ${major}, not of ${asked}`, call);
}

/**
 * Refuses uuids of another length than 16 bytes, and streams that were not asked for.
 *
 * @throws {BTrDBError} `DATA_LOSS`.
 */
export function checkStream(uuid: Uint8Array, call: ErrorContext, isAsked = true): void {
  if (uuid.length !== 16 || !isAsked) throw wrongAnswer(`it has uuid "${uuidText(uuid)}"`, call);
}

/** Tells whether a stream is in the collection, or in one below the prefix, of a lookup. */
export function isInside(
  { collection }: StreamDescriptor,
  { collection: asked, isCollectionPrefix }: LookupRequest,
): boolean {
  return isCollectionPrefix ? isBelow(collection, asked) : collection === asked;
}

/** Tells whether a collection has a prefix, as servers see it. */
export function isBelow(collection: string, prefix: string): boolean {
  return `${collection}/`.startsWith(prefix);
}
