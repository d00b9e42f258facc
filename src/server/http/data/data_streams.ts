/**
 * Finds streams by what URLs call them: a uuid, `collection/name`, or `collection/*`, as far as the
 * caller may see them.
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../../../core/errors.ts";
import { uuidBytes, uuidText } from "../../../core/uuid.ts";
import type { Metadata, StreamDescriptor } from "../../../endpoint/endpoint.ts";
import { HttpFailure } from "../http_failure.ts";
import type { HttpExchange } from "../routes.ts";
import { badParameter, quoted } from "./parameters.ts";

/** A stream that was found. */
export interface FoundStream {
  readonly uuid: Uint8Array;
  readonly collection: string;
  /** Tag `name`; absent on streams without one. */
  readonly name: string | undefined;
  readonly descriptor: StreamDescriptor;
}

/** Parts of a request that finding streams needs. */
export type Finder = Pick<HttpExchange, "endpoint" | "access" | "options">;

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

/** Uuids that an error lists. */
const LISTED = 5;

/**
 * The streams that some texts mean, each once.
 *
 * @param most Most streams.
 * @throws {HttpFailure} 404 if there is none of a name, 400 if there are several, or too many in all.
 * @throws {GrpcFailure} PERMISSION_DENIED.
 */
export async function findStreams(
  finder: Finder,
  texts: readonly string[],
  most: number,
): Promise<FoundStream[]> {
  finder.access.anywhere("read", "");
  const found = new Map<string, FoundStream>();
  for (const text of new Set(texts)) {
    const streams = text.endsWith("/*")
      ? await allIn(finder, text.slice(0, -2), most)
      : [await findStream(finder, text)];
    for (const stream of streams) {
      found.set(uuidText(stream.uuid), stream);
      if (found.size > most) throw tooMany(most);
    }
  }
  return [...found.values()];
}

function tooMany(most: number): HttpFailure {
  return badParameter(`the call names more than the ${most} streams allowed`);
}

/**
 * The stream that a text means.
 *
 * @param text A uuid or `collection/name`.
 * @throws {HttpFailure} 404 if there is none, 400 if there are several.
 * @throws {GrpcFailure} PERMISSION_DENIED.
 */
export async function findStream(finder: Finder, text: string): Promise<FoundStream> {
  if (UUID.test(text)) return await byUuid(finder, uuidBytes(text));
  for (const { collection, name } of splits(text)) {
    const found = (await lookup(finder, collection, named(name)))
      .filter((stream) => stream.name === name);
    if (UUID.test(name)) {
      const other = await inCollection(finder, collection, uuidBytes(name));
      if (other !== undefined && other.name !== name) found.push(other);
    }
    const [stream] = found;
    if (stream === undefined) continue;
    if (found.length === 1) return stream;
    const uuids = found.slice(0, LISTED).map(({ uuid }) => uuidText(uuid)).join(", ");
    throw badParameter(
      `${found.length} streams are called ${quoted(text)}, expected a uuid: ${uuids}`,
    );
  }
  throw noStream(text);
}

/** The path of a stream: `collection/name`, or `collection/uuid` where there is no name. */
export function pathOf({ collection, name, uuid }: FoundStream): string {
  return `${collection}/${name ?? uuidText(uuid)}`;
}

/** A stream from its descriptor. */
export function foundOf(descriptor: StreamDescriptor): FoundStream {
  const { uuid, collection, tags } = descriptor;
  return { uuid, collection, name: tags.get("name") ?? undefined, descriptor };
}

function named(name: string): Metadata {
  return new Map([["name", name]]);
}

/** The parts of a path at every slash, the longest collection first. */
function* splits(path: string): Iterable<{ collection: string; name: string }> {
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
    const name = path.slice(at + 1);
    if (name !== "") yield { collection: path.slice(0, at), name };
  }
}

async function byUuid(finder: Finder, uuid: Uint8Array): Promise<FoundStream> {
  try {
    await finder.access.stream("read", uuid);
    return await describe(finder, uuid);
  } catch (error) {
    throw isMissing(error) ? noStream(uuidText(uuid)) : error;
  }
}

/** True if an error says that there is no such stream. */
function isMissing(error: unknown): boolean {
  return error instanceof BTrDBError && error.code === ErrorCode.NoSuchStream;
}

function noStream(text: string): HttpFailure {
  return new HttpFailure(404, `there is no stream ${quoted(text)}`, ErrorCode.NoSuchStream);
}

/** A stream of a collection by its uuid; undefined where there is none. */
async function inCollection(
  finder: Finder,
  collection: string,
  uuid: Uint8Array,
): Promise<FoundStream | undefined> {
  if (!finder.access.sees(collection)) return undefined;
  try {
    const stream = await describe(finder, uuid);
    return stream.collection === collection ? stream : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function describe({ endpoint, options }: Finder, uuid: Uint8Array): Promise<FoundStream> {
  const request = { uuid, omitVersion: true, omitDescriptor: false };
  const { descriptor } = await endpoint.streamInfo(request, options);
  if (descriptor === undefined) {
    throw new BTrDBError("stream does not exist", { code: ErrorCode.NoSuchStream });
  }
  return foundOf(descriptor);
}

async function allIn(finder: Finder, collection: string, most: number): Promise<FoundStream[]> {
  const found = await lookup(finder, collection, new Map(), most);
  if (found.length === 0) {
    const message = `there are no streams in collection ${quoted(collection)}`;
    throw new HttpFailure(404, message, ErrorCode.NoSuchStream);
  }
  return found.sort((a, b) => pathOf(a) < pathOf(b) ? -1 : 1);
}

async function lookup(
  { endpoint, access, options }: Finder,
  collection: string,
  tags: Metadata,
  most: number = Infinity,
): Promise<FoundStream[]> {
  if (!access.sees(collection)) return [];
  const found: FoundStream[] = [];
  const request = { collection, isCollectionPrefix: false, tags, annotations: new Map() };
  for await (const descriptors of endpoint.lookupStreams(request, options)) {
    for (const descriptor of descriptors) {
      if (descriptor.collection === collection) found.push(foundOf(descriptor));
      if (found.length > most) throw tooMany(most);
    }
  }
  return found;
}
