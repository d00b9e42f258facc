/**
 * Encoding of metadata, which differs between the two protocols (docs/protocol.md, "Protocol v5").
 * In v4 a value is bytes and never absent; in v5 it is text and may be absent.
 *
 * @module
 */

import { create, toBinary } from "@bufbuild/protobuf";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import type {
  CreateRequest,
  LookupRequest,
  Metadata,
  SetAnnotationsRequest,
  StreamDescriptor,
  StreamInfo,
} from "../../endpoint/endpoint.ts";
import * as v4 from "../../gen/btrdb_v4_pb.ts";
import * as v5 from "../../gen/btrdb_v5_pb.ts";
import { decode, FEW_FIELDS } from "./request.ts";

/** Encoding of metadata in one protocol. */
export interface MetadataCodec {
  readonly protocol: "v4" | "v5";
  decodeCreate(bytes: Uint8Array): Promise<CreateRequest>;
  decodeSetAnnotations(bytes: Uint8Array): Promise<SetAnnotationsRequest>;
  decodeLookup(bytes: Uint8Array): Promise<LookupRequest>;
  encodeLookup(descriptors: readonly StreamDescriptor[]): Uint8Array;
  encodeStreamInfo(uuid: Uint8Array, info: StreamInfo): Uint8Array;
}

/** Metadata as v4 writes it. */
export const V4: MetadataCodec = {
  protocol: "v4",
  async decodeCreate(bytes) {
    const { uuid, collection, tags, annotations } = await decode(
      v4.CreateParamsSchema,
      bytes,
      { most: FEW_FIELDS },
    );
    return {
      uuid,
      collection,
      tags: new Map(tags.map(({ key, value }) => [key, text(value, "tag")])),
      annotations: new Map(annotations.map(({ key, value }) => [key, text(value, "annotation")])),
    };
  },
  async decodeSetAnnotations(bytes) {
    const params = await decode(v4.SetStreamAnnotationsParamsSchema, bytes, { most: FEW_FIELDS });
    const wanted = optional(params.annotations, "annotation");
    const changes = new Map([...wanted].filter(([, value]) => value !== null));
    const removals = [...wanted].filter(([, value]) => value === null).map(([key]) => key);
    return { uuid: params.uuid, expected: params.expectedAnnotationVersion, changes, removals };
  },
  async decodeLookup(bytes) {
    const params = await decode(v4.LookupStreamsParamsSchema, bytes, { most: FEW_FIELDS });
    return {
      collection: params.collection,
      isCollectionPrefix: params.isCollectionPrefix,
      tags: optional(params.tags, "tag"),
      annotations: optional(params.annotations, "annotation"),
    };
  },
  encodeLookup(descriptors) {
    const results = descriptors.map(descriptorV4);
    return toBinary(
      v4.LookupStreamsResponseSchema,
      create(v4.LookupStreamsResponseSchema, { results }),
    );
  },
  encodeStreamInfo(uuid, { version, descriptor }) {
    const response = create(v4.StreamInfoResponseSchema, {
      versionMajor: version?.major ?? 0n,
      versionMinor: version?.minor ?? 0n,
      descriptor: descriptorV4(descriptor ?? nameless(uuid)),
    });
    return toBinary(v4.StreamInfoResponseSchema, response);
  },
};

/** Metadata as v5 writes it. */
export const V5: MetadataCodec = {
  protocol: "v5",
  async decodeCreate(bytes) {
    const { uuid, collection, tags, annotations } = await decode(
      v5.CreateParamsSchema,
      bytes,
      { most: FEW_FIELDS },
    );
    return { uuid, collection, tags: metadataOf(tags), annotations: metadataOf(annotations) };
  },
  async decodeSetAnnotations(bytes) {
    const params = await decode(v5.SetStreamAnnotationsParamsSchema, bytes, { most: FEW_FIELDS });
    return {
      uuid: params.uuid,
      expected: params.expectedPropertyVersion,
      changes: metadataOf(params.changes),
      removals: params.removals,
    };
  },
  async decodeLookup(bytes) {
    const params = await decode(v5.LookupStreamsParamsSchema, bytes, { most: FEW_FIELDS });
    return {
      collection: params.collection,
      isCollectionPrefix: params.isCollectionPrefix,
      tags: metadataOf(params.tags),
      annotations: metadataOf(params.annotations),
    };
  },
  encodeLookup(descriptors) {
    const results = descriptors.map(descriptorV5);
    return toBinary(
      v5.LookupStreamsResponseSchema,
      create(v5.LookupStreamsResponseSchema, { results }),
    );
  },
  encodeStreamInfo(uuid, { version, descriptor }) {
    const response = create(v5.StreamInfoResponseSchema, {
      versionMajor: version?.major ?? 0n,
      versionMinor: version?.minor ?? 0n,
      descriptor: descriptorV5(descriptor ?? nameless(uuid)),
    });
    return toBinary(v5.StreamInfoResponseSchema, response);
  },
};

/** Metadata from v5's pairs; of a repeated key the last one counts. */
export function metadataOf(
  pairs: readonly { key: string; val?: { value: string } | undefined }[],
): Metadata {
  return new Map(pairs.map(({ key, val }) => [key, val?.value ?? null]));
}

/** A descriptor that was not asked for: answers carry the uuid all the same. */
function nameless(uuid: Uint8Array): StreamDescriptor {
  return { uuid, collection: "", tags: new Map(), annotations: new Map(), propertyVersion: 0n };
}

function descriptorV4(descriptor: StreamDescriptor): v4.StreamDescriptor {
  const pairs = (metadata: Metadata) =>
    [...metadata].map(([key, value]) => ({ key, value: encoder.encode(value ?? "") }))
      .map((pair) => create(v4.KeyValueSchema, pair));
  return create(v4.StreamDescriptorSchema, {
    uuid: descriptor.uuid,
    collection: descriptor.collection,
    tags: pairs(descriptor.tags),
    annotations: pairs(descriptor.annotations),
    annotationVersion: descriptor.propertyVersion,
  });
}

function descriptorV5(descriptor: StreamDescriptor): v5.StreamDescriptor {
  const pairs = (metadata: Metadata) =>
    [...metadata].map(([key, value]) =>
      create(v5.KeyOptValueSchema, { key, ...(value === null ? {} : { val: { value } }) })
    );
  return create(v5.StreamDescriptorSchema, {
    uuid: descriptor.uuid,
    collection: descriptor.collection,
    tags: pairs(descriptor.tags),
    annotations: pairs(descriptor.annotations),
    propertyVersion: descriptor.propertyVersion,
  });
}

const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Kind of a pair, as error texts call it. */
type PairKind = "tag" | "annotation";

/** Values that are not UTF-8, which a v4 client may send, cannot be stored: 409. */
function text(value: Uint8Array, kind: PairKind): string {
  try {
    return strict.decode(value);
  } catch {
    const shown = JSON.stringify(new TextDecoder().decode(value));
    throw new BTrDBError(`${kind} value ${shown} is invalid`, { code: ErrorCode.InvalidTagValue });
  }
}

function optional(
  pairs: readonly { key: string; val?: { value: Uint8Array } | undefined }[],
  kind: PairKind,
): Map<string, string | null> {
  return new Map(
    pairs.map(({ key, val }) => [key, val === undefined ? null : text(val.value, kind)]),
  );
}
