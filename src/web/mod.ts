/**
 * BTrDB for pages in a browser, and for platforms without `node:`: the same API over gRPC-Web.
 *
 * ```ts ignore
 * import { connect, SECOND } from "@btrdb/btrdb/web";
 *
 * await using db = await connect(); // the server that the page came from
 * for await (const stream of db.lookupStreams("pmu/substation-7")) {
 *   console.log(await stream.windows("2026-01-01T00:00Z", "2026-01-02T00:00Z", 60n * SECOND).collect());
 * }
 * ```
 *
 * @module
 */

export { connect, type WebConnectOptions } from "./connect.ts";
export { kernelBytes, useKernel } from "../kernel/loader.ts";
export type {
  CallEvent,
  CallHooks,
  RetryEvent,
  Span,
  Tracer,
} from "../grpc/transport/telemetry.ts";
export type { RetryOptions } from "../grpc/call/retry.ts";
export {
  align,
  type AlignCount,
  type AlignedColumns,
  AlignedQuery,
  type AlignOptions,
  type AlignSource,
  type Fill,
} from "../analysis/align.ts";
export {
  type Finding,
  type Findings,
  type GapOptions,
  type GapReport,
  gaps,
  type ScanCost,
} from "../analysis/gaps.ts";
export * from "../client/mod.ts";
export type { RawColumns, RawPoint, StatColumns, StatPoint } from "../core/columns.ts";
export { BTrDBError, type BTrDBErrorInit, ErrorCode, type ErrorCodeName } from "../core/errors.ts";
export { pointwidthOf } from "../core/pointwidth.ts";
export { LATEST, MAX_POINTWIDTH, MAX_TIME, MIN_TIME } from "../core/range.ts";
export {
  currentTime,
  DAY,
  formatTime,
  HOUR,
  MICROSECOND,
  MILLISECOND,
  MINUTE,
  NANOSECOND,
  type NanosecondClock,
  SECOND,
  type TimeLike,
  toNanoseconds,
} from "../core/time.ts";
export type { DurationLike, DurationParts } from "../core/duration.ts";
export type {
  CompactProgress,
  CompactReport,
  ExpiryProgress,
  RetentionRule,
} from "../endpoint/retention.ts";
export type {
  Mash,
  MashMember,
  MergePolicy,
  PruneResult,
  ServerInfo,
  Version,
} from "../endpoint/endpoint.ts";
