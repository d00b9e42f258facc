/** Recorded calls made on a server over gRPC, as a v4 client makes them. */

import {
  create,
  type DescMessage,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { concatRaw, concatStat } from "../../../src/core/columns.ts";
import { uuidBytes, uuidText } from "../../../src/core/uuid.ts";
import * as pb from "../../../src/gen/btrdb_v4_pb.ts";
import { decodeRawResponse, decodeStatResponse, encodeInsert } from "../../../src/kernel/wire.ts";
import type { Answer, Caller, GoldenDescriptor, GoldenStep } from "./recording.ts";
import { type GoldenMap, goldenPoints } from "./recording.ts";
import type { RawClient } from "../grpc_client.ts";

type Input = GoldenStep["in"];

const bytes = (value: string | null) => new TextEncoder().encode(value ?? "");
const text = (value: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(value);
const big = (value: string | undefined) => BigInt(value ?? 0);

/** Pairs as recorded, repeated keys included. */
function pairs(map: GoldenMap | undefined): [string, string | null][] {
  return Array.isArray(map) ? map : Object.entries(map ?? {});
}

function keyValues(map: GoldenMap | undefined): pb.KeyValue[] {
  return pairs(map).map(([key, value]) => create(pb.KeyValueSchema, { key, value: bytes(value) }));
}

function keyOptValues(map: GoldenMap | undefined): pb.KeyOptValue[] {
  return pairs(map).map(([key, value]) =>
    create(pb.KeyOptValueSchema, {
      key,
      ...(value === null ? {} : { val: { value: bytes(value) } }),
    })
  );
}

function range(input: Input) {
  return {
    uuid: uuidBytes(input.uuid),
    start: big(input.start),
    end: big(input.end),
    versionMajor: big(input.versionMajor),
  };
}

/** The request of a step. */
const REQUESTS: Readonly<Record<string, (input: Input) => Uint8Array>> = {
  Create: (input) =>
    message(pb.CreateParamsSchema, {
      uuid: uuidBytes(input.uuid),
      collection: input.collection ?? "",
      tags: keyValues(input.tags),
      annotations: keyValues(input.annotations),
    }),
  Insert: (input) =>
    encodeInsert({
      uuid: uuidBytes(input.uuid),
      columns: goldenPoints(input.values),
      protocol: "v4",
    }),
  Flush: (input) => message(pb.FlushParamsSchema, { uuid: uuidBytes(input.uuid) }),
  Obliterate: (input) => message(pb.ObliterateParamsSchema, { uuid: uuidBytes(input.uuid) }),
  Delete: (input) =>
    message(pb.DeleteParamsSchema, {
      uuid: uuidBytes(input.uuid),
      start: big(input.start),
      end: big(input.end),
    }),
  RawValues: (input) => message(pb.RawValuesParamsSchema, range(input)),
  AlignedWindows: (input) =>
    message(pb.AlignedWindowsParamsSchema, { ...range(input), pointWidth: input.pointWidth ?? 0 }),
  Windows: (input) =>
    message(pb.WindowsParamsSchema, {
      ...range(input),
      width: big(input.width),
      depth: input.depth ?? 0,
    }),
  Nearest: (input) =>
    message(pb.NearestParamsSchema, {
      uuid: uuidBytes(input.uuid),
      time: big(input.time),
      versionMajor: big(input.versionMajor),
      backward: input.backward ?? false,
    }),
  Changes: (input) =>
    message(pb.ChangesParamsSchema, {
      uuid: uuidBytes(input.uuid),
      fromMajor: big(input.fromMajor),
      toMajor: big(input.toMajor),
      resolution: input.resolution ?? 0,
    }),
  StreamInfo: (input) =>
    message(pb.StreamInfoParamsSchema, {
      uuid: uuidBytes(input.uuid),
      omitVersion: input.omitVersion ?? false,
      omitDescriptor: input.omitDescriptor ?? false,
    }),
  SetStreamAnnotations: (input) =>
    message(pb.SetStreamAnnotationsParamsSchema, {
      uuid: uuidBytes(input.uuid),
      expectedAnnotationVersion: big(input.expectedAnnotationVersion),
      annotations: keyOptValues(input.annotations),
    }),
  LookupStreams: (input) =>
    message(pb.LookupStreamsParamsSchema, {
      collection: input.collection ?? "",
      isCollectionPrefix: input.isCollectionPrefix ?? false,
      tags: keyOptValues(input.tags),
      annotations: keyOptValues(input.annotations),
    }),
  ListCollections: (input) =>
    message(pb.ListCollectionsParamsSchema, {
      prefix: input.prefix ?? "",
      startWith: input.startWith ?? "",
      limit: big(input.limit),
    }),
  GetMetadataUsage: (input) =>
    message(pb.MetadataUsageParamsSchema, { prefix: input.prefix ?? "" }),
  GenerateCSV: (input) =>
    message(pb.GenerateCSVParamsSchema, {
      queryType: pb.GenerateCSVParams_QueryType[
        (input.queryType ?? "ALIGNED_WINDOWS_QUERY") as keyof typeof pb.GenerateCSVParams_QueryType
      ],
      startTime: big(input.startTime),
      endTime: big(input.endTime),
      windowSize: big(input.windowSize),
      depth: input.depth ?? 0,
      includeVersions: input.includeVersions ?? false,
      streams: (input.streams ?? []).map((stream: Input) =>
        create(pb.StreamCSVConfigSchema, {
          version: big(stream.version),
          label: stream.label ?? "",
          uuid: uuidBytes(stream.uuid),
        })
      ),
    }),
  FaultInject: (input) => message(pb.FaultInjectParamsSchema, { type: big(input.type) }),
  Info: () => new Uint8Array(),
};

function message<Desc extends DescMessage>(
  schema: Desc,
  fields: Parameters<typeof create<Desc>>[1],
): Uint8Array {
  return toBinary(schema, create(schema, fields));
}

function versions({ major, minor }: { major: bigint; minor: bigint }): Answer {
  return { versionMajor: String(major), versionMinor: String(minor) };
}

function descriptor(found: pb.StreamDescriptor | undefined): GoldenDescriptor {
  const plain = (list: readonly pb.KeyValue[]) =>
    Object.fromEntries(list.map(({ key, value }) => [key, text(value)] as [string, string]).sort());
  return {
    uuid: uuidText(found?.uuid ?? new Uint8Array()),
    collection: found?.collection ?? "",
    tags: plain(found?.tags ?? []),
    annotations: plain(found?.annotations ?? []),
    annotationVersion: String(found?.annotationVersion ?? 0n),
  };
}

type Reader = (messages: readonly Uint8Array[]) => Answer;

function decoded<Desc extends DescMessage>(
  schema: Desc,
  read: (responses: MessageShape<Desc>[]) => Answer,
): Reader {
  return (messages) => read(messages.map((bytes) => fromBinary(schema, bytes)));
}

const versionOnly: Reader = decoded(
  pb.FlushResponseSchema,
  ([response]) => versions({ major: response!.versionMajor, minor: response!.versionMinor }),
);

const stats: Reader = (messages) => {
  const parts = messages.map((bytes) => decodeStatResponse(bytes));
  return {
    ...versions(parts[0]!),
    batches: parts.map(({ columns }) => columns.times.length),
    stats: concatStat(parts.map(({ columns }) => columns)),
  };
};

/** The answer in a step's responses. */
const READERS: Readonly<Record<string, Reader>> = {
  Insert: versionOnly,
  Flush: versionOnly,
  Delete: versionOnly,
  RawValues: (messages) => {
    const parts = messages.map((bytes) => decodeRawResponse(bytes));
    return {
      ...versions(parts[0]!),
      batches: parts.map(({ columns }) => columns.times.length),
      raw: concatRaw(parts.map(({ columns }) => columns)),
    };
  },
  AlignedWindows: stats,
  Windows: stats,
  Nearest: decoded(pb.NearestResponseSchema, ([response]) => ({
    ...versions({ major: response!.versionMajor, minor: response!.versionMinor }),
    value: [response!.value!.time, response!.value!.value],
  })),
  Changes: decoded(pb.ChangesResponseSchema, (parts) => ({
    ...versions({ major: parts[0]!.versionMajor, minor: parts[0]!.versionMinor }),
    batches: parts.map(({ ranges }) => ranges.length),
    ranges: parts.flatMap(({ ranges }) =>
      ranges.map(({ start, end }) => [start, end] as [bigint, bigint])
    ),
  })),
  StreamInfo: decoded(pb.StreamInfoResponseSchema, ([response]) => ({
    ...versions({ major: response!.versionMajor, minor: response!.versionMinor }),
    descriptor: descriptor(response!.descriptor),
  })),
  LookupStreams: decoded(pb.LookupStreamsResponseSchema, (parts) => ({
    batches: parts.map(({ results }) => results.length),
    results: parts.flatMap(({ results }) => results.map(descriptor)),
  })),
  ListCollections: decoded(pb.ListCollectionsResponseSchema, ([response]) => ({
    collections: response!.collections,
  })),
  GetMetadataUsage: decoded(pb.MetadataUsageResponseSchema, ([response]) => {
    const counts = (keys: readonly pb.KeyCount[]) =>
      Object.fromEntries(keys.map(({ key, count }) => [key, String(count)] as const).toSorted());
    return { tags: counts(response!.tags), annotations: counts(response!.annotations) };
  }),
  GenerateCSV: decoded(pb.GenerateCSVResponseSchema, (parts) => {
    const rows = parts.filter(({ stat, isHeader }) => !isHeader && stat === undefined);
    const header = parts.find(({ isHeader }) => isHeader);
    return {
      ...(header === undefined ? {} : { header: header.row }),
      rows: rows.map(({ row }) => row),
    };
  }),
  Info: decoded(pb.InfoResponseSchema, ([response]) => {
    const { majorVersion, minorVersion, build } = response!;
    return { majorVersion, minorVersion, build };
  }),
};

/** Makes recorded calls on a server. */
export function grpcCaller(client: RawClient): Caller {
  return async ({ rpc, in: input }) => {
    const path = rpc.startsWith("/") ? rpc : `/grpcinterface.BTrDB/${rpc}`;
    const request = rpc.startsWith("/") ? new Uint8Array() : REQUESTS[rpc]!(input);
    const { code, details, messages } = await client.call(path, request);
    if (code !== 0) return { grpc: { code, details } };
    const failed = messages.findIndex((bytes) => statusOf(bytes) !== undefined);
    const stat = failed < 0 ? {} : { stat: statusOf(messages[failed]!)! };
    const read = READERS[rpc.slice(rpc.lastIndexOf("/") + 1)];
    const good = failed < 0 ? messages : messages.slice(0, failed);
    return read === undefined || good.length === 0 ? stat : { ...stat, ...read(good) };
  };
}

/** The status of any response: all have it in field 1. */
function statusOf(bytes: Uint8Array): { code: number; msg: string } | undefined {
  if (bytes[0] !== 0x0a) return undefined;
  const { stat } = fromBinary(pb.FlushResponseSchema, bytes);
  return stat === undefined ? undefined : { code: stat.code, msg: stat.msg };
}
