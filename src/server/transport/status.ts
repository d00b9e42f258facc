/**
 * gRPC statuses as they travel in trailers (docs/protocol.md, "Transport").
 *
 * @module
 */

export { GrpcStatus, type GrpcStatusName, grpcStatusName } from "../../core/grpc_status.ts";

/** Ends a call with a gRPC status other than OK. */
export class GrpcFailure extends Error {
  /** One of {@linkcode GrpcStatus}. */
  readonly code: number;

  /**
   * @param code Status code.
   * @param message Text of `grpc-message`.
   */
  constructor(code: number, message: string) {
    super(message);
    this.name = "GrpcFailure";
    this.code = code;
  }
}
