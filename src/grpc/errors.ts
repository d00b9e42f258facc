/**
 * Errors made from gRPC statuses and response codes (docs/protocol.md, "Statuses and texts").
 *
 * @module
 */

import type { CallOptions } from "../core/call.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { GrpcStatus, grpcStatusName } from "../core/grpc_status.ts";
import type { EndStatus } from "../core/grpc_web.ts";
import { uuidText } from "../core/uuid.ts";
import { withoutKeys } from "./hidden_keys.ts";

/** The call that an error belongs to. */
export interface ErrorContext {
  readonly rpc: string;
  readonly uuid?: Uint8Array | undefined;
}

/** A call and how long it may last. */
export interface CallContext extends ErrorContext {
  readonly options: CallOptions;
}

/** Code and text of a response's `stat`. */
export interface Stat {
  readonly code: number;
  readonly msg: string;
}

const WRAPPED = /^\((\d+): ([\s\S]*)\)$/;
/** A code of BTrDB before the text of a status; 0 and numbers that no code has are text. */
const CODED = /^(?:\[([1-9]\d{0,8})\] ([\s\S]*)|\(([1-9]\d{0,8}): ([\s\S]*)\))$/;

/** Longest text of a server in an error, in UTF-16 units. */
const MAX_TEXT = 1_000;

/** A text of a server as errors have it: without keys, and cut where it is too long. */
function shown(text: string): string {
  const whole = withoutKeys(text);
  if (whole.length <= MAX_TEXT) return whole;
  return `${whole.slice(0, MAX_TEXT)}… (${text.length} characters)`;
}

/** `{ uuid }` in text form, for `BTrDBError`; 16 bytes or nothing. */
function context({ rpc, uuid }: ErrorContext): { rpc: string; uuid?: string } {
  return uuid?.length === 16 ? { rpc, uuid: uuidText(uuid) } : { rpc };
}

/**
 * Throws what `stat` says, if it says anything.
 *
 * @param stat Absent or with code 0 for success.
 * @param call The call that was answered.
 */
export function checkStat(stat: Stat | undefined, call: ErrorContext): void {
  if (stat !== undefined && stat.code !== 0) throw statError(stat, call);
}

/** The error in a response's `stat`; the `(404: …)` around some texts is taken off. */
export function statError(stat: Stat, call: ErrorContext): BTrDBError {
  const text = WRAPPED.exec(stat.msg)?.[2] ?? stat.msg;
  return new BTrDBError(shown(text), { ...context(call), code: stat.code });
}

/**
 * The error of a call that did not end well. A lost peer can show as CANCELLED or INTERNAL as well
 * as UNAVAILABLE; all three are UNAVAILABLE here, because a caller's own abort never comes this
 * way.
 *
 * @param end Status with which the call ended.
 * @param call Name and stream of the call.
 * @param peer Address of the server, for the message.
 */
export function transportError(end: EndStatus, call: ErrorContext, peer: string): BTrDBError {
  const coded = CODED.exec(end.details);
  if (coded !== null) {
    const [, code = coded[3], text = coded[4]!] = coded;
    return new BTrDBError(shown(text), { ...context(call), code: Number(code) });
  }
  if (isLostPeer(end)) return lostPeer(call, peer, end.details);
  const status = grpcStatusName(end.code);
  return new BTrDBError(`${call.rpc} failed at ${peer}: ${shown(end.details) || status}`, {
    ...context(call),
    status,
  });
}

/** The error of a call whose peer is gone. */
export function lostPeer(call: ErrorContext, peer: string, details: string): BTrDBError {
  const reason = shown(details) || "it gave no reason";
  return new BTrDBError(`Lost ${peer} during ${call.rpc}: ${reason}`, {
    ...context(call),
    status: "UNAVAILABLE",
  });
}

/** The error of an answer that holds what was not asked for: nothing of it can be believed. */
export function wrongAnswer(what: string, call: ErrorContext): BTrDBError {
  const message = `Cannot use the answer to ${call.rpc}: ${withoutKeys(what)}`;
  return callError(message, "DATA_LOSS", call);
}

/**
 * Decodes an answer. Bytes that are no message, or one that contradicts itself, are an error of the
 * answer.
 *
 * @param decode Reads it; throws what its `stat` says.
 */
export function decoded<T>(call: ErrorContext, decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    if (error instanceof BTrDBError || !(error instanceof Error)) throw error;
    const what = `it cannot be decoded: ${shown(error.message)}`;
    throw callError(`Cannot use the answer to ${call.rpc}: ${what}`, "DATA_LOSS", call, error);
  }
}

