/**
 * The RPCs on metadata.
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { create, toBinary } from "@bufbuild/protobuf";
import { checkListCollections, MAX_LIST_LIMIT } from "../../endpoint/checks_metadata.ts";
import * as v4 from "../../gen/btrdb_v4_pb.ts";
import * as v5 from "../../gen/btrdb_v5_pb.ts";
import type { Exchange, Method } from "../method.ts";
import { visibleCollections, visibleStreams } from "../visible.ts";
import { LookupMessage } from "./lookup_message.ts";
import { type MetadataCodec, metadataOf } from "./metadata_codec.ts";
import { decode, FEW_FIELDS } from "./request.ts";

/** Names a v5 `ListCollectionsResponse` carries. */
const BATCH_NAMES = 1_000;

/** `StreamInfo`. */
export function streamInfo(dialect: MetadataCodec): Method {
  return async ({ call, endpoint, access, options }) => {
    const params = await decode(v5.StreamInfoParamsSchema, await call.only());
    await access.stream("read", params.uuid);
    const { uuid, omitVersion, omitDescriptor } = params;
    const info = await endpoint.streamInfo({ uuid, omitVersion, omitDescriptor }, options);
    await call.send(dialect.encodeStreamInfo(uuid, info));
  };
}

/** `Create`. */
export function createStream(dialect: MetadataCodec): Method {
  return async ({ call, endpoint, access, options }) => {
    const request = await dialect.decodeCreate(await call.only());
    access.collection("insert", request.collection);
    await endpoint.create(request, options).catch((error: unknown) => {
      const isUsed = error instanceof BTrDBError && error.code === ErrorCode.ReusedUUID;
      if (!isUsed || !access.limited) throw error;
      // The same words whether the uuid is or was used, and in whichever collection.
      throw new BTrDBError("the uuid cannot be used for a new stream", {
        code: ErrorCode.ReusedUUID,
      });
    });
    await call.send(toBinary(v5.CreateResponseSchema, create(v5.CreateResponseSchema)));
  };
}

/** `SetStreamAnnotations`. */
export function setAnnotations(dialect: MetadataCodec): Method {
  return async ({ call, endpoint, access, options }) => {
    const request = await dialect.decodeSetAnnotations(await call.only());
    await access.stream("insert", request.uuid);
    await endpoint.setAnnotations(request, options);
    const schema = v5.SetStreamAnnotationsResponseSchema;
    await call.send(toBinary(schema, create(schema)));
  };
}

/** `SetStreamTags` of v5. */
export async function setTags({ call, endpoint, access, options }: Exchange): Promise<void> {
  const params = await decode(v5.SetStreamTagsParamsSchema, await call.only(), {
    most: FEW_FIELDS,
  });
  await access.stream("insert", params.uuid);
  if (params.collection !== "") access.collection("insert", params.collection);
  const request = {
    uuid: params.uuid,
    expected: params.expectedPropertyVersion,
    collection: params.collection,
    changes: metadataOf(params.tags),
    removals: params.remove,
  };
  // A change that fails may have taken place all the same.
  await endpoint.setTags(request, options).finally(() => access.moved(params.uuid));
  const schema = v5.SetStreamTagsResponseSchema;
  await call.send(toBinary(schema, create(schema)));
}

/** `LookupStreams`: what the caller may not see is left out. */
export function lookupStreams(dialect: MetadataCodec): Method {
  return async ({ call, endpoint, access, options }) => {
    const request = await dialect.decodeLookup(await call.only());
    access.anywhere("read", request.collection);
    let message = new LookupMessage(dialect);
    let sent = false;
    const send = async (): Promise<void> => {
      const bytes = message.end();
      [message, sent] = [new LookupMessage(dialect), true];
      await call.send(bytes);
    };
    for await (const found of visibleStreams(request, { endpoint, access, options })) {
      for (const stream of found) {
        const pause = message.add(stream);
        if (pause !== undefined) await pause;
        if (message.isFull) await send();
      }
    }
    if (!sent || !message.isEmpty) await send();
  };
}

/**
 * `ListCollections` of v4: one page of at most `limit` names. Streams that the caller may not see
 * are left out before the page is filled, so that a short page is always the last one.
 */
export async function listCollectionsV4(exchange: Exchange): Promise<void> {
  const { call, access } = exchange;
  const params = await decode(v4.ListCollectionsParamsSchema, await call.only());
  const limit = params.limit > BigInt(MAX_LIST_LIMIT) ? MAX_LIST_LIMIT + 1 : Number(params.limit);
  const { prefix, startWith } = params;
  checkListCollections({ prefix, startWith, limit });
  let collections: string[] = [];
  access.anywhere("read", prefix);
  for await (const names of visibleCollections({ prefix, startWith }, exchange)) {
    collections = collections.concat(names.slice(0, limit - collections.length));
    if (collections.length === limit) break;
  }
  const schema = v4.ListCollectionsResponseSchema;
  await call.send(toBinary(schema, create(schema, { collections })));
}

/** `ListCollections` of v5: all names, streamed. */
export async function listCollectionsV5(exchange: Exchange): Promise<void> {
  const { call, access } = exchange;
  const { prefix } = await decode(v5.ListCollectionsParamsSchema, await call.only());
  const schema = v5.ListCollectionsResponseSchema;
  let collections: string[] = [];
  let sent = false;
  access.anywhere("read", prefix);
  for await (const names of visibleCollections({ prefix }, exchange)) {
    collections = collections.concat(names);
    for (; collections.length >= BATCH_NAMES; collections = collections.slice(BATCH_NAMES)) {
      sent = true;
      const some = collections.slice(0, BATCH_NAMES);
      await call.send(toBinary(schema, create(schema, { collections: some })));
    }
  }
  if (!sent || collections.length > 0) {
    await call.send(toBinary(schema, create(schema, { collections })));
  }
}

/** `GetMetadataUsage`. */
export async function metadataUsage({ call, endpoint, access, options }: Exchange): Promise<void> {
  const { prefix } = await decode(v5.MetadataUsageParamsSchema, await call.only());
  access.collection("read", prefix);
  const usage = await endpoint.metadataUsage(prefix, options);
  const counts = (keys: ReadonlyMap<string, bigint>) =>
    [...keys].map(([key, count]) => create(v5.KeyCountSchema, { key, count }));
  const response = create(v5.MetadataUsageResponseSchema, {
    tags: counts(usage.tags),
    annotations: counts(usage.annotations),
  });
  await call.send(toBinary(v5.MetadataUsageResponseSchema, response));
}
