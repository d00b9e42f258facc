/**
 * Finds streams by what people type: a uuid, `collection/name`, or `collection/*`.
 *
 * @module
 */

import type { BTrDB } from "../../../mod.ts";
import {
  byPath,
  findByPath,
  isUuid,
  type NamedStream,
  nameStream,
  splitPath,
  streamsOf,
} from "../../client/stream_paths.ts";
import { type CliError, notFound, usageError } from "../errors.ts";
import { didYouMean, nearest } from "../../core/suggest.ts";

export { isUuid, type NamedStream, nameStream, splitPath };

/** Most collections and streams looked at to find near names. */
const NEAR_LIMIT = 5_000;

/**
 * The stream that `text` means.
 *
 * @param db Database with the stream.
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

/** The streams of all collections that begin with `prefix`, in the order of their names. */
export async function streamsBelow(db: BTrDB, prefix: string): Promise<NamedStream[]> {
  const found: NamedStream[] = [];
  for await (const stream of db.lookupStreams(prefix, { isCollectionPrefix: true })) {
    found.push(await nameStream(stream));
  }
  return found.sort(byPath);
}

/**
 * As {@linkcode streamsBelow}, in pieces while they are found: a collection, with those below it, once
 * another one begins.
 */
export async function* streamsByPath(
  db: BTrDB,
  prefix: string,
): AsyncGenerator<NamedStream[], void, undefined> {
  let collections: Set<string> | undefined;
  let found: NamedStream[] = [];
  let outermost = "";
  for await (const stream of db.lookupStreams(prefix, { isCollectionPrefix: true })) {
    const named = await nameStream(stream);
    // In the order of collection, slash and tags, a collection is among those below it.
    if (found.length === 0 || !`${named.collection}/`.startsWith(outermost)) {
      if (found.length > 0) yield found.sort(byPath);
      found = [];
      collections ??= await allCollections(db, prefix);
      outermost = outermostOf(named.collection, collections);
    }
    found.push(named);
  }
  if (found.length > 0) yield found.sort(byPath);
}

async function allCollections(db: BTrDB, prefix: string): Promise<Set<string>> {
  const collections = new Set<string>();
  for await (const collection of db.listCollections(prefix)) collections.add(collection);
  return collections;
}

/** The first of the collections that this one is below, or itself, with a slash. */
function outermostOf(collection: string, collections: ReadonlySet<string>): string {
  for (let at = collection.indexOf("/"); at >= 0; at = collection.indexOf("/", at + 1)) {
    if (collections.has(collection.slice(0, at))) return collection.slice(0, at + 1);
  }
  return `${collection}/`;
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
  return notFound(message, didYouMean(near, "`btrdb ls` lists them all"));
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
  return didYouMean(near, "`btrdb ls -l` lists what is there");
}
