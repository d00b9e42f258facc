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
    return { kind: "grpc", code: cause.code, text: cause.message, unexpected: false };
  }
  if (cause instanceof BTrDBError && cause.code !== 0) {
    const text = statusText(rpc, cause.code, bareText(cause));
    return { kind: "status", code: cause.code, message: statusMessage(cause.code, text) };
  }
  if (cause instanceof BTrDBError && cause.status in GrpcStatus) {
    const code = GrpcStatus[cause.status as GrpcStatusName];
    return { kind: "grpc", code, text: cause.message, unexpected: false };
  }
  return { kind: "grpc", code: GrpcStatus.INTERNAL, text: "internal error", unexpected: true };
}

/** The text without the code that a server behind this one may have put around it. */
function bareText(error: BTrDBError): string {
  const match = /^\((\d+): (.*)\)$/s.exec(error.message);
  return match !== null && Number(match[1]) === error.code ? match[2]! : error.message;
}
