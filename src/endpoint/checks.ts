/**
 * The checks BTrDB makes before it looks at any data: codes, texts and order of the real server
 * (docs/protocol.md, "Checks"). The engine makes them all; the gRPC client and the server use the
 * same functions where they check before sending or on behalf of a backend.
 *
 * Every function throws a `BTrDBError` whose message is the bare text. {@linkcode statusText} knows
 * the calls of the wire format that wrap it as `(code: text)`.
 *
 * @module
 */

import type { RawColumns } from "../core/columns.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { LAST_TIME, LATEST, MAX_TIME, MIN_TIME } from "../core/range.ts";
import { uuidText } from "../core/uuid.ts";
import type {
  AlignedWindowsRequest,
  ChangesRequest,
  NearestRequest,
  RangeRequest,
  StreamInfoRequest,
  WindowsRequest,
} from "./endpoint.ts";

/** Points one insert may carry on a v4 server. */
export const V4_MAX_INSERT_POINTS = 25_000;
/** Points that fit into the 4 MiB which v5 servers accept in one message, with room to spare. */
export const V5_MAX_INSERT_POINTS = 50_000;

/** Largest width `windows` takes. */
const MAX_WIDTH = 1n << 63n;

/** The other spelling of "latest" on the wire. */
const LATEST_GENERATION = (1n << 64n) - 1n;

/** Texts of errors that do not depend on the arguments, as the real server writes them. */
export const TEXT = {
  streamNotFound: "stream not found",
  streamDoesNotExist: "stream does not exist",
  deleteStreamDoesNotExist: "Stream does not exist",
  noSuchPoint: "no such point",
  streamEmpty: "The stream is empty",
  rangeBounds: "time range out of bounds",
  deleteBounds: "delete time range out of bounds",
  rangeOrder: "start time >= end time",
  nearestBounds: "nearest time out of range",
  insertTooBig: "Insert too big",
  insertBounds: "insert contains points outside valid time interval",
  insertNaN: "insert contains NaN values",
  insertInf: "insert contains Inf values",
  pointwidthBad: "Bad point width",
  pointwidthInvalid: "pointwidth invalid",
  depthInvalid: "window depth invalid",
  widthAbsurd: "window width is absurd",
  resolutionInvalid: "changed ranges resolution invalid",
  versionOrder: "start version after end version",
  omitBoth: "you cannot omit descriptor and version",
  startWith: "starting parameter does not have the prefix",
  limit: "limit parameter must be 0 < limit <= 10000",
  annotationVersion: "stream annotation version does not match",
  obliterateDisabled: "Obliterate is disabled on this node",
  sameTags: "a stream already exists in that collection with identical tags",
} as const;

/** Texts that stay bare in those calls: of errors found before the call takes its course. */
const BARE: ReadonlySet<string> = new Set([
  TEXT.insertTooBig,
  TEXT.pointwidthBad,
  TEXT.obliterateDisabled,
]);

/** Calls whose in-band errors read `(code: text)` on the wire; all others carry the bare text. */
const WRAPPED: ReadonlySet<string> = new Set([
  "Windows",
  "Changes",
  "LookupStreams",
  "Insert",
  "Delete",
  "Flush",
  "Obliterate",
  "SetStreamAnnotations",
  "SetStreamTags",
]);

/**
 * The text of an error as the real server sends it in `Status.msg`.
 *
 * @param rpc Name of the call, e.g. `"Windows"`.
 * @param code BTrDB code.
 * @param text The bare text.
 */
export function statusText(rpc: string, code: number, text: string): string {
  const bare = !WRAPPED.has(rpc) || BARE.has(text);
  return bare ? text : `(${code}: ${text})`;
}

/** Throws the error of a failed check. */
function refuse(code: number, text: string, uuid?: Uint8Array): never {
  throw new BTrDBError(text, uuid === undefined ? { code } : { code, uuid: uuidText(uuid) });
}

/** Tells whether a version number stands for the latest version: 0 or 2^64 − 1. */
export function isLatest(version: bigint): boolean {
  return version === LATEST || version === LATEST_GENERATION;
}

/** The bounds and the order of a range, in the server's order: 413. */
function checkRange(start: bigint, end: bigint, bounds: string, uuid: Uint8Array): void {
  if (start < MIN_TIME || end >= MAX_TIME) refuse(ErrorCode.InvalidTimeRange, bounds, uuid);
  if (start >= end) refuse(ErrorCode.InvalidTimeRange, TEXT.rangeOrder, uuid);
}

/**
 * Checks a request for raw values.
 *
 * @throws {BTrDBError} 413.
 */
export function checkRawValues(request: RangeRequest): void {
  checkRange(request.start, request.end, TEXT.rangeBounds, request.uuid);
}

/**
 * Checks a delete.
 *
 * @throws {BTrDBError} 413.
 */
export function checkDelete(request: Omit<RangeRequest, "version">): void {
  checkRange(request.start, request.end, TEXT.deleteBounds, request.uuid);
}

