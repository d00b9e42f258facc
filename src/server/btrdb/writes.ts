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
import { atOnce, inSlices } from "../../core/pacer.ts";
import { decodeInsertInSteps, type InsertMessage } from "../../kernel/wire.ts";
import type { Exchange } from "../method.ts";
import type { Call } from "../transport/call.ts";
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
  const { uuid, columns } = await decodePoints(
    call,
    await call.only(),
    settings.maxInsertPointsV4,
  );
  await access.stream("insert", uuid);
  checkInsertSize(columns.times.length, settings.maxInsertPointsV4, uuid);
  const version = await insertInPieces(endpoint, { uuid, columns }, options);
  metrics.pointsInserted += columns.times.length;
  await call.send(versionMessage(version));
}

/** `Insert` of v5: merge policy and rounding. */
export async function insertV5(exchange: Exchange): Promise<void> {
  const { call } = exchange;
  const message = await decodeInsertV5(exchange, await call.only());
  await call.send(await insertDecoded(exchange, message, versionMessage));
}

/**
 * Decodes and checks an `InsertParams` of v5.
 *
 * @throws {GrpcFailure} If it is malformed, or the caller may not insert into the stream.
 * @throws {BTrDBError} If it has too many points, or asks for what the database does not have.
 */
export async function decodeInsertV5(
  { call, endpoint, access }: Exchange,
  bytes: Uint8Array,
): Promise<InsertMessage> {
  const most = insertLimit(endpoint);
  const message = await decodePoints(call, bytes, most);
  const { uuid, columns, mergePolicy, roundBits } = message;
  await access.stream("insert", uuid);
  const { mergePolicies } = endpoint.capabilities;
  checkInsertSize(columns.times.length, most, uuid);
  if (!mergePolicies && (mergePolicy !== "never" || roundBits !== undefined)) {
    throw new BTrDBError("the database behind this server has no merge policies and no rounding", {
      code: ErrorCode.NotImplemented,
    });
  }
  return message;
}

/**
 * Inserts what was decoded. Not an asynchronous function, which keeps half a KiB until it ends: thousands
 * of inserts of a message wait for one transaction, and each collection of garbage would copy that.
 *
 * @param stored Makes the result from the version after it.
 * @param refused Makes the result from the error.
 */
export function insertDecoded<T>(
  { endpoint, metrics, options }: Exchange,
  { uuid, columns, mergePolicy, roundBits }: InsertMessage,
  stored: (version: Version) => T,
  refused?: (error: unknown) => T,
): Promise<T> {
  const request = { uuid, columns, mergePolicy, roundBits };
  const points = columns.times.length;
  return insertInPieces(endpoint, request, options).then((version) => {
    metrics.pointsInserted += points;
    return stored(version);
  }, refused);
}

/** `Delete`. */
export async function deleteRange({ call, endpoint, access, options }: Exchange): Promise<void> {
  const { uuid, start, end } = await decode(DeleteParamsSchema, await call.only());
  await access.stream("delete", uuid);
  await call.send(versionMessage(await endpoint.deleteRange({ uuid, start, end }, options)));
}

/** `Flush`. */
export async function flush({ call, endpoint, access, options }: Exchange): Promise<void> {
  const { uuid } = await decode(FlushParamsSchema, await call.only());
  await access.stream("insert", uuid);
  await call.send(versionMessage(await endpoint.flush(uuid, options)));
}

/** `Obliterate`: refused with 431 where the server was told not to allow it. */
export async function obliterate(
  { call, endpoint, access, settings, options }: Exchange,
): Promise<void> {
  const { uuid } = await decode(ObliterateParamsSchema, await call.only());
  await access.stream("obliterate", uuid);
  if (!settings.allowObliterate) {
    throw new BTrDBError(TEXT.obliterateDisabled, {
      code: ErrorCode.ObliterateDisabled,
    });
  }
  await endpoint.obliterate(uuid, options).finally(() => access.moved(uuid));
  await call.send(toBinary(ObliterateResponseSchema, create(ObliterateResponseSchema)));
}

/** Longest insert that is decoded at once. */
const SHORT_BYTES = 65_536;

/** Decodes an insert, a slice at a time; of more than `most` points only the first ones. */
async function decodePoints(
  call: Call,
  bytes: Uint8Array,
  most: number,
): Promise<InsertMessage> {
  try {
    const steps = decodeInsertInSteps(bytes, most);
    // Short ones do not give way: many in a row would wait behind all reads, one after another.
    if (bytes.length <= SHORT_BYTES) return atOnce(steps);
    return await inSlices(steps, { signal: call.signal });
  } catch (error) {
    call.signal.throwIfAborted();
    if (error instanceof BTrDBError && error.code !== 0) throw error;
    throw malformed(error);
  }
}
