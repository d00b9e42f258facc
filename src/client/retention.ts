/**
 * Expiry by age and compaction, for databases whose endpoint is the embedded engine.
 *
 * @module
 */

import { describe } from "../core/describe.ts";
import { type DurationLike, toDuration } from "../core/duration.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { type RequestOptions, startCall } from "../core/request_options.ts";
import { uuidText } from "../core/uuid.ts";
import type { Endpoint } from "../endpoint/endpoint.ts";
import type {
  CompactProgress,
  CompactReport,
  ExpiryProgress,
  RetentionRule,
} from "../endpoint/retention.ts";
import { text } from "./arguments.ts";
import { invalidType } from "../core/argument_error.ts";

/** Options of `expire`. */
export interface ExpireOptions extends RequestOptions {
  /** True to count what would expire now, and change nothing. @default {false} */
  dryRun?: boolean | undefined;
  /**
   * Rules to count by, as if the database had them; only with `dryRun`.
   *
   * @default {undefined} those of the database
   */
  rules?: readonly RetentionRule[] | undefined;
  /** Told how far it is, several times a second at most. */
  onProgress?: ((progress: ExpiryProgress) => void) | undefined;
}

/** Result of `expire`. */
export interface ExpireReport extends ExpiryProgress {
  /** Streams that could not be looked at, because they are damaged, with the reason. */
  readonly failed: readonly { readonly uuid: string; readonly message: string }[];
}

/** Options of `compact`. */
export interface CompactOptions extends RequestOptions {
  /**
   * True to write the whole file anew if it was made by a release that did not prepare it for being
   * compacted in steps. Nothing else is done in this process meanwhile, it cannot be stopped, and it
   * needs free disk space of twice the size of what is left.
   *
   * @default {false}
   */
  rewrite?: boolean | undefined;
  /** Told how far it is, after every step. */
  onProgress?: ((progress: CompactProgress) => void) | undefined;
}

/** The error of a database that has no such call. */
function unsupported(action: string): BTrDBError {
  return new BTrDBError(
    `Cannot ${action}: only embedded databases can, where they are opened; see docs/retention.md`,
    { code: ErrorCode.NotImplemented },
  );
}

function checkCallback(action: string, onProgress: unknown): void {
  if (onProgress === undefined || typeof onProgress === "function") return;
  throw invalidType(
    `Cannot ${action}: onProgress is ${describe(onProgress)}, expected a function`,
  );
}

function checkFlag(action: string, value: unknown, name: string): void {
  if (value === undefined || typeof value === "boolean") return;
  throw invalidType(`Cannot ${action}: ${name} is ${describe(value)}, expected a boolean`);
}

/** Sets a rule; see `BTrDB.setRetention`. */
export async function setRetention(
  endpoint: Endpoint,
  collectionPrefix: string,
  maxAge: DurationLike | null,
  options: RequestOptions,
): Promise<void> {
  const action = "set the retention";
  const prefix = text(action, collectionPrefix, "collectionPrefix");
  const call = startCall(action, options);
  const age = ageOf(action, maxAge);
  if (endpoint.setRetention === undefined) throw unsupported(action);
  await endpoint.setRetention(prefix, age, call);
}

/** An age in ns: `undefined` where a rule is to be removed, `null` where points never expire. */
function ageOf(action: string, maxAge: DurationLike | null): bigint | null | undefined {
  if (maxAge === null) return undefined;
  if (maxAge === Infinity) return null;
  const ns = toDuration(action, maxAge, "maxAge");
  return ns === 0n ? undefined : ns;
}

/** The rules; see `BTrDB.retention`. */
export async function retention(
  endpoint: Endpoint,
  options: RequestOptions,
): Promise<RetentionRule[]> {
  const action = "read the retention";
  const call = startCall(action, options);
  if (endpoint.retention === undefined) throw unsupported(action);
  return await endpoint.retention(call);
}

/** Removes what is too old; see `BTrDB.expire`. */
export async function expire(
  endpoint: Endpoint,
  options: ExpireOptions,
): Promise<ExpireReport> {
  const action = "expire";
  const call = startCall(action, options);
  const { dryRun, onProgress, rules } = options;
  checkFlag(action, dryRun, "dryRun");
  if (rules !== undefined && dryRun !== true) {
    throw invalidType(`Cannot ${action}: rules are given, expected dryRun with them`);
  }
  checkCallback(action, onProgress);
  if (endpoint.expire === undefined) throw unsupported(action);
  const report = await endpoint.expire({ ...call, dryRun, onProgress, rules });
  const failed = report.failed.map(({ uuid, message }) => ({ uuid: uuidText(uuid), message }));
  return { ...report, failed };
}

/** Gives room back; see `BTrDB.compact`. */
export async function compact(
  endpoint: Endpoint,
  options: CompactOptions,
): Promise<CompactReport> {
  const action = "compact";
  const call = startCall(action, options);
  const { rewrite, onProgress } = options;
  checkFlag(action, rewrite, "rewrite");
  checkCallback(action, onProgress);
  if (endpoint.compact === undefined) throw unsupported(action);
  return await endpoint.compact({ ...call, rewrite, onProgress });
}
