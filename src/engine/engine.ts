/**
 * The embedded engine as an {@linkcode Endpoint}.
 *
 * @module
 */

import { checkUuid } from "../endpoint/checks.ts";
import { throwIfOver } from "../core/call.ts";
import type { RawColumns, StatColumns } from "../core/columns.ts";
import { emptyRaw, emptyStat } from "../core/columns.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { paced } from "../core/pacer.ts";
import { LAST_TIME, MIN_TIME } from "../core/range.ts";
import { uuidText } from "../core/uuid.ts";
import { inspectPoints, inspectPointsInSteps } from "../kernel/find_bad_point.ts";
import { sortPointsInSteps } from "../kernel/sort.ts";
import {
  checkAlignedWindows,
  checkChanges,
  checkDelete,
  checkInsertPoint,
  checkInsertSize,
  checkNearest,
  checkRawValues,
  checkRoundBits,
  checkStreamInfo,
  checkWindows,
  isLatest,
  TEXT,
} from "../endpoint/checks.ts";
import {
  checkCreate,
  checkListCollections,
  checkLookup,
  checkSetAnnotations,
  checkSetTags,
} from "../endpoint/checks_metadata.ts";
import type {
  AlignedWindowsRequest,
  CallOptions,
  Capabilities,
  ChangesChunk,
  ChangesRequest,
  CreateRequest,
  Endpoint,
  InsertRequest,
  ListCollectionsRequest,
  LookupRequest,
  MetadataUsage,
  NearestRequest,
  NearestResult,
  PruneResult,
  RangeRequest,
  RawChunk,
  Readers,
  ServerInfo,
  SetAnnotationsRequest,
  SetTagsRequest,
  SqlOptions,
  SqlRequest,
  StatChunk,
  StreamDescriptor,
  StreamInfo,
  StreamInfoRequest,
  SubscribeOptions,
  SubscriptionUpdate,
  Version,
  WindowsRequest,
} from "../endpoint/endpoint.ts";
import type {
  CompactCallOptions,
  CompactReport,
  ExpiryCallOptions,
  ExpiryReport,
  RetentionRule,
} from "../endpoint/retention.ts";
import { CHUNK_NAMES, CHUNK_STREAMS, MANY_STREAMS_CHUNK, STREAM_PROPERTIES } from "./constants.ts";
import { checkKeyCount, keysOf } from "./metadata/key_limit.ts";
import { checkSqlInput } from "./metadata/sql.ts";
import { checkAge, rulePrefix } from "./retention/rule_arguments.ts";
import { roundValues } from "./write/merge_policy.ts";
import { chunked, rangeChunks } from "./query/chunks.ts";
import type { Storage } from "./storage.ts";
import { type StreamState, versionOf } from "./stream/registry.ts";
import { pickNearest } from "./query/nearest.ts";
import { explained, latestSnapshot, Reading, snapshotAt } from "./query/snapshot.ts";
import { type BegunSteps, RawSteps, SteppedAnswer, WindowSteps } from "./query/steps.ts";
import type { BlockStore } from "./tree/block_store.ts";
import { namingStream, withStream } from "./tree/missing_block.ts";
import { rawPoints } from "./tree/raw_points.ts";
import { storedChunk, type StoredPart, storedPoints } from "./tree/stored_points.ts";
import type { TreePlace } from "./tree/point_runs.ts";
import { wholePoints } from "./tree/whole_points.ts";
import { changedRanges, joinRanges, rangesOfTimes } from "./tree/changes.ts";
import { denseBufferWindows, sparseBufferWindows } from "./query/buffer_windows.ts";
import { type Grid, treeWindows } from "./tree/windows.ts";
import { fillWindows, mergeWindows } from "./query/merge_windows.ts";
import { Refusal, type Transaction } from "./write/transaction.ts";

function notFound(text: string, uuid: Uint8Array): BTrDBError {
  return new BTrDBError(text, { code: ErrorCode.NoSuchStream, uuid: uuidText(uuid) });
}

/** Points of an insert that are checked before it is queued; those of longer ones in its turn. */
const CHECKED_AT_ONCE = 65_536;

/**
 * Checks the points of a long insert. Yields where it may pause.
 *
 * @returns True if they are in order of time.
 * @throws {BTrDBError} 413 or 425 for the first bad one.
 */
