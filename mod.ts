/**
 * The Berkeley Tree Database from TypeScript: one API over clusters (gRPC), a file, and memory.
 *
 * ```ts
 * import { connect, SECOND } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * await using db = await connect("memory:");
 * const stream = await db.create(crypto.randomUUID(), "pmu/substation-7", {
 *   tags: { name: "L1MAG", unit: "volts" },
 * });
 * await stream.insert([["2026-01-01T00:00:00Z", 7200], ["2026-01-01T00:00:00.5Z", 7202]]);
 *
 * const start = "2026-01-01T00:00:00Z";
 * const windows = await stream.windows(start, "2026-01-01T00:01:00Z", SECOND).collect();
 * assertEquals(windows.mean[0], 7201);
 * ```
 *
 * @module
 */

export {
  type CallEvent,
  type CallHooks,
  compactFile,
  connect,
  type ConnectOptions,
  type EmbeddedOptions,
  type RetryEvent,
  type RetryOptions,
  type Span,
  type TlsOptions,
  type Tracer,
  verifyFile,
  type VerifyReport,
} from "./src/connect/mod.ts";
export {
  align,
  type AlignCount,
  type AlignedColumns,
  AlignedQuery,
  type AlignOptions,
  type AlignSource,
  type Fill,
} from "./src/analysis/align.ts";
export {
  type Finding,
  type Findings,
  type GapOptions,
  type GapReport,
  gaps,
  type ScanCost,
} from "./src/analysis/gaps.ts";
export * from "./src/client/mod.ts";
export type { RawColumns, RawPoint, StatColumns, StatPoint } from "./src/core/columns.ts";
export {
  BTrDBError,
  type BTrDBErrorInit,
  ErrorCode,
  type ErrorCodeName,
} from "./src/core/errors.ts";
export type { DurationLike, DurationParts } from "./src/core/duration.ts";
export { pointwidthOf } from "./src/core/pointwidth.ts";
export { LATEST, MAX_POINTWIDTH, MAX_TIME, MIN_TIME } from "./src/core/range.ts";
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
} from "./src/core/time.ts";
export type {
  Mash,
  MashMember,
  MergePolicy,
  PruneResult,
  ServerInfo,
  Version,
} from "./src/endpoint/endpoint.ts";
export type {
  CompactProgress,
  CompactReport,
  ExpiryProgress,
  RetentionRule,
} from "./src/endpoint/retention.ts";
