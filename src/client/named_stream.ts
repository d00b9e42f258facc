/**
 * Streams with their names.
 *
 * @module
 */

import type { Stream } from "./stream.ts";

/** A stream and what people call it. */
export interface NamedStream {
  stream: Stream;
  uuid: string;
  collection: string;
  /** Tag `name`; absent on streams without one. */
  name: string | undefined;
  /** Tag `unit`. */
  unit: string | undefined;
  /** `collection/name`, or `collection/uuid` where there is no name. */
  path: string;
}

/** Reads what a stream is called. */
export async function nameStream(stream: Stream): Promise<NamedStream> {
  const [collection, tags] = [await stream.collection(), await stream.tags()];
  const name = tags["name"] ?? undefined;
  const unit = tags["unit"] ?? undefined;
  const uuid = stream.uuid;
  return { stream, uuid, collection, name, unit, path: `${collection}/${name ?? uuid}` };
}
