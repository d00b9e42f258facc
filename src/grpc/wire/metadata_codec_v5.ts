/**
 * Metadata in protocol v5: values are text and may be missing, which is a value of its own when
 * stored and matches any value in a filter (docs/protocol.md, "Wire").
 *
 * @module
 */

import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Metadata, StreamDescriptor, StreamInfo } from "../../endpoint/endpoint.ts";
import {
  CreateParamsSchema,
  type KeyOptValue,
  LookupStreamsParamsSchema,
  LookupStreamsResponseSchema,
  MetadataUsageResponseSchema,
  SetStreamAnnotationsParamsSchema,
  type StreamDescriptor as WireDescriptor,
  StreamInfoResponseSchema,
} from "../../gen/btrdb_v5_pb.ts";
import type { MetadataCodec } from "./metadata_codec.ts";
import { checkStat } from "../errors.ts";

/** A key whose value may be missing. */
interface OptionalPair {
  key: string;
  val?: { value: string };
}

function pairs(metadata: Metadata): OptionalPair[] {
  return Array.from(
    metadata,
    ([key, value]) => value === null ? { key } : { key, val: { value } },
  );
}

function metadataOf(list: readonly KeyOptValue[]): Map<string, string | null> {
  return new Map(list.map(({ key, val }) => [key, val?.value ?? null]));
}

function descriptorOf(wire: WireDescriptor): StreamDescriptor {
  return {
    uuid: wire.uuid.slice(),
    collection: wire.collection,
    tags: metadataOf(wire.tags),
    annotations: metadataOf(wire.annotations),
    propertyVersion: wire.propertyVersion,
  };
}

/** The codec of protocol v5. */
export const codecV5: MetadataCodec = {
  protocol: "v5",
  service: "v5api.BTrDB",
  create({ uuid, collection, tags, annotations }) {
    const init = { uuid, collection, tags: pairs(tags), annotations: pairs(annotations) };
    return toBinary(CreateParamsSchema, create(CreateParamsSchema, init));
  },
  setAnnotations({ uuid, expected, changes, removals }) {
    const message = create(SetStreamAnnotationsParamsSchema, {
      uuid,
      expectedPropertyVersion: expected,
      changes: pairs(changes),
      removals: [...removals],
    });
    return toBinary(SetStreamAnnotationsParamsSchema, message);
  },
  lookup({ collection, isCollectionPrefix, tags, annotations }) {
    const message = create(LookupStreamsParamsSchema, {
      collection,
      isCollectionPrefix,
      tags: pairs(tags),
      annotations: pairs(annotations),
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
