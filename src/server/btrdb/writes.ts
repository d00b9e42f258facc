/**
 * The RPCs that change points.
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import {
  DeleteParamsSchema,
  FlushParamsSchema,
  FlushResponseSchema,
  ObliterateParamsSchema,
  ObliterateResponseSchema,
} from "../../gen/btrdb_v5_pb.ts";
import type { Version } from "../../endpoint/endpoint.ts";
import { checkInsertSize, TEXT } from "../../endpoint/checks.ts";
import { decodeInsert, type InsertMessage } from "../../kernel/wire.ts";
import type { Exchange } from "../method.ts";
import { insertInPieces, insertLimit } from "./insert_in_pieces.ts";
import { decode, malformed } from "./request.ts";

/**
 * A response of nothing but the version: `InsertResponse`, `DeleteResponse` and `FlushResponse` are
 * the same on the wire.
 */
export function versionMessage(version: Version): Uint8Array {
  const response = create(FlushResponseSchema, {
    versionMajor: version.major,
    versionMinor: version.minor,
  });
  return toBinary(FlushResponseSchema, response);
}

/** `Insert` of v4: at most so many points, no merge policy. */
export async function insertV4(
  { call, endpoint, access, metrics, settings, options }: Exchange,
): Promise<void> {
  const { uuid, columns } = decodePoints(await call.only());
  await access.stream("insert", uuid);
  checkInsertSize(columns.times.length, settings.maxInsertPointsV4, uuid);
  const version = await insertInPieces(endpoint, { uuid, columns }, options);
  metrics.pointsInserted += columns.times.length;
  await call.send(versionMessage(version));
}

/** `Insert` of v5: merge policy and rounding. */
export async function insertV5(
  { call, endpoint, access, metrics, options }: Exchange,
): Promise<void> {
  const { uuid, columns, mergePolicy, roundBits } = decodePoints(await call.only());
  await access.stream("insert", uuid);
  const { mergePolicies } = endpoint.capabilities;
  checkInsertSize(columns.times.length, insertLimit(endpoint), uuid);
  if (!mergePolicies && (mergePolicy !== "never" || roundBits !== undefined)) {
    throw new BTrDBError("the database behind this server has no merge policies and no rounding", {
      code: ErrorCode.NotImplemented,
    });
  }
  const request = { uuid, columns, mergePolicy, roundBits };
  const version = await insertInPieces(endpoint, request, options);
  metrics.pointsInserted += columns.times.length;
  await call.send(versionMessage(version));
}

/** `Delete`. */
export async function deleteRange({ call, endpoint, access, options }: Exchange): Promise<void> {
  const { uuid, start, end } = decode(DeleteParamsSchema, await call.only());
  await access.stream("delete", uuid);
  await call.send(versionMessage(await endpoint.deleteRange({ uuid, start, end }, options)));
}

/** `Flush`. */
export async function flush({ call, endpoint, access, options }: Exchange): Promise<void> {
  const { uuid } = decode(FlushParamsSchema, await call.only());
  await access.stream("insert", uuid);
  await call.send(versionMessage(await endpoint.flush(uuid, options)));
}

/** `Obliterate`: refused with 431 where the server was told not to allow it. */
export async function obliterate(
  { call, endpoint, access, settings, options }: Exchange,
): Promise<void> {
  const { uuid } = decode(ObliterateParamsSchema, await call.only());
  await access.stream("obliterate", uuid);
  if (!settings.allowObliterate) {
    throw new BTrDBError(TEXT.obliterateDisabled, {
      code: ErrorCode.ObliterateDisabled,
    });
  }
  await endpoint.obliterate(uuid, options).finally(() => access.moved(uuid));
  await call.send(toBinary(ObliterateResponseSchema, create(ObliterateResponseSchema)));
}

function decodePoints(bytes: Uint8Array): InsertMessage {
  try {
    return decodeInsert(bytes);
  } catch (error) {
    if (error instanceof BTrDBError && error.code !== 0) throw error;
    throw malformed(error);
  }
}
