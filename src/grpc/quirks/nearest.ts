/**
 * The nearest point, from servers that do not look into the first child of a node when they look
 * backward, and that mix up equal times of which some are unflushed (docs/protocol.md, "Quirks of
 * real servers": `nearest-backward-bucket0`, `nearest-buffer-equals`).
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { MIN_TIME } from "../../core/range.ts";
import type { CallOptions, NearestRequest, NearestResult } from "../../endpoint/endpoint.ts";
import { lastPoint } from "./range_search.ts";
import type { Reader } from "../read/reader.ts";

/**
 * The last point strictly before a time. Looking forward is right on every server, so the answer is
 * taken if, seen from just after it, the next point is not before the time; otherwise the point is
 * searched for.
 *
 * @throws {BTrDBError} 401 if there is none.
 */
export async function nearestBackward(
  reader: Reader,
  request: NearestRequest,
  options: CallOptions,
): Promise<NearestResult> {
  const found = await orNone(reader.nearest(request, options));
  const since = found instanceof BTrDBError ? MIN_TIME : found.point.time + 1n;
  if (since < request.time) {
    const forward = { ...request, time: since, backward: false };
    const next = await orNone(reader.nearest(forward, options));
    if (!(next instanceof BTrDBError) && next.point.time < request.time) {
      return await search(reader, request, next, request.time, options);
    }
  }
  if (found instanceof BTrDBError) throw found;
  if (found.version.minor === 0n) return found;
  return await search(reader, request, found, found.point.time + 1n, options);
}

/** The last point from the one that is `known` on, before `end`. */
async function search(
  reader: Reader,
  { uuid, version }: NearestRequest,
  known: NearestResult,
  end: bigint,
  options: CallOptions,
): Promise<NearestResult> {
  const range = { uuid, start: known.point.time, end, version };
  const { version: at, value } = await lastPoint(reader, range, options);
  return value === undefined ? known : { version: at, point: value };
}

/** The result, or the error that says that there is no such point. */
async function orNone(result: Promise<NearestResult>): Promise<NearestResult | BTrDBError> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof BTrDBError && error.code === ErrorCode.NoSuchPoint) return error;
    throw error;
  }
}
