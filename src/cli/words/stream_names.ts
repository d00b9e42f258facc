/**
 * From what people type to streams: a uuid, `collection/name`, or `collection/*`.
 *
 * @module
 */

import type { BTrDB, Stream } from "../../../mod.ts";
import { type CliError, notFound, usageError } from "../errors.ts";
import { nearest } from "./suggest.ts";

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

/** Most collections and streams looked at to find near names. */
const NEAR_LIMIT = 5_000;

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

/** Whether text has the form of a uuid. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** A stream's path in its two parts: at every slash, the longest collection first. */
export function* splitPath(path: string): Iterable<{ collection: string; name: string }> {
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
    const name = path.slice(at + 1);
    if (name !== "") yield { collection: path.slice(0, at), name };
  }
}

/**
 * The stream that `text` means.
 *
 * @param db Where it is.
 * @param text A uuid or `collection/name`.
 * @throws {CliError} Not found, with near names; a usage error, if several streams fit.
 */
export async function resolveStream(db: BTrDB, text: string): Promise<NamedStream> {
  if (isUuid(text)) {
    const stream = db.streamFromUUID(text);
    if (!await stream.exists()) {
      throw notFound(`There is no stream ${text}`, "`btrdb ls -l --uuid` lists streams and uuids");
    }
    return await nameStream(stream);
  }
  const found = await findByPath(db, text);
  if (found.length === 1) return found[0]!;
  if (found.length > 1) throw await ambiguous(text, found);
  throw await unknownStream(db, text);
}

/** All streams that go by a path. */
export async function findByPath(db: BTrDB, path: string): Promise<NamedStream[]> {
  const found: NamedStream[] = [];
  for (const { collection, name } of splitPath(path)) {
    const matches = isUuid(name)
      ? await streamsOf(db, collection)
      : await streamsOf(db, collection, { name });
    found.push(...matches.filter((match) => match.name === name || match.uuid === name));
    if (found.length > 0) break;
  }
  return found;
}

/** The streams of one collection, in the order of their names. */
export async function streamsOf(
  db: BTrDB,
  collection: string,
  tags: Record<string, string> = {},
): Promise<NamedStream[]> {
  const found: NamedStream[] = [];
  for await (const stream of db.lookupStreams(collection, { tags })) {
    const named = await nameStream(stream);
    if (named.collection === collection) found.push(named);
  }
  return found.sort(byPath);
}

/** The streams of all collections that begin with `prefix`, in the order of their names. */
export async function streamsBelow(db: BTrDB, prefix: string): Promise<NamedStream[]> {
  const found: NamedStream[] = [];
  for await (const stream of db.lookupStreams(prefix, { isCollectionPrefix: true })) {
    found.push(await nameStream(stream));
  }
  return found.sort(byPath);
}

/**
 * The streams that a command works on: those named, or all whose collection begins with `--prefix`.
 *
 * @throws {CliError} Not found, if a name or a prefix that was given fits none.
 */
export async function chosenStreams(
  db: BTrDB,
  names: readonly string[],
  prefix: string | undefined,
): Promise<NamedStream[]> {
  if (names.length > 0) return await resolveStreams(db, names);
  const found = await streamsBelow(db, prefix ?? "");
  if (found.length === 0 && prefix !== undefined) throw await unknownPrefix(db, prefix);
  return found;
}

/** The error of a prefix with which no collection begins. */
export async function unknownPrefix(db: BTrDB, prefix: string): Promise<CliError> {
  const message = `There is no collection that begins with ${prefix}`;
  const [stream] = await findByPath(db, prefix);
  if (stream !== undefined) return notFound(message, `it is a stream: \`btrdb show ${prefix}\``);
  const near = nearest(prefix.replace(/\/$/, ""), await collectionsOf(db));
  return notFound(
    message,
    near.length > 0 ? `did you mean ${near.join(" or ")}?` : "`btrdb ls` lists them all",
  );
}

function byPath(a: NamedStream, b: NamedStream): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return a.uuid < b.uuid ? -1 : 1;
}

/**
 * All streams that a list of names means; `collection/*` is all streams of the collection, and a
 * stream named twice comes once.
 */
export async function resolveStreams(db: BTrDB, texts: readonly string[]): Promise<NamedStream[]> {
  const found = new Map<string, NamedStream>();
  for (const text of texts) {
    for (const named of await resolveOne(db, text)) {
      if (!found.has(named.uuid)) found.set(named.uuid, named);
    }
  }
  return [...found.values()];
}

async function resolveOne(db: BTrDB, text: string): Promise<NamedStream[]> {
  if (!text.endsWith("/*")) return [await resolveStream(db, text)];
  const collection = text.slice(0, -2);
  const found = await streamsOf(db, collection);
  if (found.length > 0) return found;
  throw notFound(
    `There are no streams in collection ${collection}`,
    meant(nearest(collection, await collectionsOf(db))),
  );
}

async function ambiguous(text: string, found: readonly NamedStream[]): Promise<CliError> {
  const lines: string[] = [];
  for (const { uuid, stream } of found) {
    const tags = Object.entries(await stream.tags()).filter(([key]) => key !== "name");
    lines.push(`${uuid} ${tags.map(([key, value]) => `${key}=${value}`).join(" ")}`.trimEnd());
  }
  return usageError(
    `Several streams are called ${text}`,
    `use the uuid: ${lines.join("; ")}`,
  );
}

async function unknownStream(db: BTrDB, text: string): Promise<CliError> {
  const collections = await collectionsOf(db);
  const place = text.replace(/\/$/, "");
  if (collections.includes(place)) {
    return notFound(
      `There is no stream ${text}`,
      `${place} is a collection: \`btrdb ls -l ${place}\` lists its streams, ${place}/* names them all`,
    );
  }
  const near = new Set<string>();
  for (const { collection, name } of splitPath(text)) {
    for (const candidate of [collection, ...nearest(collection, collections, 3)]) {
      if (!collections.includes(candidate)) continue;
      const paths = (await streamsOf(db, candidate)).map((named) => named.path);
      const names = paths.map((path) => path.slice(candidate.length + 1));
      const fitting = nearest(name, names).map((found) => `${candidate}/${found}`);
      for (const path of fitting) near.add(path);
      if (fitting.length === 0 && names.length <= 5) { for (const path of paths) near.add(path); }
    }
    if (near.size > 0) break;
  }
  if (!text.includes("/")) await addNamesakes(db, text, near);
  return notFound(`There is no stream ${text}`, meant([...near].slice(0, 5)));
}

/** Without a collection: the streams that bear the name, wherever they are. */
async function addNamesakes(db: BTrDB, name: string, near: Set<string>): Promise<void> {
  const paths: string[] = [];
  for await (const stream of db.lookupStreams("", { isCollectionPrefix: true })) {
    paths.push((await nameStream(stream)).path);
    if (paths.length >= NEAR_LIMIT) break;
  }
  const names = new Map(paths.map((path) => [path.slice(path.lastIndexOf("/") + 1), path]));
  for (const found of nearest(name, names.keys())) near.add(names.get(found)!);
}

async function collectionsOf(db: BTrDB): Promise<string[]> {
  const collections: string[] = [];
  for await (const collection of db.listCollections()) {
    collections.push(collection);
    if (collections.length >= NEAR_LIMIT) break;
  }
  return collections;
}

function meant(near: readonly string[]): string {
  return near.length === 0
    ? "`btrdb ls -l` lists what is there"
    : `did you mean ${near.join(" or ")}?`;
}