function* checkPoints(columns: RawColumns, uuid: Uint8Array): Generator<undefined, boolean> {
  const { bad, isSorted } = yield* inspectPointsInSteps(columns, MIN_TIME, LAST_TIME);
  checkInsertPoint(columns, bad?.index, uuid);
  return isSorted;
}

/** Work of a task that has written nothing yet, whose errors are the caller's. */
function* refusing<T>(work: Generator<undefined, T>): Generator<undefined, T> {
  try {
    return yield* work;
  } catch (error) {
    throw error instanceof BTrDBError ? new Refusal(error) : error;
  }
}

/**
 * Points in order of time. A generator function that is made for each insert would be kept, with all it
 * sees, until all garbage is collected, since V8 makes an old object for it when it is called.
 */
function* sortedSteps(points: RawColumns, isSorted: boolean): Generator<undefined, RawColumns> {
  return isSorted ? points : yield* sortPointsInSteps(points);
}

/** Most windows of a chunk; absent: what is fastest. */
function finite(chunk: number | undefined): number | undefined {
  return chunk === Infinity ? undefined : chunk;
}

/** A read of windows that has begun. */
interface BegunWindows {
  readonly reading: Reading;
  readonly grid: Grid;
}

/** Does `work`, and explains its error. */
function explaining<T>(explain: (error: unknown) => unknown, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explain(error);
  }
}

