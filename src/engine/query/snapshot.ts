/**
 * A snapshot for a query: one version of one stream, unaffected by later writes.
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { uuidText } from "../../core/uuid.ts";
import { TEXT } from "../../endpoint/checks.ts";
import type { Version } from "../../endpoint/endpoint.ts";
import { FIRST_MAJOR } from "../constants.ts";
import { PointBuffer } from "../stream/point_buffer.ts";
import type { LatePoints } from "../tree/late_points.ts";
import type { LateStore } from "../tree/late_store.ts";
import { MissingBlock } from "../tree/missing_block.ts";
import { type StreamRegistry, type StreamState, versionOf } from "../stream/registry.ts";

/** One version of a stream. */
export interface Snapshot {
  /** Number of the stream. */
  readonly stream: number;
  readonly version: Version;
  /** Address of the version, 0 for one without points. */
  readonly address: number;
  /** Address of the root, 0 for an empty tree. */
  readonly root: number;
  /** Buffered points; none for explicit versions. */
  readonly buffer: PointBuffer;
}

/** Parts of an open database that a {@linkcode Reading} reads from. */
export interface ReadingSource {
  readonly streams: StreamRegistry;
  readonly versions: LateStore;
  /** Does `work` on one state of the database. */
  onOneState<T>(work: () => T): T;
  /** Does `work` with the errors of SQLite translated. */
  withOwnErrors<T>(work: () => T): T;
}

/**
 * A snapshot of a stream that others write to, or prune. Thousands of them wait at once, and are copied
 * with each collection of garbage meanwhile: it keeps nothing that can be made again.
 */
export class Reading implements Snapshot {
  readonly stream: number;
  readonly version: Version;
  readonly address: number;
  readonly root: number;
  readonly buffer: PointBuffer;
  readonly #source: ReadingSource;
  readonly #uuid: Uint8Array;

  constructor(source: ReadingSource, uuid: Uint8Array, snapshot: Snapshot) {
    this.stream = snapshot.stream;
    this.version = snapshot.version;
    this.address = snapshot.address;
    this.root = snapshot.root;
    this.buffer = snapshot.buffer;
    this.#source = source;
    this.#uuid = uuid;
  }

  /** Buffered points in order of time. */
  get points(): RawColumns {
    return this.buffer.sorted;
  }

  /** The same points in the order of their arrival. */
  get arrived(): RawColumns {
    return this.buffer.arrived;
  }

  /**
   * Reads the points of the version that are beside its tree. A query in many steps reads them again
   * in each, so that thousands of queries do not hold them all.
   */
  get late(): LatePoints {
    try {
      return this.#source.withOwnErrors(() => this.#source.versions.open(this.address).late);
    } catch (error) {
      throw this.explain(error);
    }
  }

  /** The error of a read of it: of a block that is missing, whether the version is gone meanwhile. */
  explain(error: unknown): unknown {
    if (!(error instanceof MissingBlock)) return error;
    const { streams } = this.#source;
    return this.#source.onOneState(() => lossOf(error, streams, this.#uuid, this));
  }
}

/** A source that reads a snapshot, with its errors explained. */
export function* explained<T>(source: Iterable<T>, reading: Reading): Generator<T> {
  try {
    yield* source;
  } catch (error) {
    throw reading.explain(error);
  }
}

/** The latest version. */
export function latestSnapshot(versions: LateStore, { id, head }: StreamState): Snapshot {
  const { root: address, buffer } = head;
  const { root } = versions.open(address);
  return { stream: id, version: versionOf(head), address, root, buffer };
}

/**
 * An explicit version.
 *
 * The real server keeps no version below 11: it answers for 1 to 10 with an empty tree, and for
 * any version of a stream without a commit with version 10.
 *
 * @throws {BTrDBError} 404 for a version that is not yet; 450 for one that was pruned.
 */
export function snapshotAt(
  streams: StreamRegistry,
  versions: LateStore,
  state: StreamState,
  version: bigint,
): Snapshot {
  const { head } = state;
  const empty = (major: bigint) => ({
    stream: state.id,
    version: { major, minor: 0n },
    address: 0,
    root: 0,
    buffer: PointBuffer.EMPTY,
  });
  if (head.major === FIRST_MAJOR) return empty(BigInt(FIRST_MAJOR));
  if (version > BigInt(head.major)) {
    throw new BTrDBError(TEXT.streamNotFound, {
      code: ErrorCode.NoSuchStream,
      uuid: state.text,
    });
  }
  if (version <= BigInt(FIRST_MAJOR)) return empty(version);
  const isPruned = version < BigInt(state.prunedBelow);
  const address = isPruned ? undefined : streams.rootOf(state, Number(version));
  if (address === undefined) {
    throw new BTrDBError(
      `version ${version} was pruned, the oldest one left is ${state.prunedBelow}`,
      { code: ErrorCode.VersionNotAvailable, uuid: state.text },
    );
  }
  const { root } = versions.open(address);
  return { ...empty(version), address, root };
}

/**
 * The error for a block that was not there when a snapshot was read.
 *
 * @returns Code 450 if its version was pruned meanwhile, or its stream obliterated; `CORRUPT` otherwise.
 */
export function lossOf(
  { address }: MissingBlock,
  streams: StreamRegistry,
  uuid: Uint8Array,
  { stream, version: { major } }: Pick<Snapshot, "stream" | "version">,
): BTrDBError {
  if (streams.hasStill(stream, uuid, Number(major))) return new MissingBlock(address, uuid);
  return new BTrDBError("the version is no longer available", {
    code: ErrorCode.VersionNotAvailable,
    uuid: uuidText(uuid),
  });
}
