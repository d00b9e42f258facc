/**
 * The seam of the package: every BTrDB operation, in columns. The embedded engine and the gRPC
 * client implement {@linkcode Endpoint}; `BTrDB`, `serve` and the contract suite know only it.
 *
 * Every implementation promises:
 *
 * - Arguments are checked before anything is sent or changed. Mistakes that
 *   BTrDB has a code for are rejected with a `BTrDBError` of that code.
 * - Ranges are half-open `[start, end)` in ns since the Unix epoch, UTC. Version `0n` is the
 *   latest, unflushed points included; any other version is exact and never contains unflushed
 *   points.
 * - A streamed answer yields at least one chunk, also when it is empty, so that the version is
 *   always known; every chunk carries the same version. `return()` (a `break`) and an abort stop
 *   the work on the server. Columns in a chunk belong to the receiver,
 *   unless it has said otherwise ({@linkcode RangeRequest.isLent}).
 * - An abort rejects with `signal.reason`, unchanged. A passed deadline rejects with a `BTrDBError`
 *   of code 0 and status `DEADLINE_EXCEEDED`.
 *
 * @module
 */

import type { CallOptions } from "../core/call.ts";
import type { RawColumns, RawPoint, StatColumns } from "../core/columns.ts";
import type { BTrDBError } from "../core/errors.ts";
import type { PointBlocks } from "../core/point_blocks.ts";
import type {
  CompactCallOptions,
  CompactReport,
  ExpiryCallOptions,
  ExpiryReport,
  RetentionRule,
} from "./retention.ts";

export type { CallOptions, PointBlocks };

/** A version of a stream: commits so far and points buffered since. */
export interface Version {
  /** Counts commits; 10 for a stream without any. */
  major: bigint;
  /** Points in the buffer, not yet in the tree; 0 for explicit versions. */
  minor: bigint;
}

/** Treatment of an inserted point with the time of a stored one (v5, embedded). */
export type MergePolicy = "never" | "equal" | "retain" | "replace";

/** Metadata as sent: `null` stands for "no value", which only v5 and embedded can store. */
export type Metadata = ReadonlyMap<string, string | null>;

/** Abilities of an endpoint beyond protocol v4. */
export interface Capabilities {
  /** Protocol of the endpoint. */
  readonly protocol: "v4" | "v5" | "embedded";
  /** Merge policies and rounding on insert. */
  readonly mergePolicies: boolean;
  /** Tags and collection can change after creation. */
  readonly setTags: boolean;
  /** `sqlQuery`. */
  readonly sql: boolean;
  /** Stat columns carry `stddev`. */
  readonly stddev: boolean;
  /** `subscribe`. */
  readonly subscribe: boolean;
  /** Nothing can be written: another process writes the database. Absent: it is not known. */
  readonly readOnly?: boolean;
  /** Points one `insert` may carry; larger ones are for the caller to split. */
  readonly maxInsertPoints: number;
}

/** A stream's metadata. */
export interface StreamDescriptor {
  /** 16 bytes. */
  uuid: Uint8Array;
  /** Collection of the stream. */
  collection: string;
  /** Its identity within the collection. */
  tags: Metadata;
  /** Annotations of the stream. */
  annotations: Metadata;
  /** Version of the annotations (v5: of tags and collection too); 1 after creation. */
  propertyVersion: bigint;
}

/** One batch of a streamed answer. */
export interface Chunk<Columns> {
  /** Version that all chunks of the answer are of. */
  version: Version;
  /** The points, or the windows. */
  columns: Columns;
}

/** One batch of points of a streamed answer. */
export interface RawChunk extends Chunk<RawColumns> {
  /** Points that are still compressed, where {@linkcode RangeRequest.takesBlocks}: `columns` is empty. */
  blocks?: PointBlocks | undefined;
}

/** One batch of windows of a streamed answer. */
export type StatChunk = Chunk<StatColumns>;

/**
 * One batch of changed ranges, `starts[i]` to `ends[i]`, in the order of the server's walk: mostly
 * ascending, but a range can come after later ones and touch them (docs/protocol.md, "Changes").
 */
export interface ChangesChunk {
  /** Version that all chunks of the answer are of. */
  version: Version;
  /** Starts, ns since the Unix epoch, UTC. */
  starts: BigInt64Array;
  /** Ends, exclusive. */
  ends: BigInt64Array;
}