/** An {@linkcode Endpoint} over one open database. */
export class Engine implements Endpoint {
  readonly capabilities: Capabilities;
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
    this.capabilities = {
      protocol: "embedded",
      mergePolicies: true,
      setTags: true,
      sql: true,
      stddev: true,
      subscribe: !storage.isReadOnly,
      readOnly: storage.isReadOnly,
      maxInsertPoints: storage.maxInsertPoints,
    };
  }

  /** Bytes of tree nodes and late points in memory. */
  get cachedBytes(): number {
    return this.#storage.store.cachedBytes + this.#storage.versions.cachedBytes;
  }

  info(options?: CallOptions): Promise<ServerInfo> {
    return this.#storage.checked(options, () => ({
      protocol: "embedded",
      majorVersion: 5,
      minorVersion: 0,
      build: "embedded",
    }));
  }

  rawValues(request: RangeRequest, options?: CallOptions): AsyncIterableIterator<RawChunk> {
    const chunk = finite(request.chunk);
    if (chunk === undefined) return this.#rawValues(request, options);
    const begin = () => this.#beginRaw(request, chunk);
    return this.#inSteps<RawColumns>(begin, emptyRaw, options);
  }

  /** Raw points in chunks that are fastest, or in one. */
  async *#rawValues(
    request: RangeRequest,
    options: CallOptions | undefined,
  ): AsyncGenerator<RawChunk> {
    checkRawValues(request);
    const snapshot = this.#snapshot(request.uuid, request.version);
    const { root, late, points } = snapshot;
    const { start, end, chunk, isLent } = request;
    const { store } = this.#storage;
    if (chunk === Infinity) {
      const source = wholePoints(store, root, [late, points], start, end);
      yield* this.#stream<RawColumns>(source, snapshot, emptyRaw, options);
      return;
    }
    if (request.takesBlocks === true) {
      const parts = storedPoints(store, root, [late, points], start, end);
      for await (const part of this.#stream<StoredPart>(parts, snapshot, emptyRaw, options)) {
        yield storedChunk(part);
      }
      return;
    }
    const sizes = isLent === true ? "lent" : undefined;
    const source = rawPoints(store, root, [late, points], start, end, sizes);
    yield* this.#stream<RawColumns>(source, snapshot, emptyRaw, options);
  }

  /** Begins to read raw points, so many a step. */
  #beginRaw(request: RangeRequest, chunk: number): BegunSteps<RawColumns> {
    checkRawValues(request);
    const { start, end } = request;
    const reading = this.#snapshot(request.uuid, request.version);
    const store = this.#store(chunk);
    const place: TreePlace = {};
    const open = (from: bigint, most: number) => {
      return rawPoints(store, reading.root, [reading.late, reading.points], from, end, most, place);
    };
    return { reading, steps: new RawSteps(open, start, chunk) };
  }

  alignedWindows(
    request: AlignedWindowsRequest,
    options?: CallOptions,
  ): AsyncIterableIterator<StatChunk> {
    const begin = (): BegunWindows => {
      const { start, end } = checkAlignedWindows(request);
      const reading = this.#snapshot(request.uuid, request.version);
      return { reading, grid: { start, end, width: 1n << BigInt(request.pointwidth) } };
    };
    const chunk = finite(request.chunk);
    return this.#gridWindows(begin, chunk, options, (reading, grid) => {
      return this.#windows(reading, grid, chunk, sparseBufferWindows);
    });
  }

  windows(request: WindowsRequest, options?: CallOptions): AsyncIterableIterator<StatChunk> {
    const begin = (): BegunWindows => {
      const { start, end } = checkWindows(request);
      const reading = this.#snapshot(request.uuid, request.version);
      return { reading, grid: { start, end, width: request.width } };
    };
    const chunk = finite(request.chunk);
    return this.#gridWindows(begin, chunk, options, (reading, grid) => {
      const sparse = this.#windows(reading, grid, chunk, denseBufferWindows);
      return fillWindows(sparse, grid, chunk);
    });
  }

  /** The windows of a grid, in steps where the chunks are to be small. */
  #gridWindows(
    begin: () => BegunWindows,
    chunk: number | undefined,
    options: CallOptions | undefined,
    open: (reading: Reading, grid: Grid) => Iterable<StatColumns | undefined>,
  ): AsyncIterableIterator<StatChunk> {
    if (chunk === undefined) return this.#allWindows(begin, open, options);
    const beginSteps = () => {
      const { reading, grid } = begin();
      const { end, width } = grid;
      const openFrom = (start: bigint) => open(reading, { start, end, width });
      return { reading, steps: new WindowSteps(openFrom, grid, chunk) };
    };
    return this.#inSteps<StatColumns>(beginSteps, emptyStat, options);
  }

  /** The windows of a grid in chunks that are fastest. */
  async *#allWindows(
    begin: () => BegunWindows,
    open: (reading: Reading, grid: Grid) => Iterable<StatColumns | undefined>,
    options: CallOptions | undefined,
  ): AsyncGenerator<StatChunk> {
    const { reading, grid } = begin();
    yield* this.#stream<StatColumns>(open(reading, grid), reading, emptyStat, options);
  }

  /** An answer in steps. */
  #inSteps<C>(
    begin: () => BegunSteps<C>,
    empty: () => C,
    options: CallOptions | undefined,
  ): SteppedAnswer<C> {
    const read = ({ reading, steps }: BegunSteps<C>): AsyncIterable<C> => {
      return paced(this.#storage.translated(explained(steps.next(), reading)), options);
    };
    return new SteppedAnswer(begin, read, empty);
  }

  /** The nodes for a read in chunks of so many points. */
  #store(chunk: number | undefined): BlockStore {
    const { store } = this.#storage;
    return (chunk ?? Infinity) <= MANY_STREAMS_CHUNK ? store.passing : store;
  }

  #windows(
    snapshot: Reading,
    grid: Grid,
    chunk: number | undefined,
    ofBuffer: (snapshot: Reading, grid: Grid) => StatColumns,
  ): Iterable<StatColumns | undefined> {
    const { root, late } = snapshot;
    const ofTree = treeWindows(this.#store(chunk), root, late, grid, chunk);
    if (snapshot.buffer.length === 0) return ofTree;
    return mergeWindows(ofTree, ofBuffer(snapshot, grid));
  }

  /** Chunks of columns with their version; at least one. */
  async *#stream<C>(
    source: Iterable<C | undefined>,
    snapshot: Reading,
    empty: () => C,
    options: CallOptions | undefined,
  ): AsyncGenerator<{ version: Version; columns: C }> {
    const { version } = snapshot;
    let any = false;
    const columnsOf = this.#storage.translated(explained(source, snapshot));
    for await (const columns of paced(columnsOf, options)) {
      any = true;
      yield { version, columns };
    }
    if (!any) yield { version, columns: empty() };
  }

  nearest(request: NearestRequest, options?: CallOptions): Promise<NearestResult> {
    return this.#storage.checked(options, () => {
      checkNearest(request);
      const snapshot = this.#snapshot(request.uuid, request.version);
      const { time, backward } = request;
      const point = explaining((error) => snapshot.explain(error), () => {
        return pickNearest(this.#storage.store, snapshot, time, backward);
      });
      if (point !== undefined) return { version: snapshot.version, point };
      const emptyTree = !isLatest(request.version) && snapshot.root === 0;
      throw new BTrDBError(emptyTree ? TEXT.streamEmpty : TEXT.noSuchPoint, {
        code: ErrorCode.NoSuchPoint,
        uuid: uuidText(request.uuid),
      });
    });
  }

  async *changes(
    request: ChangesRequest,
    options?: CallOptions,
  ): AsyncIterableIterator<ChangesChunk> {
    const { from } = checkChanges(request);
    const snapshot = this.#snapshot(request.uuid, request.to);
    const { version, root, late, points } = snapshot;
    const { resolution } = request;
    const inTree = changedRanges(this.#storage.store, root, late, Number(from), resolution);
    const ranges = isLatest(request.to)
      ? joinRanges(inTree, rangesOfTimes(points.times, resolution))
      : inTree;
    let any = false;
    const chunks = this.#storage.translated(explained(rangeChunks(ranges), snapshot));
    for await (const chunk of paced(chunks, options)) {
      any = true;
      yield { version, ...chunk };
    }
    if (!any) yield { version, starts: new BigInt64Array(0), ends: new BigInt64Array(0) };
  }

  streamInfo(request: StreamInfoRequest, options?: CallOptions): Promise<StreamInfo> {
    return this.#storage.checked(options, () => {
      checkStreamInfo(request);
      const state = this.#existing(request.uuid);
      const info: StreamInfo = {};
      if (!request.omitVersion) info.version = versionOf(state.head);
      if (!request.omitDescriptor) info.descriptor = this.#descriptor(request.uuid);
      return info;
    });
  }

  insert(request: InsertRequest, options?: CallOptions): Promise<Version> {
    return this.#storage.checked(options, () => {
      const { uuid, columns, mergePolicy = "never", roundBits } = request;
      const n = columns.times.length;
      checkInsertSize(n, this.capabilities.maxInsertPoints, uuid);
      const isLong = n > CHECKED_AT_ONCE;
      if (!isLong) {
        const { bad } = inspectPoints(columns, MIN_TIME, LAST_TIME);
        checkInsertPoint(columns, bad?.index, uuid);
      }
      checkRoundBits(roundBits, uuid);
      const { hub, points: writer, streams } = this.#storage;
      const isAsGiven = isLong && mergePolicy === "never" && roundBits === undefined;
      const known = isAsGiven ? streams.get(uuid) : undefined;
      const ready = known && writer.packAhead(known, columns);
      const added = (news: RawColumns) => hub.publish(uuid, news);
      const write = (
        tx: Transaction,
        state: StreamState,
        points: RawColumns,
        isSorted: boolean,
      ) => {
        const sorted = () => sortedSteps(points, isSorted);
        return writer.insert(tx, state, points, sorted, mergePolicy, added, ready);
      };
      const isPlain = !isLong && roundBits === undefined;
      const run = isPlain
        ? (tx: Transaction, state: StreamState) => write(tx, state, columns, false)
        : function* (tx: Transaction, state: StreamState) {
          const isSorted = isLong && (yield* refusing(checkPoints(columns, uuid)));
          const points = roundBits === undefined
            ? columns
            : { times: columns.times, values: yield* roundValues(columns.values, roundBits) };
          return yield* write(tx, state, points, isSorted);
        };
      const written = this.#write(
        uuid,
        TEXT.streamDoesNotExist,
        n,
        run,
        options,
      );
      return ready === undefined ? written : written.finally(() => ready.end());
    });
  }

  deleteRange(
    request: Omit<RangeRequest, "version">,
    options?: CallOptions,
  ): Promise<Version> {
    return this.#storage.checked(options, () => {
      checkDelete(request);
      const { uuid, start, end } = request;
      return this.#write(uuid, TEXT.deleteStreamDoesNotExist, 0, (tx, state) => {
        return this.#storage.points.deleteRange(tx, state, start, end);
      }, options);
    });
  }

  flush(uuid: Uint8Array, options?: CallOptions): Promise<Version> {
    return this.#write(uuid, TEXT.streamDoesNotExist, 0, (tx, state) => {
      return this.#storage.points.flush(tx, state);
    }, options);
  }

  /** Queues a change of the points of one stream. */
  #write(
    uuid: Uint8Array,
    missing: string,
    points: number,
    run: (tx: Transaction, state: StreamState) => Generator<undefined, Version>,
    options: CallOptions | undefined,
  ): Promise<Version> {
    return this.#storage.submit({
      points,
      kind: "points",
      run: (tx) => {
        const state = this.#storage.streams.get(uuid);
        if (state === undefined) throw new Refusal(notFound(missing, uuid));
        return namingStream(uuid, run(tx, state));
      },
    }, options);
  }

  obliterate(uuid: Uint8Array, options?: CallOptions): Promise<void> {
    return this.#storage.removals.obliterate(uuid, options);
  }

  create(request: CreateRequest, options?: CallOptions): Promise<void> {
    return this.#storage.checked(options, () => {
      checkUuid(request.uuid);
      checkKeyCount(keysOf(request));
      checkCreate(request);
      return this.#storage.createStream(request, options);
    });
  }

  setAnnotations(request: SetAnnotationsRequest, options?: CallOptions): Promise<void> {
    return this.#storage.checked(options, () => {
      checkKeyCount(request.changes.size + request.removals.length);
      checkSetAnnotations(request);
      return this.#storage.changeStream(request, options);
    });
  }

  setTags(request: SetTagsRequest, options?: CallOptions): Promise<void> {
    return this.#storage.checked(options, () => {
      checkKeyCount(request.changes.size + request.removals.length);
      checkSetTags(request);
      return this.#storage.changeStream(request, options);
    });
  }

  async *lookupStreams(
    request: LookupRequest,
    options?: CallOptions,
  ): AsyncIterableIterator<StreamDescriptor[]> {
    throwIfOver(options, "look up streams");
    checkKeyCount(keysOf(request));
    checkLookup(request);
    const weigh = (stream: StreamDescriptor) => Math.max(1, keysOf(stream) / STREAM_PROPERTIES);
    yield* this.#list(this.#storage.metadata.lookup(request), CHUNK_STREAMS, options, weigh);
  }

  async *listCollections(
    request: ListCollectionsRequest,
    options?: CallOptions,
  ): AsyncIterableIterator<string[]> {
    throwIfOver(options, "list collections");
    checkListCollections(request);
    yield* this.#list(this.#storage.metadata.collections(request), CHUNK_NAMES, options);
  }

  async metadataUsage(prefix: string, options?: CallOptions): Promise<MetadataUsage> {
    await this.#storage.checked(options, () => {});
    const source = this.#storage.translated(this.#storage.metadata.usage(prefix));
    let usage: MetadataUsage | undefined;
    for await (const answer of paced(source, options)) usage = answer;
    return usage!;
  }

  /** Chunks of a long list; at least one. */
  async *#list<T>(
    items: Iterable<T | undefined>,
    chunk: number,
    options: CallOptions | undefined,
    weigh?: (item: T) => number,
  ): AsyncGenerator<T[]> {
    await this.#storage.checked(options, () => {});
    yield* paced(this.#storage.translated(chunked(items, chunk, weigh)), options);
  }

  async *sqlQuery(request: SqlRequest, options?: SqlOptions): AsyncIterableIterator<string[]> {
    // Not on one state: a reader must not hold a transaction open while the thread works.
    await this.#storage.checked(options, () => checkSqlInput(request));
    const rows = await this.#storage.sql.run(request, options);
    yield* paced(this.#storage.sql.results.batches(rows), options);
  }

  /**
   * Removes the versions of a stream below `keep` permanently, and the room that only they take. The
   * versions from `keep` on answer as before; the removed ones with code 450. The file does not
   * shrink, the room is used again.
   *
   * @param uuid 16 bytes.
   * @param keep Oldest version to keep; at most the latest.
   * @returns Number of versions and blocks removed.
   * @throws {BTrDBError} 404 for an unknown stream, 427 when `keep` is above the latest version.
   */
  prune(uuid: Uint8Array, keep: bigint, options?: CallOptions): Promise<PruneResult> {
    return this.#storage.removals.prune(uuid, keep, options);
  }

  /**
   * The rules by which points expire, in the order of their prefixes.
   *
   * @throws {BTrDBError} `CORRUPT` if one is damaged.
   */
  retention(options?: CallOptions): Promise<RetentionRule[]> {
    return this.#storage.checked(options, () => [...this.#storage.rules.read().rules]);
  }

  /**
   * Sets a rule, or removes it where `maxAge` is `undefined`. The next sweep, within a minute, goes by
   * it.
   *
   * @param prefix A collection, which stands for all below it too; empty: all collections.
   * @param maxAge Age above which points expire, ns; `null`: they never do.
   * @throws {RangeError} If the age is out of range.
   * @throws {BTrDBError} 407 if no collection can have the prefix.
   */
  setRetention(
    prefix: string,
    maxAge: bigint | null | undefined,
    options?: CallOptions,
  ): Promise<void> {
    const { rules, expiry } = this.#storage;
    return this.#storage.checked(options, () => {
      const path = rulePrefix(prefix);
      if (maxAge !== null && maxAge !== undefined) checkAge(maxAge);
      return this.#storage.submit({
        points: 0,
        kind: "metadata",
        run: (tx) => {
          rules.set(path, maxAge);
          tx.afterCommit(() => expiry.rulesChanged());
        },
      }, options);
    });
  }

  /**
   * Removes what is too old by the rules now, from all versions, and waits until its room can be used
   * again.
   *
   * @throws {BTrDBError} `CORRUPT` if a rule is damaged, `READ_ONLY` if nothing may be written.
   */
  async expire(options: ExpiryCallOptions = {}): Promise<ExpiryReport> {
    await this.#storage.checked(options, () => {});
    for (const { maxAge } of options.rules ?? []) if (maxAge !== null) checkAge(maxAge);
    if (options.dryRun !== true) {
      await this.#storage.submit({ points: 0, kind: "points", run: () => {} }, options);
    }
    return await this.#storage.expiry.expire(options);
  }

  /**
   * Makes the file smaller: gives back the room that nothing uses, in small steps between other tasks.
   *
   * @throws {BTrDBError} `REWRITE_NEEDED` if the file was not made for it and `rewrite` is not set,
   *   `READ_ONLY` if nothing may be written.
   */
  async compact(options: CompactCallOptions = {}): Promise<CompactReport> {
    await this.#storage.checked(options, () => {});
    return await this.#storage.compact(options);
  }

  trouble(): BTrDBError | undefined {
    return this.#storage.trouble();
  }

  openReaders(count: number): Promise<Readers> {
    return this.#storage.openReaders(count);
  }

  subscribe(
    uuids: readonly Uint8Array[],
    options?: SubscribeOptions,
  ): AsyncIterableIterator<SubscriptionUpdate> {
    if (this.#storage.isReadOnly) {
      throw new BTrDBError(
        "Cannot subscribe: the database is open for reading only, and inserts are made elsewhere; " +
          "subscribe where it is written, or look at versions and changes",
        { code: ErrorCode.NotImplemented },
      );
    }
    return this.#storage.hub.subscribe(uuids, options);
  }

  close(): Promise<void> {
    return this.#storage.close();
  }

  /** Closes the database at the end of an `await using` block. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #existing(uuid: Uint8Array): StreamState {
    const state = this.#storage.streams.get(uuid);
    if (state === undefined) throw notFound(TEXT.streamDoesNotExist, uuid);
    return state;
  }

  #descriptor(uuid: Uint8Array): StreamDescriptor {
    const descriptor = this.#storage.metadata.get(uuid);
    if (descriptor === undefined) throw notFound(TEXT.streamDoesNotExist, uuid);
    return descriptor;
  }

  #snapshot(uuid: Uint8Array, version: bigint): Reading {
    const { streams, versions } = this.#storage;
    const snapshot = this.#storage.onOneState(() => {
      const state = streams.get(uuid);
      if (state === undefined) throw notFound(TEXT.streamNotFound, uuid);
      return explaining(
        (error) => withStream(error, uuid),
        () => {
          return isLatest(version)
            ? latestSnapshot(versions, state)
            : snapshotAt(streams, versions, state, version);
        },
      );
    });
    return new Reading(this.#storage, uuid, snapshot);
  }
}
