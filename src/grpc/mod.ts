/**
 * The gRPC client: an {@linkcode Endpoint} over protocol v4 or v5.
 *
 * @module
 */

export type { Address } from "./address.ts";
export { parseAddress } from "./address.ts";
export { connectGrpc, type GrpcOptions } from "./connect.ts";
export type { RetryOptions } from "./retry.ts";
export type { CallEvent, CallHooks, Span, Tracer } from "./telemetry.ts";
