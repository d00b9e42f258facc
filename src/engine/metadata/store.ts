/**
 * Store of metadata: collections, tags, annotations (docs/protocol.md, "Metadata").
 *
 * @module
 */

import { compareBytes } from "../../core/bytes.ts";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { uuidText } from "../../core/uuid.ts";
import { TEXT } from "../../endpoint/checks.ts";
import { quote } from "../../endpoint/checks_metadata.ts";
import type {
  CreateRequest,
  ListCollectionsRequest,
  LookupRequest,
  Metadata,
  MetadataUsage,
  SetAnnotationsRequest,
  SetTagsRequest,
  StreamDescriptor,
} from "../../endpoint/endpoint.ts";
import { bytesOf, checkParts } from "../file/checksum.ts";
import { KeySets } from "../file/key_sets.ts";
import type { Database, Statement } from "../file/sqlite.ts";
import { descriptorOf, STREAM_COLUMNS } from "../file/stream_row.ts";
import { keysOf, MAX_KEYS } from "./key_limit.ts";
import { countKeys } from "./key_usage.ts";
import { PropertyIndex } from "./property_index.ts";
import { PAGE_ROWS, rowPages } from "./row_pages.ts";
import { FOUND_COLUMNS, StreamLookup } from "./stream_lookup.ts";
import { Refusal } from "../write/group_commit.ts";

const UTF8 = new TextEncoder();

function refuse(code: number, text: string, uuid: Uint8Array): never {
  throw new Refusal(new BTrDBError(text, { code, uuid: uuidText(uuid) }));
}

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  return compareBytes(bytes.subarray(0, head.length), head) === 0;
}

/**
 * The key a stream is unique by and listed in the order of: collection, a slash, and its tags,
 * sorted, each as key, NUL, value, NUL.
 */
