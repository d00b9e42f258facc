/**
 * Responses of failed calls: a status in band where BTrDB has a code, a gRPC status for the rest
 * (docs/protocol.md, "Statuses and texts").
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import { BTrDBError } from "../core/errors.ts";
import { statusText } from "../endpoint/checks.ts";
import { FlushResponseSchema } from "../gen/btrdb_v5_pb.ts";
import { GrpcFailure, GrpcStatus, type GrpcStatusName } from "./transport/status.ts";

/** Response of a failed call. */
export type Failure =
  | { kind: "status"; code: number; message: Uint8Array }
  | { kind: "grpc"; code: number; text: string; unexpected: boolean };

/**
 * A response with nothing but a status. All responses have it in the same field, so one form serves
 * every RPC of both protocols.
 */
export function statusMessage(code: number, msg: string): Uint8Array {
  return toBinary(
    FlushResponseSchema,
    create(FlushResponseSchema, { stat: { code, msg } }),
  );
}

/**
 * The response of a call that fails with `error`.
 *
 * @param rpc Name of the RPC, e.g. `"Windows"`.
 * @param error The thrown value.
 * @param signal Of the call: an error after its abort means the abort.
 */
export function failureOf(rpc: string, error: unknown, signal: AbortSignal): Failure {
  const cause = signal.aborted ? signal.reason : error;
  if (cause instanceof GrpcFailure) {
    return { kind: "grpc", code: cause.code, text: shorten(cause.message), unexpected: false };
  }
  if (cause instanceof BTrDBError && cause.code !== 0) {
    const text = shorten(statusText(rpc, cause.code, bareText(cause)));
    return { kind: "status", code: cause.code, message: statusMessage(cause.code, text) };
  }
  if (cause instanceof BTrDBError && cause.status in GrpcStatus) {
    const code = GrpcStatus[cause.status as GrpcStatusName];
    return { kind: "grpc", code, text: shorten(cause.message), unexpected: false };
  }
  if (isMoved(cause)) {
    const code = GrpcStatus.FAILED_PRECONDITION;
    return { kind: "grpc", code, text: FILE_MOVED, unexpected: true };
  }
  return { kind: "grpc", code: GrpcStatus.INTERNAL, text: "internal error", unexpected: true };
}

/** Text for clients about a database file that is not where it was. */
export const FILE_MOVED =
  "the file of the database was moved, replaced or removed: the server must be started again";

/** Tells whether a database file is not where it was, so that no call can succeed any more. */
export function isMoved(error: unknown): boolean {
  return error instanceof BTrDBError && error.status === "MOVED";
}

/** Longest name that an error repeats, UTF-16 units. */
const MAX_NAME = 100;

/** Longest text of an error, UTF-16 units. */
const MAX_TEXT = 2_000;

/** A text whose quoted names are cut, each and all together. */
export function shorten(text: string): string {
  if (text.length <= MAX_NAME) return text;
  const cut = text.replace(/"[^"]*"/g, (name) => {
    return name.length <= MAX_NAME + 2 ? name : `"${cutAt(name.slice(1, -1), MAX_NAME)}…"`;
  });
  return cut.length <= MAX_TEXT ? cut : `${cutAt(cut, MAX_TEXT)}…`;
}

/** The first units of a text, whole characters only. */
function cutAt(text: string, length: number): string {
  return text.slice(0, length).replace(/[\ud800-\udbff]$/, "");
}

/** The text without the code that a server behind this one may have put around it. */
function bareText(error: BTrDBError): string {
  const match = /^\((\d+): (.*)\)$/s.exec(error.message);
  return match !== null && Number(match[1]) === error.code ? match[2]! : error.message;
}
