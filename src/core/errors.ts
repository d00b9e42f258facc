/**
 * BTrDB's error codes and the error class.
 *
 * @module
 */

/**
 * BTrDB's error codes by name (docs/protocol.md, "Error codes"; the table with advice for each is
 * docs/errors.md). 401 to 439 exist on every server, 440 and above on v5 only.
 *
 * @example Branch on a code
 * ```ts
 * import { BTrDBError, connect, ErrorCode } from "@btrdb/btrdb";
 * import { assertEquals } from "@std/assert";
 *
 * await using db = await connect("memory:");
 * let code = 0;
 * try {
 *   await db.streamFromUUID(crypto.randomUUID()).version();
 * } catch (error) {
 *   if (error instanceof BTrDBError) code = error.code;
 * }
 * assertEquals(code, ErrorCode.NoSuchStream);
 * ```
 */
export const ErrorCode = {
  /** `nearest`: no point in that direction. */
  NoSuchPoint: 401,
  /** The server's own deadline passed or its context was cancelled. */
  ContextError: 402,
  InsertFailure: 403,
  /** Unknown stream, or a version that does not exist. */
  NoSuchStream: 404,
  /** This node does not own the stream: re-sync the mash and retry. */
  WrongEndpoint: 405,
  /** A stream with the same collection and tags exists. */
  StreamExists: 406,
  InvalidCollection: 407,
  /** Also for annotation keys. */
  InvalidTagKey: 408,
  /** Also for annotation values. */
  InvalidTagValue: 409,
  AwesomenessExceedsThreshold: 410,
  InvalidLimit: 411,
  AmbiguousTags: 412,
  InvalidTimeRange: 413,
  /** More points in one request than the server takes. */
  InsertTooBig: 414,
  /** Pointwidth, depth, resolution or window width out of range. */
  InvalidPointWidth: 415,
  /** An error without a code of its own. */
  GenericError: 416,
  SameStream: 417,
  AmbiguousStream: 418,
  /** The stream is mapped to no node at present. */
  ClusterDegraded: 419,
  BlazeIt: 420,
  WrongArgs: 421,
  AnnotationTooBig: 422,
  /** Compare-and-set: another client was first. */
  AnnotationVersionMismatch: 423,
  FaultInjectionDisabled: 424,
  /** NaN or Infinity in an insert. */
  BadValue: 425,
  /** The server sheds load. */
  ResourceDepleted: 426,
  /** `changes`: from is above to. */
  InvalidVersions: 427,
  EtcdFailure: 428,
  /** The uuid is or was in use. */
  ReusedUUID: 429,
  ConcurrentModification: 430,
  ObliterateDisabled: 431,
  CephError: 432,
  NodeExisted: 433,
  JournalError: 434,
  ManifestError: 435,
  ManifestDeviceDuplicated: 436,
  Unauthorized: 437,
  InvalidParameter: 438,
  ManifestDeviceDoesntExist: 439,
  MetadataConnectionError: 440,
  BadSQLValue: 441,
  AlreadyExists: 442,
  MissingParameter: 443,
  UnrecognizedParameter: 444,
  ObjectNotFound: 445,
  ObjectInUse: 446,
  OperationNotAllowed: 447,
  TLSError: 448,
  SelectorError: 449,
  /** The version was pruned. */
  VersionNotAvailable: 450,
  OverlappingTrimRange: 452,
  LockFailed: 453,
  NoLeafNode: 454,
  TierCacheError: 455,
  StreamEmpty: 456,
  TieredStorageBackendError: 457,
  TieredStorageOutOfBounds: 458,
  TieredStorageTemporaryError: 459,
  InvariantFailure: 500,
  NotImplemented: 501,
  UnsupportedRollback: 502,
} as const;

/** The name of a BTrDB error code, e.g. `"NoSuchStream"`. */
export type ErrorCodeName = keyof typeof ErrorCode;

const NAMES: ReadonlyMap<number, ErrorCodeName> = new Map(
  (Object.entries(ErrorCode) as [ErrorCodeName, number][]).map(([name, code]) => [code, name]),
);

/** Codes after which the same call may succeed later without any change (docs/errors.md). */
const RETRYABLE: ReadonlySet<number> = new Set([405, 419, 426, 428, 430, 432, 459]);

/** Transport statuses after which the same call may succeed later. */
const RETRYABLE_STATUS: ReadonlySet<string> = new Set(["UNAVAILABLE"]);

/** Fields of a {@linkcode BTrDBError} beside its message. */
export interface BTrDBErrorInit {
  /** BTrDB code; 0 (the default) for transport failures and timeouts. */
  code?: number;
  /** Name of the code, or the gRPC status when `code` is 0. */
  status?: string;
  /** RPC that failed, e.g. `"RawValues"`. */
  rpc?: string | undefined;
  /** Stream concerned, canonical text form. */
  uuid?: string | undefined;
  /** Overrides what the code says about retrying. */
  retryable?: boolean;
  /** The error underneath. */
  cause?: unknown;
}

/**
 * An error a caller may want to branch on: BTrDB answered with an error code, or the transport
 * failed. A mistake in an argument is a `TypeError` or `RangeError` instead, and an abort rejects
 * with the reason of the signal.
 *
 * @example What an error knows
 * ```ts
 * import { BTrDBError, connect } from "@btrdb/btrdb";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * await using db = await connect("memory:");
 * const unknown = db.streamFromUUID("a5fba242-74c8-4e59-ad89-c1565ee3229c");
 * const error = await assertRejects(() => unknown.version(), BTrDBError);
 * assertEquals([error.code, error.status, error.retryable], [404, "NoSuchStream", false]);
 * ```
 */
export class BTrDBError extends Error {
  /** BTrDB code (see {@linkcode ErrorCode}); 0 for transport failures and timeouts. */
  readonly code: number;
  /** Name of the code, e.g. `"NoSuchStream"`, or the gRPC status, e.g. `"UNAVAILABLE"`. */
  readonly status: string;
  /** RPC that failed, where one was under way. */
  readonly rpc: string | undefined;
  /** Stream concerned, canonical text form, where there is one. */
  readonly uuid: string | undefined;
  /** True if the same call may succeed later without any change. */
  readonly retryable: boolean;

  /**
   * An error to throw.
   *
   * @param message Text in sentence case, without a full stop.
   * @param init Code, status and context.
   */
  constructor(message: string, init: BTrDBErrorInit = {}) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = "BTrDBError";
    this.code = init.code ?? 0;
    this.status = init.status ?? statusOf(this.code);
    this.rpc = init.rpc;
    this.uuid = init.uuid;
    this.retryable = init.retryable ?? (RETRYABLE.has(this.code) ||
      (this.code === 0 && RETRYABLE_STATUS.has(this.status)));
  }
}

/**
 * The name of a BTrDB code.
 *
 * @param code Numeric code.
 * @returns Its name in {@linkcode ErrorCode}, `"UNKNOWN"` for 0 and numbers not in the table.
 */
function statusOf(code: number): string {
  return NAMES.get(code) ?? "UNKNOWN";
}
