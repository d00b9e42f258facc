/**
 * gRPC statuses as they travel in trailers (docs/protocol.md, "Transport").
 *
 * @module
 */

/** The gRPC status codes. */
export const GrpcStatus = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** The name of a gRPC status, e.g. `"UNAVAILABLE"`. */
export type GrpcStatusName = keyof typeof GrpcStatus;

const NAMES: ReadonlyMap<number, GrpcStatusName> = new Map(
  (Object.entries(GrpcStatus) as [GrpcStatusName, number][]).map(([name, code]) => [code, name]),
);

/** The name of a status code; `"UNKNOWN"` for one that is not in the table. */
export function grpcStatusName(code: number): GrpcStatusName {
  return NAMES.get(code) ?? "UNKNOWN";
}
