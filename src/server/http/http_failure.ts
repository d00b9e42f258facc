/**
 * HTTP statuses of failed requests.
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { FILE_MOVED, isMoved, shorten } from "../failures.ts";
import { GrpcFailure, GrpcStatus, type GrpcStatusName } from "../transport/status.ts";

/** Why a request failed, as its client is told. */
export class HttpFailure extends Error {
  /** HTTP status. */
  readonly status: number;
  /** BTrDB's code; 0 if there is none. */
  readonly code: number;
  /** True if nobody foresaw it: the operator is told, the client is not. */
  readonly isUnexpected: boolean;

  /** @param message For the client. */
  constructor(status: number, message: string, code = 0, isUnexpected = false) {
    super(message);
    this.status = status;
    this.code = code;
    this.isUnexpected = isUnexpected;
  }
}

/** Statuses of gRPC's. */
const OF_GRPC: Readonly<Record<number, number>> = {
  [GrpcStatus.CANCELLED]: 499,
  [GrpcStatus.DEADLINE_EXCEEDED]: 504,
  [GrpcStatus.PERMISSION_DENIED]: 403,
  [GrpcStatus.RESOURCE_EXHAUSTED]: 413,
  [GrpcStatus.UNAUTHENTICATED]: 401,
  [GrpcStatus.UNAVAILABLE]: 503,
  [GrpcStatus.UNIMPLEMENTED]: 501,
};

/** Statuses of BTrDB's codes; the others are the server's own fault. */
const OF_CODE: ReadonlyMap<number, number> = new Map<number, number>([
  [ErrorCode.NoSuchPoint, 404],
  [ErrorCode.NoSuchStream, 404],
  [ErrorCode.StreamExists, 409],
  [ErrorCode.ReusedUUID, 409],
  [ErrorCode.AnnotationVersionMismatch, 409],
  [ErrorCode.ContextError, 504],
  [ErrorCode.ResourceDepleted, 503],
  [ErrorCode.ClusterDegraded, 503],
  [ErrorCode.WrongEndpoint, 503],
  ...[407, 408, 409, 411, 412, 413, 414, 415, 421, 422, 425, 427, 438].map((code) =>
    [code, 400] as const
  ),
]);

/**
 * The failure of a request.
 *
 * @param error The thrown value.
 * @param signal Of the request: an error after its abort means the abort.
 */
export function httpFailureOf(error: unknown, signal: AbortSignal): HttpFailure {
  const cause = signal.aborted ? signal.reason : error;
  if (cause instanceof HttpFailure) return cause;
  if (cause instanceof GrpcFailure) {
    return new HttpFailure(OF_GRPC[cause.code] ?? 500, shorten(cause.message));
  }
  if (cause instanceof BTrDBError && cause.code !== 0) {
    return new HttpFailure(OF_CODE.get(cause.code) ?? 500, shorten(cause.message), cause.code);
  }
  if (cause instanceof BTrDBError && cause.status in GrpcStatus) {
    const status = OF_GRPC[GrpcStatus[cause.status as GrpcStatusName]];
    if (status !== undefined) return new HttpFailure(status, shorten(cause.message));
  }
  if (isMoved(cause)) return new HttpFailure(500, FILE_MOVED, 0, true);
  return new HttpFailure(500, "internal error", 0, true);
}