/**
 * Checks a request for aligned windows.
 *
 * The server turns `end` into the last nanosecond wanted before it compares, in 64 bits with
 * overflow, so a range of a single nanosecond is refused, and `end` may be the end of the legal
 * times when it is aligned.
 *
 * @returns Both ends rounded down to multiples of 2^pointwidth.
 * @throws {BTrDBError} 415, 413.
 */
export function checkAlignedWindows(
  request: AlignedWindowsRequest,
): { start: bigint; end: bigint } {
  const { uuid, pointwidth } = request;
  if (pointwidth > 64) refuse(ErrorCode.InvalidPointWidth, TEXT.pointwidthBad, uuid);
  if (pointwidth > 63) refuse(ErrorCode.InvalidPointWidth, TEXT.pointwidthInvalid, uuid);
  const bits = BigInt(pointwidth);
  const start = (request.start >> bits) << bits;
  const end = (request.end >> bits) << bits;
  checkRange(start, BigInt.asIntN(64, end - 1n), TEXT.rangeBounds, uuid);
  return { start, end };
}

/**
 * Checks a request for windows.
 *
 * The server computes in 64 bits with overflow, and checks the rounded end. Its crash on width 0 is
 * an error here.
 *
 * @returns `end` rounded down to a whole number of windows from `start`.
 * @throws {BTrDBError} 415, 413.
 */
export function checkWindows(request: WindowsRequest): { start: bigint; end: bigint } {
  const { uuid, start, width, depth } = request;
  if (depth > 63) refuse(ErrorCode.InvalidPointWidth, TEXT.depthInvalid, uuid);
  if (width > MAX_WIDTH || width < 1n) refuse(ErrorCode.InvalidPointWidth, TEXT.widthAbsurd, uuid);
  const over = BigInt.asIntN(64, request.end - start) % BigInt.asIntN(64, width);
  const end = BigInt.asIntN(64, request.end - over);
  checkRange(start, end, TEXT.rangeBounds, uuid);
  return { start, end };
}

/**
 * Checks a request for the nearest point.
 *
 * @throws {BTrDBError} 413.
 */
export function checkNearest(request: NearestRequest): void {
  if (request.time < MIN_TIME || request.time >= MAX_TIME) {
    refuse(ErrorCode.InvalidTimeRange, TEXT.nearestBounds, request.uuid);
  }
}

/**
 * Checks a request for changed ranges.
 *
 * @returns `from` as compared with versions: 0 counts as 1.
 * @throws {BTrDBError} 415, 427.
 */
export function checkChanges(request: ChangesRequest): { from: bigint } {
  if (request.resolution > 63) {
    refuse(ErrorCode.InvalidPointWidth, TEXT.resolutionInvalid, request.uuid);
  }
  const from = request.from === 0n ? 1n : request.from;
  if (!isLatest(request.to) && from > request.to) {
    refuse(ErrorCode.InvalidVersions, TEXT.versionOrder, request.uuid);
  }
  return { from };
}

/**
 * Checks the number of points of an insert; the server does so before anything else.
 *
 * @throws {BTrDBError} 414.
 */
export function checkInsertSize(points: number, maxPoints: number, uuid?: Uint8Array): void {
  if (points > maxPoints) refuse(ErrorCode.InsertTooBig, TEXT.insertTooBig, uuid);
}

/**
 * Throws for the first bad point of an insert.
 *
 * @param columns The points.
 * @param index Index of the first bad point, in the order given; `undefined` when there is none.
 * @throws {BTrDBError} 413 for its time, else 425 for its value.
 */
export function checkInsertPoint(
  columns: RawColumns,
  index: number | undefined,
  uuid?: Uint8Array,
): void {
  if (index === undefined) return;
  const time = columns.times[index]!;
  if (time < MIN_TIME || time >= LAST_TIME) {
    refuse(ErrorCode.InvalidTimeRange, TEXT.insertBounds, uuid);
  }
  const text = Number.isNaN(columns.values[index]!) ? TEXT.insertNaN : TEXT.insertInf;
  refuse(ErrorCode.BadValue, text, uuid);
}

/**
 * Checks the mantissa bits an insert keeps.
 *
 * @throws {BTrDBError} 438.
 */
export function checkRoundBits(bits: number | undefined, uuid?: Uint8Array): void {
  if (bits === undefined || (Number.isInteger(bits) && bits >= 0 && bits <= 52)) return;
  refuse(ErrorCode.InvalidParameter, `rounding to ${bits} bits is invalid, expected 0 to 52`, uuid);
}

/**
 * Checks a request for a stream's state.
 *
 * @throws {BTrDBError} 421.
 */
export function checkStreamInfo(request: StreamInfoRequest): void {
  if (request.omitVersion && request.omitDescriptor) {
    refuse(ErrorCode.WrongArgs, TEXT.omitBoth, request.uuid);
  }
}

/**
 * Checks the length of a uuid: one of another length kills real servers, now or later.
 *
 * @throws {BTrDBError} 421 if it has not 16 bytes.
 */
export function checkUuid(uuid: Uint8Array): void {
  if (uuid.length === 16) return;
  const message = `uuid has ${uuid.length} bytes, expected 16`;
  throw new BTrDBError(message, { code: ErrorCode.WrongArgs });
}
