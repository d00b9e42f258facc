/**
 * Streams by their paths: `collection/name`.
 *
 * @module
 */

import type { BTrDB } from "./btrdb.ts";
import { type NamedStream, nameStream } from "./named_stream.ts";

export { type NamedStream, nameStream };

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;

/** Tells whether text has the form of a uuid. */
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

/** The order of paths, then of uuids. */
export function byPath(a: NamedStream, b: NamedStream): number {
  if (a.path !== b.path) return a.path < b.path ? -1 : 1;
  return a.uuid < b.uuid ? -1 : 1;
}

/** The collection in a path, which the columns of BTrDB's own tables are named by. */
export function collectionIn(path: string): string | undefined {
  const at = path.lastIndexOf("/");
  return at > 0 && at < path.length - 1 ? path.slice(0, at) : undefined;
}
