/** Recorded calls made on an {@linkcode Endpoint}. */

import { concatRaw, concatStat } from "../../../src/core/columns.ts";
import { BTrDBError } from "../../../src/core/errors.ts";
import { uuidBytes, uuidText } from "../../../src/core/uuid.ts";
import { checkInsertSize, statusText, V4_MAX_INSERT_POINTS } from "../../../src/endpoint/checks.ts";
import type {
  Endpoint,
  Metadata,
  StreamDescriptor,
  Version,
} from "../../../src/endpoint/endpoint.ts";
import type { Answer, Caller, GoldenDescriptor, GoldenStep } from "./recording.ts";
import { goldenMap, goldenPoints } from "./recording.ts";

function versions(version: Version | undefined): Answer {
  return {
    versionMajor: String(version?.major ?? 0n),
    versionMinor: String(version?.minor ?? 0n),
  };
}

function plain(metadata: Metadata): Record<string, string> {
  return Object.fromEntries([...metadata].map(([k, v]) => [k, v ?? ""] as [string, string]).sort());
}

/** A stream's metadata in the recordings' form. */
export function goldenDescriptor(stream: StreamDescriptor): GoldenDescriptor {
  return {
    uuid: uuidText(stream.uuid),
    collection: stream.collection,
    tags: plain(stream.tags),
    annotations: plain(stream.annotations),
    annotationVersion: String(stream.propertyVersion),
  };
}

type Call = (endpoint: Endpoint, input: GoldenStep["in"]) => Promise<Answer>;

const CALLS: Readonly<Record<string, Call>> = {
  async Create(endpoint, input) {
    await endpoint.create({
      uuid: uuidBytes(input.uuid),
      collection: input.collection ?? "",
      tags: goldenMap(input.tags),
      annotations: goldenMap(input.annotations),
    });
    return {};
  },
  async Insert(endpoint, input) {
    const columns = goldenPoints(input.values);
    const uuid = uuidBytes(input.uuid);
    checkInsertSize(columns.times.length, V4_MAX_INSERT_POINTS, uuid);
    return versions(await endpoint.insert({ uuid, columns }));
  },
  async Flush(endpoint, input) {
    return versions(await endpoint.flush(uuidBytes(input.uuid)));
  },
  async Delete(endpoint, input) {
    return versions(
      await endpoint.deleteRange({
        uuid: uuidBytes(input.uuid),
        start: BigInt(input.start ?? 0),
        end: BigInt(input.end ?? 0),
      }),
    );
  },
  async Obliterate(endpoint, input) {
    await endpoint.obliterate(uuidBytes(input.uuid));
    return {};
  },
  async RawValues(endpoint, input) {
    const chunks = await Array.fromAsync(endpoint.rawValues(range(input)));
    return {
      ...versions(chunks[0]?.version),
      raw: concatRaw(chunks.map((chunk) => chunk.columns)),
    };
  },
  async AlignedWindows(endpoint, input) {
    const request = { ...range(input), pointwidth: input.pointWidth ?? 0 };
    const chunks = await Array.fromAsync(endpoint.alignedWindows(request));
    return {
      ...versions(chunks[0]?.version),
      stats: concatStat(chunks.map((chunk) => chunk.columns)),
    };
  },
  async Windows(endpoint, input) {
    const request = { ...range(input), width: BigInt(input.width ?? 0), depth: input.depth ?? 0 };
    const chunks = await Array.fromAsync(endpoint.windows(request));
    return {
      ...versions(chunks[0]?.version),
      stats: concatStat(chunks.map((chunk) => chunk.columns)),
    };
  },
  async Nearest(endpoint, input) {
    const { version, point } = await endpoint.nearest({
      uuid: uuidBytes(input.uuid),
      time: BigInt(input.time ?? 0),
      version: BigInt(input.versionMajor ?? 0),
      backward: input.backward ?? false,
    });
    return { ...versions(version), value: [point.time, point.value] };
  },
  async Changes(endpoint, input) {
    const chunks = await Array.fromAsync(endpoint.changes({
      uuid: uuidBytes(input.uuid),
      from: BigInt(input.fromMajor ?? 0),
      to: BigInt(input.toMajor ?? 0),
      resolution: input.resolution ?? 0,
    }));
    const ranges = chunks.flatMap(({ starts, ends }) =>
      Array.from(starts, (start, i) => [start, ends[i]!] as [bigint, bigint])
    );
    return { ...versions(chunks[0]?.version), ranges };
  },
  async StreamInfo(endpoint, input) {
    const { version, descriptor } = await endpoint.streamInfo({
      uuid: uuidBytes(input.uuid),
      omitVersion: input.omitVersion ?? false,
      omitDescriptor: input.omitDescriptor ?? false,
    });
    const bare = { collection: "", tags: {}, annotations: {}, annotationVersion: "0" };
    return {
      ...versions(version),
      descriptor: descriptor === undefined
        ? { uuid: input.uuid, ...bare }
        : goldenDescriptor(descriptor),
    };
  },
  async SetStreamAnnotations(endpoint, input) {
    const changes = goldenMap(input.annotations);
    const removals = [...changes].filter(([, value]) => value === null).map(([key]) => key);
    for (const key of removals) changes.delete(key);
    await endpoint.setAnnotations({
      uuid: uuidBytes(input.uuid),
      expected: BigInt(input.expectedAnnotationVersion ?? 0),
      changes,
      removals,
    });
    return {};
  },
  async LookupStreams(endpoint, input) {
    const batches = await Array.fromAsync(endpoint.lookupStreams({
      collection: input.collection ?? "",
      isCollectionPrefix: input.isCollectionPrefix ?? false,
      tags: goldenMap(input.tags),
      annotations: goldenMap(input.annotations),
    }));
    return { results: batches.flat().map(goldenDescriptor) };
  },
  async ListCollections(endpoint, input) {
    const batches = await Array.fromAsync(endpoint.listCollections({
      prefix: input.prefix ?? "",
      startWith: input.startWith ?? "",
      limit: Number(input.limit ?? 0),
    }));
    return { collections: batches.flat() };
  },
  async GetMetadataUsage(endpoint, input) {
    const { tags, annotations } = await endpoint.metadataUsage(input.prefix ?? "");
    const counts = (map: ReadonlyMap<string, bigint>) =>
      Object.fromEntries([...map].map(([key, count]) => [key, String(count)]).sort());
    return { tags: counts(tags), annotations: counts(annotations) };
  },
};

function range(
  input: GoldenStep["in"],
): { uuid: Uint8Array; start: bigint; end: bigint; version: bigint } {
  return {
    uuid: uuidBytes(input.uuid),
    start: BigInt(input.start ?? 0),
    end: BigInt(input.end ?? 0),
    version: BigInt(input.versionMajor ?? 0),
  };
}

/** Makes recorded calls on an endpoint; calls that are no operation of it are skipped. */
export function endpointCaller(endpoint: Endpoint): Caller {
  return async ({ rpc, in: input }) => {
    const call = CALLS[rpc];
    if (call === undefined) return undefined;
    try {
      return await call(endpoint, input);
    } catch (error) {
      if (!(error instanceof BTrDBError) || error.code === 0) throw error;
      return { stat: { code: error.code, msg: statusText(rpc, error.code, error.message) } };
    }
  };
}
