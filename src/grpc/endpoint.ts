/**
 * The endpoint over gRPC: each operation, checked, corrected where the server is not right, and
 * handed to the part that makes the call.
 *
 * @module
 */

import { checkUuid } from "../endpoint/checks.ts";
import { BTrDBError, ErrorCode } from "../core/errors.ts";
import {
  checkNearest,
  checkRawValues,
  checkStreamInfo,
  checkWindows,
  V4_MAX_INSERT_POINTS,
  V5_MAX_INSERT_POINTS,
} from "../endpoint/checks.ts";
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
  RangeRequest,
  RawChunk,
  ServerInfo,
  SetAnnotationsRequest,
  SetTagsRequest,
  SqlOptions,
  SqlRequest,
  StatChunk,
  StreamDescriptor,
  StreamInfo,
  StreamInfoRequest,
  SubscriptionUpdate,
  Version,
  WindowsRequest,
} from "../endpoint/endpoint.ts";
import { alignedWindows } from "./quirks/aligned_windows.ts";
import { cancellable } from "../core/cancellable.ts";
import type { Caller } from "./call/caller.ts";
import { readChanges } from "./quirks/changes.ts";
import type { MetadataCodec } from "./wire/metadata_codec.ts";
import { decodeInfo } from "./wire/messages.ts";
import { MetadataReads } from "./read/metadata.ts";
import { MetadataWrites } from "./write/metadata.ts";
import type { completeWindows } from "./quirks/corrections.ts";
import { sortedRawValues } from "./quirks/raw_values.ts";
import { Reader } from "./read/reader.ts";
import type { ServerKind } from "./server_kind.ts";
import { sqlQuery } from "./read/sql.ts";
import { subscribe } from "./read/subscribe.ts";
import { VersionFloors } from "./read/version_floors.ts";
import { PointWrites } from "./write/points.ts";

/** Parts of an endpoint. */
export interface GrpcParts {
  readonly caller: Caller;
  readonly codec: MetadataCodec;
  readonly kind: ServerKind;
  /** Time that what is on its way to the server is given to arrive, ms. */
  readonly settleMs: number;
}

/** A connection to a BTrDB server or cluster. */
export class GrpcEndpoint implements Endpoint {
  readonly capabilities: Capabilities;
  readonly #caller: Caller;
  readonly #kind: ServerKind;
  readonly #reader: Reader;
  readonly #writes: PointWrites;
  readonly #metadata: MetadataReads;
  readonly #metadataWrites: MetadataWrites;
  #closing: Promise<void> | undefined;

