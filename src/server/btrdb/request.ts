/**
 * Decodes requests and checks their fields.
 *
 * @module
 */

import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { giveWay } from "../../core/pacer.ts";
import { LATEST } from "../../core/range.ts";
import { uuidKey, uuidText } from "../../core/uuid.ts";
import { isLatest } from "../../endpoint/checks.ts";
import { countFields } from "./count_fields.ts";
import { GrpcFailure, GrpcStatus } from "../transport/status.ts";

/** Most fields of a request: ten thousand streams of a CSV have forty thousand. */
const MAX_FIELDS = 100_000;

/** The same of SQL, and of requests with tags or annotations: 2,000 of them have eight thousand. */
export const FEW_FIELDS = 16_384;

/** Requests up to this length are decoded without counting. */
const FEW_BYTES = 65_536;

/**
 * Decodes a request.
 *
 * @throws {GrpcFailure} INTERNAL, if the bytes are not such a message; RESOURCE_EXHAUSTED, if it has
 *   more than `most` fields.
 */
export function decode<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
  most: number = MAX_FIELDS,
): MessageShape<Desc> {
  try {
    if (bytes.length > FEW_BYTES && countFields(schema, bytes, most) > most) {
      throw new GrpcFailure(
        GrpcStatus.RESOURCE_EXHAUSTED,
        `the request has more than ${most} fields`,
      );
    }
    return fromBinary(schema, bytes);
  } catch (error) {
    throw error instanceof GrpcFailure ? error : malformed(error);
  }
}

/** The failure of a call whose request cannot be decoded. */
export function malformed(error: unknown): GrpcFailure {
  const why = error instanceof Error ? error.message : String(error);
  return new GrpcFailure(GrpcStatus.INTERNAL, `grpc: error unmarshalling request: ${why}`);
}

/** The version a request means: both spellings of "latest" are one from here on. */
export function versionOf(version: bigint): bigint {
  return isLatest(version) ? LATEST : version;
}

/**
 * Checks the number of streams a call names.
 *
 * @throws {BTrDBError} 421, if they are too many.
 */
export function checkCount(count: number, most: number): void {
  if (count <= most) return;
  throw new BTrDBError(`the call names ${count} streams, more than the ${most} allowed`, {
    code: ErrorCode.WrongArgs,
  });
}

/** Streams that are checked in one turn of the event loop. */
const CHECKED_AT_ONCE = 2_048;

/**
 * Checks the streams a call names, in steps.
 *
 * @throws {BTrDBError} 421, if they are too many, or one comes twice.
 */
export async function checkStreams(uuids: readonly Uint8Array[], most: number): Promise<void> {
  checkCount(uuids.length, most);
  const seen = new Set<string>();
  for (const [i, uuid] of uuids.entries()) {
    if (i % CHECKED_AT_ONCE === CHECKED_AT_ONCE - 1) await giveWay();
    if (uuid.length !== 16) continue; // The endpoint says what is wrong with it.
    const key = uuidKey(uuid);
    if (seen.has(key)) {
      throw new BTrDBError(`the call names stream ${uuidText(uuid)} more than once`, {
        code: ErrorCode.WrongArgs,
      });
    }
    seen.add(key);
  }
}