/** The error of a streamed read that went back: it was garbled on its way, and is retried. */
export function repeatedPart(call: ErrorContext): BTrDBError {
  return lostPeer(call, "the server", "a part of the answer came twice");
}

/** An error of ours about a call: code 0 and a gRPC status. */
export function callError(
  message: string,
  status: string,
  call: ErrorContext,
  cause?: unknown,
): BTrDBError {
  return new BTrDBError(message, { ...context(call), status, cause, retryable: false });
}

/** The error of a call whose deadline has passed. */
export function lateError(call: ErrorContext): BTrDBError {
  return callError(`Cannot call ${call.rpc}: the deadline passed`, "DEADLINE_EXCEEDED", call);
}

/** The error of a read of the latest version that cannot be finished because the stream changed. */
export function movedError(what: string, call: ErrorContext): BTrDBError {
  return new BTrDBError(`${what}; read it again, or flush the stream and read that version`, {
    ...context(call),
    status: "ABORTED",
    retryable: true,
  });
}

/**
 * The point that a failed call reached: it never got to a connection; the server says by HTTP/2 that it has
 * not begun to work on it; it ended without a status of the server; or with one.
 */
export type Reach = "unsent" | "refused" | "cut" | "answered";

const reaches = new WeakMap<object, Reach>();

/** Notes how far the call of `error` came. */
export function markReach(error: BTrDBError, reach: Reach): void {
  reaches.set(error, reach);
}

/** Notes that `error` is of the same call as `other`. */
export function copyReach(error: BTrDBError, other: BTrDBError): void {
  const reach = reaches.get(other);
  if (reach !== undefined) reaches.set(error, reach);
}

/**
 * Tells whether the call of `error` had no effect: it never reached a connection, or so says the
 * server.
 */
export function wasUnsent(error: unknown): boolean {
  return reaches.get(error as object) === "unsent" || wasRefused(error);
}

/** Tells whether there is only the word of the server that the call of `error` had no effect. */
export function wasRefused(error: unknown): boolean {
  return reaches.get(error as object) === "refused";
}

/** Message of the transport when the connection ended before a call could begin on it. */
const NEVER_STARTED = "Failed to start HTTP/2 stream";
/**
 * Message of the transport when the server did not process a stream (RFC 9113, section 8.7:
 * REFUSED_STREAM).
 */
const REFUSED = "Stream refused by server";

/** Tells whether the call found its connection gone before anything was sent. */
export function neverStarted({ code, details }: EndStatus): boolean {
  return code === GrpcStatus.INTERNAL && details.startsWith(NEVER_STARTED);
}

/** Tells whether the server says that it has not processed the call. */
export function isRefused({ code, details }: EndStatus): boolean {
  return code === GrpcStatus.UNAVAILABLE && details === REFUSED;
}

/** Tells whether the call ended because the connection did. */
export function isLostPeer(end: EndStatus): boolean {
  const { code, details } = end;
  return code === GrpcStatus.UNAVAILABLE || code === GrpcStatus.CANCELLED || neverStarted(end) ||
    (code === GrpcStatus.INTERNAL && details.includes("RST_STREAM")) ||
    (code === GrpcStatus.UNKNOWN && details === "");
}

/** Tells whether an error says that the peer is gone and nothing more. */
export function isUnavailable(error: unknown): error is BTrDBError {
  return error instanceof BTrDBError && error.code === 0 && error.status === "UNAVAILABLE";
}

/** Codes after which a write may have taken place: the server gave up in the middle. */
const UNCERTAIN: ReadonlySet<number> = new Set<number>([
  ErrorCode.ContextError,
  ErrorCode.EtcdFailure,
  ErrorCode.CephError,
  ErrorCode.JournalError,
  ErrorCode.TieredStorageTemporaryError,
]);

/**
 * Statuses after which a write may have taken place: the answer is lost or cannot be read, or the server
 * or a proxy failed. A page of a proxy with HTTP status 200 is UNKNOWN too.
 */
const UNCLEAR: ReadonlySet<string> = new Set(["UNAVAILABLE", "UNKNOWN", "INTERNAL", "DATA_LOSS"]);

/** Tells whether a write that failed like this may have taken place. */
export function isUncertain(error: unknown): boolean {
  if (!(error instanceof BTrDBError)) return false;
  if (error.code !== 0) return UNCERTAIN.has(error.code);
  // Ended to make room for others, or with an answer that is too long.
  if (error.status === "RESOURCE_EXHAUSTED") return reaches.get(error) === "cut";
  return UNCLEAR.has(error.status) && !wasUnsent(error);
}