  constructor({ caller, codec, kind, settleMs }: GrpcParts) {
    this.#caller = caller;
    this.#kind = kind;
    this.capabilities = capabilitiesOf(codec.protocol);
    const { quirks } = kind;
    const floors = new VersionFloors();
    const { policy } = caller;
    const persistence = { settleMs, maxElapsedMs: policy.limitsAll ? 0 : policy.maxElapsedMs };
    this.#reader = new Reader(caller, codec, { quirks, floors }, kind);
    this.#metadata = new MetadataReads(caller, codec, kind);
    this.#metadataWrites = new MetadataWrites(caller, codec, this.#reader, persistence);
    this.#writes = new PointWrites(caller, {
      reader: this.#reader,
      floors,
      quirks,
      ...persistence,
      maxInsertPoints: this.capabilities.maxInsertPoints,
      insertMany: kind.insertMany && codec.protocol === "v5",
    });
  }

  async info(options: CallOptions = {}): Promise<ServerInfo> {
    const spec = { rpc: "Info", anyNode: true, options };
    const { protocol } = this.#caller;
    const decode = (bytes: Uint8Array) => decodeInfo(bytes, spec, protocol);
    return await this.#caller.unary(spec, new Uint8Array(0), decode);
  }

  rawValues(request: RangeRequest, options: CallOptions = {}): AsyncIterableIterator<RawChunk> {
    return cancellable(options, (call) => {
      checkUuid(request.uuid);
      checkRawValues(request);
      const { quirks } = this.#kind;
      return quirks
        ? sortedRawValues(this.#reader, request, call)
        : this.#reader.raw(request, call);
    });
  }

  alignedWindows(
    request: AlignedWindowsRequest,
    options: CallOptions = {},
  ): AsyncIterableIterator<StatChunk> {
    return cancellable(options, (call) => {
      checkUuid(request.uuid);
      const { quirks } = this.#kind;
      return quirks
        ? alignedWindows(this.#reader, request, call)
        : this.#reader.aligned(request, call);
    });
  }

  windows(request: WindowsRequest, options: CallOptions = {}): AsyncIterableIterator<StatChunk> {
    return cancellable(options, (call) => {
      checkUuid(request.uuid);
      // Depths above 63 are refused here: servers take them modulo 256 (quirk `uint8-wrap`).
      const range = checkWindows(request);
      return this.#kind.quirks
        ? correctedWindows(this.#reader, request, range, call)
        : this.#reader.windows(request, range, call);
    });
  }

  async nearest(request: NearestRequest, options: CallOptions = {}): Promise<NearestResult> {
    checkUuid(request.uuid);
    checkNearest(request);
    if (!this.#kind.quirks || !request.backward) {
      return await this.#reader.nearest(request, options);
    }
    const { nearestBackward } = await import("./quirks/corrections.ts");
    return await nearestBackward(this.#reader, request, options);
  }

  changes(request: ChangesRequest, options: CallOptions = {}): AsyncIterableIterator<ChangesChunk> {
    return cancellable(options, (call) => {
      checkUuid(request.uuid);
      return readChanges(this.#reader, request, this.#kind.quirks, call);
    });
  }

  async streamInfo(request: StreamInfoRequest, options: CallOptions = {}): Promise<StreamInfo> {
    checkUuid(request.uuid);
    checkStreamInfo(request);
    // A real server goes on telling the version of a stream that is gone; the descriptor it does not.
    const asked = this.#kind.quirks ? { ...request, omitDescriptor: false } : request;
    const info = await this.#reader.streamInfo(asked, options);
    if (request.omitDescriptor) delete info.descriptor;
    return info;
  }

  async insert(request: InsertRequest, options: CallOptions = {}): Promise<Version> {
    checkUuid(request.uuid);
    const { mergePolicy = "never", roundBits } = request;
    if (!this.capabilities.mergePolicies && (mergePolicy !== "never" || roundBits !== undefined)) {
      throw unsupported("Insert", "merge policies and rounding need");
    }
    return await this.#writes.insert(request, options);
  }

  async deleteRange(
    request: Omit<RangeRequest, "version">,
    options: CallOptions = {},
  ): Promise<Version> {
    checkUuid(request.uuid);
    return await this.#writes.deleteRange(request, options);
  }

  async flush(uuid: Uint8Array, options: CallOptions = {}): Promise<Version> {
    checkUuid(uuid);
    return await this.#writes.flush(uuid, options);
  }

  async obliterate(uuid: Uint8Array, options: CallOptions = {}): Promise<void> {
    checkUuid(uuid);
    await this.#metadataWrites.obliterate(uuid, options);
    this.#writes.forget(uuid);
  }

  async create(request: CreateRequest, options: CallOptions = {}): Promise<void> {
    checkUuid(request.uuid);
    await this.#metadataWrites.create(request, options);
  }

  async setAnnotations(request: SetAnnotationsRequest, options: CallOptions = {}): Promise<void> {
    checkUuid(request.uuid);
    await this.#metadataWrites.setAnnotations(request, options);
  }

  async setTags(request: SetTagsRequest, options: CallOptions = {}): Promise<void> {
    checkUuid(request.uuid);
    if (!this.capabilities.setTags) throw unsupported("SetStreamTags", "changes of tags need");
    await this.#metadataWrites.setTags(request, options);
  }

  lookupStreams(
    request: LookupRequest,
    options: CallOptions = {},
  ): AsyncIterableIterator<StreamDescriptor[]> {
    return cancellable(options, (call) => this.#metadata.lookup(request, call));
  }

  listCollections(
    request: ListCollectionsRequest,
    options: CallOptions = {},
  ): AsyncIterableIterator<string[]> {
    return cancellable(options, (call) => this.#metadata.collections(request, call));
  }

  async metadataUsage(prefix: string, options: CallOptions = {}): Promise<MetadataUsage> {
    return await this.#metadata.usage(prefix, options);
  }

  sqlQuery(request: SqlRequest, options: SqlOptions = {}): AsyncIterableIterator<string[]> {
    const { limitMs = Infinity, deadlineMs = Infinity, signal } = options;
    const lastMs = Math.min(deadlineMs, Date.now() + limitMs);
    const bounded: CallOptions = { signal, deadlineMs: lastMs === Infinity ? undefined : lastMs };
    return cancellable(bounded, (call) => {
      if (!this.capabilities.sql) throw unsupported("SQLQuery", "SQL needs");
      return sqlQuery(this.#caller, request, call);
    });
  }

  subscribe(
    uuids: readonly Uint8Array[],
    options: CallOptions = {},
  ): AsyncIterableIterator<SubscriptionUpdate> {
    return cancellable(options, (call) => {
      if (!this.capabilities.subscribe) throw unsupported("Subscribe", "subscriptions need");
      uuids.forEach(checkUuid);
      return subscribe(this.#caller, uuids, this.#kind.arrowSubscribe, call);
    });
  }

  close(): Promise<void> {
    this.#writes.sendPending();
    return this.#closing ??= this.#caller.close();
  }
}

/** Windows of servers whose windows are not all right; pages load the corrections only for these. */
async function* correctedWindows(
  ...args: Parameters<typeof completeWindows>
): AsyncGenerator<StatChunk, void, undefined> {
  const windows = await import("./quirks/corrections.ts");
  yield* windows.completeWindows(...args);
}

function capabilitiesOf(protocol: "v4" | "v5"): Capabilities {
  const v5 = protocol === "v5";
  return {
    protocol,
    mergePolicies: v5,
    setTags: v5,
    sql: v5,
    stddev: v5,
    subscribe: v5,
    maxInsertPoints: v5 ? V5_MAX_INSERT_POINTS : V4_MAX_INSERT_POINTS,
  };
}

function unsupported(rpc: string, what: string): BTrDBError {
  const message = `Cannot call ${rpc}: ${what} protocol v5, the server speaks v4`;
  return new BTrDBError(message, { code: ErrorCode.NotImplemented, rpc });
}