/** A member of a cluster's mash, as `Info` reports it. */
export interface MashMember {
  /** murmur3-32 of the node's name. */
  hash: number;
  /** Name of the node. */
  nodename: string;
  /** True if it is alive. */
  up: boolean;
  /** True if it takes part. */
  in: boolean;
  /** True if it may take part. */
  enabled: boolean;
  /** First uuid hash it owns. */
  start: bigint;
  /** End of the uuid hashes it owns, exclusive; at most 2^32. */
  end: bigint;
  /** Its share in the hash space, relative to the others'. */
  weight: bigint;
  /** Its share in reads that any node can answer. */
  readPreference: number;
  /** Addresses of its HTTP interface. */
  httpEndpoints: readonly string[];
  /** Addresses of its gRPC interface, `host:port`. */
  grpcEndpoints: readonly string[];
}

/** The cluster map: nodes and the streams they own. */
export interface Mash {
  /** Grows with every change of the mash. */
  revision: bigint;
  /** Name of the leading node. */
  leader: string;
  /** Revision of the leadership. */
  leaderRevision: bigint;
  /** Sum of the members' weights. */
  totalWeight: bigint;
  /** True if every hash has an owner that is up. */
  healthy: boolean;
  /** Share of the hash space without an owner, percent. */
  unmapped: number;
  /** The nodes. */
  members: readonly MashMember[];
}

/** Describes the server or engine behind this endpoint. */
export interface ServerInfo {
  /** Protocol of the endpoint. */
  protocol: "v4" | "v5" | "embedded";
  /** Major version of the server. */
  majorVersion: number;
  /** Minor version of the server. */
  minorVersion: number;
  /** Build of the server, e.g. `"4.15.9"`. */
  build: string;
  /** Absent behind a proxy. */
  mash?: Mash;
  /** Addresses of the proxies, where the cluster is behind one. */
  proxyEndpoints?: readonly string[];
}

/** A range of one stream at one version. */
export interface RangeRequest {
  /** 16 bytes. */
  uuid: Uint8Array;
  /** First time wanted, ns since the Unix epoch, UTC. */
  start: bigint;
  /** End of the times wanted, exclusive. */
  end: bigint;
  /** Major version, `0n` for the latest. */
  version: bigint;
  /**
   * Most points or windows of a chunk, for those who read many streams at once: what is held between
   * chunks shrinks with it. `Infinity`, for raw points: all of them are kept anyway, one chunk is
   * best. Absent: what is fastest. An endpoint that has no say in it ignores it.
   */
  chunk?: number | undefined;
  /**
   * True if whoever takes the next chunk has done with the columns of the one before, so that their
   * memory can be used again. An endpoint that has no use for that ignores it.
   */
  isLent?: boolean | undefined;
  /**
   * True if raw points may come as they are stored, in blocks, for who sends them on like that. An
   * endpoint that has none ignores it.
   */
  takesBlocks?: boolean | undefined;
}

/** Windows of 2^pointwidth ns; both ends are rounded down to multiples of it. */
export interface AlignedWindowsRequest extends RangeRequest {
  /** 0 to 63. */
  pointwidth: number;
}

/** Windows `[start + k·width, start + (k+1)·width)`; `end` is rounded down to a whole window. */
export interface WindowsRequest extends RangeRequest {
  /** ns, 1 to 2^63. */
  width: bigint;
  /** A hint only: results are always exact to the nanosecond. 0 to 63. */
  depth: number;
}

/** The first point at or after `time`, or, backward, the last one strictly before it. */
export interface NearestRequest {
  /** 16 bytes. */
  uuid: Uint8Array;
  /** ns since the Unix epoch, UTC. */
  time: bigint;
  /** Major version, `0n` for the latest. */
  version: bigint;
  /** True to look at earlier times. */
  backward: boolean;
}

/** The point that `nearest` found. */
export interface NearestResult {
  /** Version it was found in. */
  version: Version;
  /** The point. */
  point: RawPoint;
}

/** A request for the changes of the versions `(from, to]`; `to` 0 is the latest. */
export interface ChangesRequest {
  /** 16 bytes. */
  uuid: Uint8Array;
  /** Version whose changes are not included. */
  from: bigint;
  /** Last version whose changes are included. */
  to: bigint;
  /** Granularity: 2^resolution ns, 0 to 63. */
  resolution: number;
}

/** New points for one stream. */
export interface InsertRequest {
  /** 16 bytes. */
  uuid: Uint8Array;
  /** In any order. */
  columns: RawColumns;
  /** Treatment of a time that is taken. @default {"never"} */
  mergePolicy?: MergePolicy | undefined;
  /** Mantissa bits to keep (v5 `RoundSpec`); absent: all. */
  roundBits?: number | undefined;
}

/** A new stream. */
export interface CreateRequest {
  /** 16 bytes. */
  uuid: Uint8Array;
  /** Collection of the stream. */
  collection: string;
  /** Its identity within the collection. */
  tags: Metadata;
  /** Annotations of the stream. */
  annotations: Metadata;
}

