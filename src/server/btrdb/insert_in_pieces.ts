/**
 * Inserts that are larger than the database behind the server takes at once.
 *
 * @module
 */

import { sliceRaw } from "../../core/columns.ts";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { inSlices } from "../../core/pacer.ts";
import { LAST_TIME, MIN_TIME } from "../../core/range.ts";
import { checkInsertPoint, V5_MAX_INSERT_POINTS } from "../../endpoint/checks.ts";
import type { CallOptions, Endpoint, InsertRequest, Version } from "../../endpoint/endpoint.ts";
import { inspectPointsInSteps } from "../../kernel/find_bad_point.ts";

/** Points that a v5 insert may carry: the protocol's own limit, or more where the database takes more. */
export function insertLimit(endpoint: Endpoint): number {
  return Math.max(V5_MAX_INSERT_POINTS, endpoint.capabilities.maxInsertPoints);
}

/**
 * Inserts points in as few requests as the database takes. Each is stored whole or not at all; bad
 * points are found before the first.
 *
 * @returns The version after the last request.
 * @throws {BTrDBError} The database's own error; 403 if some of the requests were stored: a client
 * that sent all points again would double those.
 */
export function insertInPieces(
  endpoint: Endpoint,
  request: InsertRequest,
  options: CallOptions,
): Promise<Version> {
  const fits = request.columns.times.length <= endpoint.capabilities.maxInsertPoints;
  return fits ? endpoint.insert(request, options) : insertPieces(endpoint, request, options);
}

async function insertPieces(
  endpoint: Endpoint,
  request: InsertRequest,
  options: CallOptions,
): Promise<Version> {
  const { uuid, columns } = request;
  const total = columns.times.length;
  const most = endpoint.capabilities.maxInsertPoints;
  const { bad } = await inSlices(inspectPointsInSteps(columns, MIN_TIME, LAST_TIME), options);
  checkInsertPoint(columns, bad?.index, uuid);
  let version: Version = { major: 0n, minor: 0n };
  for (let from = 0; from < total; from += most) {
    const piece = sliceRaw(columns, from, Math.min(from + most, total));
    try {
      version = await endpoint.insert({ ...request, columns: piece }, options);
    } catch (error) {
      throw from === 0 ? error : partlyStored(error, from, total);
    }
  }
  return version;
}

function partlyStored(cause: unknown, stored: number, total: number): BTrDBError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new BTrDBError(
    `only the first ${stored} of ${total} points are stored, the rest is not: ${why}`,
    { code: ErrorCode.InsertFailure, cause },
  );
}
