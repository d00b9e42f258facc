/**
 * Decodes requests and checks their fields.
 *
 * @module
 */

import {
  create,
  type DescField,
  type DescMessage,
  fromBinary,
  mergeFromBinary,
  type MessageShape,
} from "@bufbuild/protobuf";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { giveWay, inSlices, type Work } from "../../core/pacer.ts";
import { LATEST } from "../../core/range.ts";
import { uuidKey, uuidText } from "../../core/uuid.ts";
import { isLatest } from "../../endpoint/checks.ts";
import { GrpcFailure, GrpcStatus } from "../transport/status.ts";
import { type CountedList, messageParts } from "./message_parts.ts";

/** Most fields of a request: ten thousand streams of a CSV have forty thousand. */
const MAX_FIELDS = 100_000;

/** The same of SQL, and of requests with tags or annotations: 2,000 of them have eight thousand. */
export const FEW_FIELDS = 16_384;

/** Requests up to this length are decoded at once, without counting, in 2 ms at most. */
const FEW_BYTES = 16_384;

/** Requests that do not wait for others before they are decoded: 32 of them are a millisecond or so. */
const VERY_FEW_BYTES = 1_024;

/** Nobody looks at fields that the type of a request does not have. */
const KNOWN = { readUnknownFields: false };

/** Bounds and kind of a request that is decoded. */
interface DecodeOptions {
  /** Most fields. */
  most?: number;
  /** A list that is counted before a long request is decoded. */
  list?: CountedList;
  /** Its kind, when it gives way to others. */
  work?: Work;
}

/**
 * Decodes a request, a long one in steps.
 *
 * @throws {GrpcFailure} INTERNAL, if the bytes are not such a message; RESOURCE_EXHAUSTED, if it has
 *   more than `most` fields, or too many within one.
 * @throws {BTrDBError} What `list` throws.
 */
export async function decode<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
  { most = MAX_FIELDS, list, work = "other" }: DecodeOptions = {},
): Promise<MessageShape<Desc>> {
  try {
    if (bytes.length <= FEW_BYTES) {
      if (bytes.length > VERY_FEW_BYTES) await giveWay(work);
      return fromBinary(schema, bytes, KNOWN);
    }
    return await inSlices(decodeInSteps(schema, bytes, most, list), undefined, work);
  } catch (error) {
    const isAnswer = error instanceof GrpcFailure || error instanceof BTrDBError;
    throw isAnswer ? error : malformed(error);
  }
}

function* decodeInSteps<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
  most: number,
  list: CountedList | undefined,
): Generator<undefined, MessageShape<Desc>> {
  const parts = yield* messageParts(schema, bytes, most, list);
  const message = create(schema);
  for (const part of parts) {
    yield;
    mergeFromBinary(schema, message, part, KNOWN);
  }
  // What is done with it is work of its own.
  yield;
  return message;
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

/** A list, such as that of the streams of a call, of at most so many elements. */
export function atMost(field: DescField, most: number): CountedList {
  return { field, check: (count) => checkCount(count, most) };
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