/** A compare-and-set of annotations. */
export interface SetAnnotationsRequest {
  /** 16 bytes. */
  uuid: Uint8Array;
  /** Must equal the stored property version. */
  expected: bigint;
  /** Keys to set, with their values. */
  changes: Metadata;
  /** Keys to remove; those that are not there are no error. */
  removals: readonly string[];
}

/** A compare-and-set of tags and collection (v5, embedded). */
export interface SetTagsRequest {
  /** 16 bytes. */
  uuid: Uint8Array;
  /** Must equal the stored property version. */
  expected: bigint;
  /** The empty string leaves the collection as it is. */
  collection: string;
  /** Keys to set, with their values. */
  changes: Metadata;
  /** Keys to remove; those that are not there are no error. */
  removals: readonly string[];
}

/** Conditions, all of which a stream must meet; a `null` value matches any value of the key. */
export interface LookupRequest {
  /** Collection, or what collections begin with; the empty prefix stands for all. */
  collection: string;
  /** True if collections that only begin with `collection` count too. */
  isCollectionPrefix: boolean;
  /** Tags that streams must have. */
  tags: Metadata;
  /** Annotations that streams must have. */
  annotations: Metadata;
}

/** Collections that begin with `prefix`. */
export interface ListCollectionsRequest {
  /** The empty string stands for all. */
  prefix: string;
  /** First name wanted, inclusive, in the order of the UTF-8 bytes of `name + "/"`. */
  startWith?: string | undefined;
  /** Most names wanted; absent: all of them. */
  limit?: number | undefined;
}

/** Number of streams per key. */
export interface MetadataUsage {
  /** Tag keys. */
  tags: ReadonlyMap<string, bigint>;
  /** Annotation keys. */
  annotations: ReadonlyMap<string, bigint>;
}

/** Parts of a stream's state; at least one is asked for. */
export interface StreamInfoRequest {
  /** 16 bytes. */
  uuid: Uint8Array;
  /** Leaves out the version. */
  omitVersion: boolean;
  /** Leaves out the descriptor. */
  omitDescriptor: boolean;
}

/** The parts of a stream's state that were asked for. */
export interface StreamInfo {
  /** Unless it was left out. */
  version?: Version;
  /** Unless it was left out. */
  descriptor?: StreamDescriptor;
}

/** A read-only SQL query on the metadata (v5, embedded), with `$1` parameters. */
export interface SqlRequest {
  /** One `SELECT`. */
  query: string;
  /** Values of `$1`, `$2` and so on. */
  params: readonly string[];
}

/** Options of a SQL query. */
export interface SqlOptions extends CallOptions {
  /** Longest time it may run once it has its turn, ms. */
  limitMs?: number | undefined;
}

/** Options of a subscription. */
export interface SubscribeOptions extends CallOptions {
  /**
   * Those on whose account points wait, such as a key or a connection: what waits for one of them is
   * bounded.
   */
  owners?: readonly unknown[] | undefined;
}

/** Newly inserted points of one of the subscribed streams. */
export interface SubscriptionUpdate {
  /** 16 bytes. */
  uuid: Uint8Array;
  /** The points. All subscribers get the same columns: they must not be written. */
  columns: RawColumns;
}

/** Numbers of versions and blocks that `prune` removed. */
export interface PruneResult {
  /** Versions that can no longer be read. */
  versions: number;
  /** Stored blocks that only they used. */
  blocks: number;
}

