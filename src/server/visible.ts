/**
 * Lists of streams and collections, as far as a caller may see them. The database is not asked for what
 * the caller may not see at all, so that neither the answer nor its time tells whether it is there.
 *
 * @module
 */

import { compareUtf8 } from "../core/bytes.ts";
import type {
  CallOptions,
  Endpoint,
  ListCollectionsRequest,
  LookupRequest,
  StreamDescriptor,
} from "../endpoint/endpoint.ts";
import type { Access } from "./access.ts";

/** The caller and the database. */
interface Asked {
  readonly endpoint: Endpoint;
  readonly access: Access;
  readonly options: CallOptions;
}

/** The streams that meet conditions. */
export async function* visibleStreams(
  request: LookupRequest,
  { endpoint, access, options }: Asked,
): AsyncIterableIterator<StreamDescriptor[]> {
  const { collection: asked, isCollectionPrefix } = request;
  const own = access.sees(asked) ? [asked] : [];
  for (const collection of isCollectionPrefix ? access.narrowed(asked) : own) {
    for await (const batch of endpoint.lookupStreams({ ...request, collection }, options)) {
      yield batch.filter((stream) => access.sees(stream.collection));
    }
  }
}

/** The names of collections. */
export async function* visibleCollections(
  request: ListCollectionsRequest,
  { endpoint, access, options }: Asked,
): AsyncIterableIterator<string[]> {
  const { startWith = request.prefix } = request;
  for (const prefix of access.narrowed(request.prefix)) {
    const isWithin = startWith.startsWith(prefix);
    if (!isWithin && compareUtf8(startWith, prefix) > 0) continue;
    const narrowed = { ...request, prefix, startWith: isWithin ? startWith : prefix };
    for await (const batch of endpoint.listCollections(narrowed, options)) {
      yield batch.filter((name) => access.sees(name));
    }
  }
}
