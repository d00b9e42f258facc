/**
 * The gRPC client: an {@linkcode Endpoint} over protocol v4 or v5.
 *
 * @module
 */

export type { Address } from "./transport/address.ts";
export { parseAddress } from "./transport/address.ts";
export { connectGrpc, type GrpcOptions } from "./connect_grpc.ts";
export type { ConnectionOptions } from "./open.ts";
export type { RetryOptions } from "./call/retry.ts";
export type { CallEvent, CallHooks, RetryEvent, Span, Tracer } from "./transport/telemetry.ts";