export function sortKey(collection: string, tags: Metadata): Uint8Array {
  const parts = [...tags].map(([key, value]) => `${key}\0${value ?? ""}\0`);
  const bytes = parts.map((part) => UTF8.encode(part)).sort(compareBytes);
  const head = UTF8.encode(`${collection}/`);
  const out = new Uint8Array(bytes.reduce((sum, part) => sum + part.length, head.length));
  out.set(head);
  let at = head.length;
  for (const part of bytes) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

function toJson(metadata: Metadata): string {
  return JSON.stringify(Object.fromEntries(metadata));
}

/** Reads and writes the metadata tables. */
export class MetadataStore {
  /** Number that grows with every change. */
  changes = 0;
  readonly #byUuid: Statement;
  readonly #number: Statement;
  readonly #properties: PropertyIndex;
  readonly #lookup: StreamLookup;
  readonly #keySets: KeySets;
  readonly #byKey: Statement;
  readonly #obstacles: Statement;
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #remove: Statement;
  readonly #bury: Statement;
  readonly #addCollection: Statement;
  readonly #removeCollection: Statement;
  readonly #collections: Statement;
  readonly #collectionsAfter: Statement;

  constructor(db: Database) {
    this.#byUuid = db.prepare(`SELECT ${STREAM_COLUMNS} FROM stream WHERE uuid = ?`);
    this.#number = db.prepare("SELECT id FROM stream WHERE uuid = ?");
    this.#properties = new PropertyIndex(db, FOUND_COLUMNS, PAGE_ROWS);
    this.#lookup = new StreamLookup(db, this.#properties);
    this.#keySets = new KeySets(db);
    this.#byKey = db.prepare("SELECT uuid FROM stream WHERE sort_key = ?");
    this.#obstacles = db.prepare(
      `SELECT EXISTS (SELECT 1 FROM stream WHERE sort_key = ?) AS same,
        EXISTS (SELECT 1 FROM tombstone WHERE uuid = ?) AS spent,
        EXISTS (SELECT 1 FROM stream WHERE uuid = ?) AS used`,
    );
    this.#insert = db.prepare(
      "INSERT INTO stream " +
        "(uuid, collection, tags, annotations, property_version, sort_key, checksum) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#update = db.prepare(
      "UPDATE stream SET collection = ?, tags = ?, annotations = ?, sort_key = ?, " +
        "property_version = ?, checksum = ? WHERE uuid = ?",
    );
    this.#remove = db.prepare("DELETE FROM stream WHERE uuid = ?");
    this.#bury = db.prepare("INSERT INTO tombstone (uuid) VALUES (?)");
    this.#addCollection = db.prepare(
      "INSERT INTO collection (sort_key) VALUES (?) ON CONFLICT DO NOTHING",
    );
    this.#removeCollection = db.prepare("DELETE FROM collection WHERE sort_key = ?");
    const collections = (from: string) =>
      db.prepare(
        `SELECT sort_key FROM collection WHERE sort_key ${from} ? ` +
          `ORDER BY sort_key LIMIT ${PAGE_ROWS}`,
      );
    this.#collections = collections(">=");
    this.#collectionsAfter = collections(">");
  }

  /** A stream's metadata; `undefined` if there is no such stream. */
  get(uuid: Uint8Array): StreamDescriptor | undefined {
    const row = this.#byUuid.get(uuid);
    return row === undefined ? undefined : descriptorOf(row);
  }

  /** Makes a stream. Refuses with 406 or 429. */
  create(request: CreateRequest): void {
    const { uuid, collection, tags, annotations } = request;
    const key = sortKey(collection, tags);
    const { same, spent, used } = this.#obstacles.get(key, uuid, uuid)!;
    if (same === 1) refuse(ErrorCode.StreamExists, TEXT.sameTags, uuid);
    if (spent === 1) {
      const reason = `uuid ${
        quote(uuidText(uuid))
      } has been used before with a (now deleted) stream`;
      refuse(ErrorCode.ReusedUUID, reason, uuid);
    }
    if (used === 1) {
      const reason = `a stream already exists with uuid ${
        quote(uuidText(uuid))
      } and a different collection or tags`;
      refuse(ErrorCode.ReusedUUID, reason, uuid);
    }
    const texts = [collection, toJson(tags), toJson(annotations)] as const;
    this.changes++;
    const checksum = checkParts(uuid, ...texts, "1");
    const { lastInsertRowid } = this.#insert.run(uuid, ...texts, 1, key, checksum);
    this.#addCollection.get(UTF8.encode(`${collection}/`));
    this.#properties.add(Number(lastInsertRowid), request);
    this.#keySets.add(request);
  }

  #numberOf(uuid: Uint8Array): number {
    return Number(this.#number.get(uuid)!["id"]);
  }

  /** Changes annotations. Refuses with 404 or 423. */
  setAnnotations({ uuid, expected, changes, removals }: SetAnnotationsRequest): void {
    const stream = this.#expect(uuid, expected);
    const annotations = new Map(stream.annotations);
    for (const [key, value] of changes) annotations.set(key, value);
    for (const key of removals) annotations.delete(key);
    this.#write(stream, { ...stream, annotations });
  }

  /** Changes tags and collection. Refuses with 404, 423 or 406. */
  setTags({ uuid, expected, collection, changes, removals }: SetTagsRequest): void {
    const stream = this.#expect(uuid, expected);
    const tags = new Map(stream.tags);
    for (const [key, value] of changes) tags.set(key, value);
    for (const key of removals) tags.delete(key);
    const target = collection === "" ? stream.collection : collection;
    const other = this.#byKey.get(sortKey(target, tags))?.["uuid"] as Uint8Array | undefined;
    if (other !== undefined && compareBytes(other, uuid) !== 0) {
      refuse(ErrorCode.StreamExists, TEXT.sameTags, uuid);
    }
    this.#write(stream, { ...stream, tags, collection: target });
    this.#addCollection.get(UTF8.encode(`${target}/`));
    if (target !== stream.collection) this.#dropCollection(stream.collection);
  }

  /** Removes a stream and spends its uuid. */
  obliterate(stream: StreamDescriptor): void {
    this.changes++;
    this.#properties.remove(this.#numberOf(stream.uuid), stream);
    this.#keySets.remove(stream);
    this.#remove.run(stream.uuid);
    this.#bury.run(stream.uuid);
    this.#dropCollection(stream.collection);
  }

  #expect(uuid: Uint8Array, version: bigint): StreamDescriptor {
    const stream = this.get(uuid);
    if (stream === undefined) refuse(ErrorCode.NoSuchStream, TEXT.streamDoesNotExist, uuid);
    if (stream.propertyVersion !== version) {
      refuse(ErrorCode.AnnotationVersionMismatch, TEXT.annotationVersion, uuid);
    }
    return stream;
  }

  #write(before: StreamDescriptor, after: StreamDescriptor): void {
    const { uuid, collection, tags, annotations, propertyVersion } = after;
    // Those of files of earlier releases may have more, but get no more.
    const most = Math.max(keysOf(before), MAX_KEYS);
    if (keysOf(after) > most) {
      const text = `the stream would have ${
        keysOf(after)
      } tags and annotations, expected at most ${MAX_KEYS}`;
      refuse(ErrorCode.WrongArgs, text, uuid);
    }
    const texts = [collection, toJson(tags), toJson(annotations)] as const;
    const version = propertyVersion + 1n;
    const checksum = checkParts(uuid, ...texts, String(version));
    this.changes++;
    this.#update.run(...texts, sortKey(collection, tags), version, checksum, uuid);
    this.#properties.change(this.#numberOf(uuid), before, after);
    this.#keySets.change(before, after);
  }

  /**
   * Forgets a collection that has lost a stream. As on the real server it stays listed while any
   * stream is left in it or in a collection below it.
   */
  #dropCollection(collection: string): void {
    const key = UTF8.encode(`${collection}/`);
    if (this.#lookup.hasKey(key)) return;
    this.#removeCollection.run(key);
  }

  /** Finds streams, as {@linkcode StreamLookup} does. */
  lookup(request: LookupRequest): Generator<StreamDescriptor | undefined> {
    return this.#lookup.find(request);
  }

  /**
   * Collections in the order of the bytes of `name + "/"`, which also is what prefixes match.
   * Yields `undefined` where it may pause.
   */
  *collections(
    { prefix, startWith, limit }: ListCollectionsRequest,
  ): Generator<string | undefined> {
    const key = UTF8.encode(prefix);
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    let left = limit ?? Infinity;
    const from = UTF8.encode(startWith ?? prefix);
    for (const row of rowPages(this.#collections, this.#collectionsAfter, from)) {
      if (row === undefined) {
        yield undefined;
        continue;
      }
      const at = bytesOf(row["sort_key"], "the key of a collection");
      if (left-- <= 0 || !startsWith(at, key)) break;
      yield decoder.decode(at.subarray(0, -1));
    }
  }

  /**
   * Number of streams per key, in collections whose name begins with `prefix`. Yields `undefined`
   * where it may pause, then the one answer.
   */
  *usage(prefix: string): Generator<MetadataUsage | undefined> {
    yield yield* countKeys(this.#keySets, prefix);
  }
}