/** Every BTrDB operation. See the module's documentation for what holds for all of them. */
export interface Endpoint {
  /** Abilities beyond protocol v4. */
  readonly capabilities: Capabilities;
  /** Describes the server or engine behind this endpoint. */
  info(options?: CallOptions): Promise<ServerInfo>;
  /** Points in `[start, end)` in order of time; points of equal time in order of insertion. */
  rawValues(request: RangeRequest, options?: CallOptions): AsyncIterableIterator<RawChunk>;
  /** Windows that have points, ascending. */
  alignedWindows(
    request: AlignedWindowsRequest,
    options?: CallOptions,
  ): AsyncIterableIterator<StatChunk>;
  /** Exactly ⌊(end − start) / width⌋ windows; those without points are all zero. */
  windows(request: WindowsRequest, options?: CallOptions): AsyncIterableIterator<StatChunk>;
  /** Rejects with code 401 when there is no such point. */
  nearest(request: NearestRequest, options?: CallOptions): Promise<NearestResult>;
  /** Ranges that differ between two versions. */
  changes(request: ChangesRequest, options?: CallOptions): AsyncIterableIterator<ChangesChunk>;
  /** State of a stream; rejects with code 404 when it does not exist. */
  streamInfo(request: StreamInfoRequest, options?: CallOptions): Promise<StreamInfo>;
  /** All points or none; resolves once they are safe, with the version after it. */
  insert(request: InsertRequest, options?: CallOptions): Promise<Version>;
  /** Removes the points in `[start, end)`; older versions keep them. */
  deleteRange(
    request: Omit<RangeRequest, "version">,
    options?: CallOptions,
  ): Promise<Version>;
  /** Commits what is buffered; the version stays when nothing is. */
  flush(uuid: Uint8Array, options?: CallOptions): Promise<Version>;
  /** Removes the stream permanently; its uuid can never be used again. */
  obliterate(uuid: Uint8Array, options?: CallOptions): Promise<void>;
  /** Makes a stream; rejects with code 406 or 429 when it, or its identity, exists. */
  create(request: CreateRequest, options?: CallOptions): Promise<void>;
  /** Changes annotations; rejects with code 423 when another client was first. */
  setAnnotations(request: SetAnnotationsRequest, options?: CallOptions): Promise<void>;
  /** Changes tags and collection; rejects with code 423 when another client was first. */
  setTags(request: SetTagsRequest, options?: CallOptions): Promise<void>;
  /** Streams that meet all conditions. */
  lookupStreams(
    request: LookupRequest,
    options?: CallOptions,
  ): AsyncIterableIterator<StreamDescriptor[]>;
  /** Each once, in the order of the UTF-8 bytes of `name + "/"`. */
  listCollections(
    request: ListCollectionsRequest,
    options?: CallOptions,
  ): AsyncIterableIterator<string[]>;
  /** Number of streams per tag and annotation key, in collections with the prefix. */
  metadataUsage(prefix: string, options?: CallOptions): Promise<MetadataUsage>;
  /** Rows as JSON objects in text form. */
  sqlQuery(request: SqlRequest, options?: SqlOptions): AsyncIterableIterator<string[]>;
  /** Points inserted from now on, until `return()` or an abort. */
  subscribe(
    uuids: readonly Uint8Array[],
    options?: SubscribeOptions,
  ): AsyncIterableIterator<SubscriptionUpdate>;
  /** Removes the versions of a stream below `keep` permanently; only the embedded engine can. */
  prune?(uuid: Uint8Array, keep: bigint, options?: CallOptions): Promise<PruneResult>;
  /** The rules by which points expire, in the order of their prefixes; embedded only, as all below. */
  retention?(options?: CallOptions): Promise<RetentionRule[]>;
  /** Sets a rule, or removes it where `maxAge` is `undefined`. */
  setRetention?(
    prefix: string,
    maxAge: bigint | null | undefined,
    options?: CallOptions,
  ): Promise<void>;
  /** Removes the points that are too old by the rules now. */
  expire?(options?: ExpiryCallOptions): Promise<ExpiryReport>;
  /** Gives room that nothing uses back to the file system. */
  compact?(options?: CompactCallOptions): Promise<CompactReport>;
  /**
   * Opens the same database in threads, for reads of many points; only the embedded engine can, over a
   * file.
   *
   * @param count Number of threads.
   * @throws {TypeError} If the database is in memory.
   */
  openReaders?(count: number): Promise<Readers>;
  /**
   * Why writes, or all calls, fail now: the file was moved, the disk is broken or full. `undefined` if
   * nothing is known of it. Only the embedded engine can tell.
   */
  trouble?(): BTrDBError | undefined;
  /** Finishes what is in flight, then frees everything. Idempotent. */
  close(): Promise<void>;
}

/** A read of points or windows whose answer is made as frames of gRPC (docs/protocol.md, "Messages"). */
export type FramesRequest =
  & {
    /** True for the windows of v5, which have `stddev`. */
    readonly withStddev: boolean;
  }
  & (
    | { readonly method: "rawValues"; readonly request: RangeRequest }
    | { readonly method: "alignedWindows"; readonly request: AlignedWindowsRequest }
    | { readonly method: "windows"; readonly request: WindowsRequest }
  );

/** Messages of a streamed answer that are sent together. */
export interface AnswerFrames {
  /** The messages, each behind its head of five bytes, as gRPC and gRPC-Web send them. */
  readonly frames: Uint8Array;
  /** Number of points or windows in them. */
  readonly points: number;
  /** Gives the memory of the frames back, to be used again; without it, it is left to the collector. */
  done(): void;
}

/**
 * Reads of many points in threads beside the one that writes. Each sees every insert that was
 * acknowledged before it began.
 */
export interface Readers
  extends Pick<Endpoint, "rawValues" | "alignedWindows" | "windows" | "changes" | "close"> {
  /** Reads and encodes in a thread: the messages are those of a server without threads. */
  frames(read: FramesRequest, options?: CallOptions): AsyncIterableIterator<AnswerFrames>;
}
