/**
 * Metadata in protocol v4: values are bytes and always there; a missing value in a change removes
 * the key, in a filter it matches any value (docs/protocol.md, "Wire").
 *
 * @module
 */

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import type { Metadata, StreamDescriptor, StreamInfo } from "../../endpoint/endpoint.ts";
import {
  CreateParamsSchema,
  type KeyValue,
  ListCollectionsParamsSchema,
  LookupStreamsParamsSchema,
  LookupStreamsResponseSchema,
  MetadataUsageResponseSchema,
  SetStreamAnnotationsParamsSchema,
  type StreamDescriptor as WireDescriptor,
  StreamInfoResponseSchema,
} from "../../gen/btrdb_v4_pb.ts";
import type { MetadataCodec } from "./metadata_codec.ts";
import { checkStat } from "../errors.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

interface Pair {
  key: string;
  value: Uint8Array;
}

interface OptionalPair {
  key: string;
  val?: { value: Uint8Array };
}

/** Pairs that all have a value. */
function pairs(metadata: Metadata): Pair[] {
  return Array.from(metadata, ([key, value]) => {
    if (value === null) {
      throw new BTrDBError(
        `Cannot store ${JSON.stringify(key)} without a value: protocol v4 needs one`,
        { code: ErrorCode.NotImplemented },
      );
    }
    return { key, value: encoder.encode(value) };
  });
}

/** Pairs whose value may be missing. */
function optionalPairs(metadata: Metadata): OptionalPair[] {
  return Array.from(
    metadata,
    ([key, value]) => value === null ? { key } : { key, val: { value: encoder.encode(value) } },
  );
}

function metadataOf(list: readonly KeyValue[]): Map<string, string> {
  return new Map(list.map(({ key, value }) => [key, decoder.decode(value)]));
}

function descriptorOf(wire: WireDescriptor): StreamDescriptor {
  return {
    uuid: wire.uuid.slice(),
    collection: wire.collection,
    tags: metadataOf(wire.tags),
    annotations: metadataOf(wire.annotations),
    propertyVersion: wire.annotationVersion,
  };
}

/** The codec of protocol v4. */
export const codecV4: MetadataCodec = {
  protocol: "v4",
  service: "grpcinterface.BTrDB",
  collectionsPage(prefix, startWith, limit) {
    const init = { prefix, startWith, limit: BigInt(limit) };
    return toBinary(ListCollectionsParamsSchema, create(ListCollectionsParamsSchema, init));
  },
  create({ uuid, collection, tags, annotations }) {
    const init = { uuid, collection, tags: pairs(tags), annotations: pairs(annotations) };
    return toBinary(CreateParamsSchema, create(CreateParamsSchema, init));
  },
  setAnnotations({ uuid, expected, changes, removals }) {
    const message = create(SetStreamAnnotationsParamsSchema, {
      uuid,
      expectedAnnotationVersion: expected,
      annotations: [
        ...pairs(changes).map(({ key, value }) => ({ key, val: { value } })),
        ...removals.map((key) => ({ key })),
      ],
    });
    return toBinary(SetStreamAnnotationsParamsSchema, message);
  },
  lookup({ collection, isCollectionPrefix, tags, annotations }) {
    const message = create(LookupStreamsParamsSchema, {
      collection,
      isCollectionPrefix,
      tags: optionalPairs(tags),
      annotations: optionalPairs(annotations),
    });
    return toBinary(LookupStreamsParamsSchema, message);
  },
  lookupAnswer: LookupStreamsResponseSchema,
  decodeLookup(bytes, call, check) {
    check(LookupStreamsResponseSchema, bytes);
    const { stat, results } = fromBinary(LookupStreamsResponseSchema, bytes);
    checkStat(stat, call);
    return results.map(descriptorOf);
  },
  decodeStreamInfo(bytes, call, check) {
    check(StreamInfoResponseSchema, bytes);
    const answer = fromBinary(StreamInfoResponseSchema, bytes);
    checkStat(answer.stat, call);
    const info: StreamInfo = {
      version: { major: answer.versionMajor, minor: answer.versionMinor },
    };
    if (answer.descriptor !== undefined) info.descriptor = descriptorOf(answer.descriptor);
    return info;
  },
  decodeMetadataUsage(bytes, call, check) {
    check(MetadataUsageResponseSchema, bytes);
    const { stat, tags, annotations } = fromBinary(MetadataUsageResponseSchema, bytes);
    checkStat(stat, call);
    return {
      tags: new Map(tags.map(({ key, count }) => [key, count])),
      annotations: new Map(annotations.map(({ key, count }) => [key, count])),
    };
  },
};
