/**
 * Store of metadata: collections, tags, annotations (docs/protocol.md, "Metadata").
 *
 * @module
 */

import { compareBytes, concatBytes } from "../../core/bytes.ts";
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
import { keyPages } from "../file/key_pages.ts";
import { KeySets } from "../file/key_sets.ts";
import { RowCounter } from "../file/row_counter.ts";
import type { Database, Row, Statement } from "../file/sqlite.ts";
import { descriptorOf, STREAM_COLUMNS } from "../file/stream_row.ts";
import { FoundRows } from "./found_rows.ts";
import { keysOf, MAX_KEYS } from "./key_limit.ts";
import { countKeys } from "./key_usage.ts";
import {
  type PropertyCondition,
  propertyConditions,
  PropertyIndex,
  UNKNOWN_STREAMS,
} from "./property_index.ts";
import { Refusal } from "../write/group_commit.ts";

const UTF8 = new TextEncoder();

/** Columns of the streams that a lookup reads. */
const FOUND_COLUMNS = `stream.id, ${STREAM_COLUMNS}`;

/** Rows read in one go. */
const PAGE_ROWS = 256;

/** Most rows that a lookup holds: of more, it reads those again that come next. */
const HELD_ROWS = 4_096;

/** Most rows counted to find out which condition of a lookup the fewest streams meet. */
const MAX_COUNTED = 65_536;

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

function matches(metadata: Metadata, conditions: Metadata): boolean {
  for (const [key, value] of conditions) {
    const actual = metadata.get(key);
    if (actual === undefined || (value !== null && actual !== value)) return false;
  }
  return true;
}

/** Reads and writes the metadata tables. */
export class MetadataStore {
  /** Number that grows with every change. */
  changes = 0;
  readonly #byUuid: Statement;
  readonly #number: Statement;
  readonly #keyAt: Statement;
  readonly #properties: PropertyIndex;
  readonly #keySets: KeySets;
  readonly #byKey: Statement;
  readonly #obstacles: Statement;
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #remove: Statement;
  readonly #bury: Statement;
  readonly #byNumbers: Statement;
  readonly #scan: Statement;
  readonly #scanAfter: Statement;
  readonly #addCollection: Statement;
  readonly #removeCollection: Statement;
  readonly #collections: Statement;
  readonly #collectionsAfter: Statement;

  constructor(db: Database) {
    this.#byUuid = db.prepare(`SELECT ${STREAM_COLUMNS} FROM stream WHERE uuid = ?`);
    this.#number = db.prepare("SELECT id FROM stream WHERE uuid = ?");
    this.#keyAt = db.prepare(
      "SELECT sort_key FROM stream WHERE sort_key BETWEEN ? AND ? ORDER BY sort_key LIMIT 1 OFFSET ?",
    );
    this.#properties = new PropertyIndex(db, FOUND_COLUMNS, PAGE_ROWS);
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
    this.#byNumbers = db.prepare(
      `SELECT ${FOUND_COLUMNS} FROM json_each(?) AS asked ` +
        "CROSS JOIN stream ON stream.id = asked.value",
    );
    const scan = (from: string) =>
      db.prepare(
        `SELECT sort_key, ${FOUND_COLUMNS} FROM stream WHERE sort_key ${from} ? AND sort_key < ? ` +
          `ORDER BY sort_key LIMIT ${PAGE_ROWS}`,
      );
    this.#scan = scan(">=");
    this.#scanAfter = scan(">");
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
    if (this.#scan.get(key, endOf(key)) !== undefined) return;
    this.#removeCollection.run(key);
  }

  /**
   * Streams that meet all conditions. Without tags and annotations in the order of collection and
   * tags, else of collection and uuid. Yields `undefined` where it may pause; what is changed
   * meanwhile is seen as it is when its page is read.
   */
  *lookup(request: LookupRequest): Generator<StreamDescriptor | undefined> {
    if (request.tags.size === 0 && request.annotations.size === 0) {
      for (const row of this.#inCollection(request)) yield row && descriptorOf(row);
      return;
    }
    const found = new FoundRows();
    const held = new Map<number, Row>();
    for (const row of this.#candidates(request)) {
      if (row === undefined) {
        yield undefined;
        continue;
      }
      const id = Number(row["id"]);
      found.add(id, row["collection"] as string, bytesOf(row["uuid"], "the uuid of a stream"));
      if (found.size <= HELD_ROWS) held.set(id, row);
      // Every clearing of a map makes a table that the table before keeps: one is enough.
      else if (held.size > 0) held.clear();
    }
    for (const page of found.pages(PAGE_ROWS)) {
      yield undefined;
      if (page === undefined) continue;
      const rows = held.size > 0
        ? page.map((id) => held.get(id)!)
        : this.#byNumbers.all(JSON.stringify(page));
      for (const row of rows) {
        // What was read again may have been changed.
        if (!isIn(row, request)) continue;
        const stream = descriptorOf(row);
        if (
          matches(stream.tags, request.tags) && matches(stream.annotations, request.annotations)
        ) {
          yield stream;
        }
      }
    }
  }

  /** Streams that meet the condition that the fewest meet, that of the collection among them. */
  *#candidates(request: LookupRequest): Generator<Row | undefined> {
    const condition = yield* this.#rarest(request);
    if (condition === undefined) {
      yield* this.#inCollection(request);
      return;
    }
    // One that was damaged when it was indexed may meet the conditions, which is an error.
    for (const row of this.#properties.streams(UNKNOWN_STREAMS)) {
      if (row === undefined) yield undefined;
      else if (isIn(row, request)) descriptorOf(row);
    }
    for (const row of this.#properties.streams(condition)) {
      if (row === undefined || isIn(row, request)) yield row;
    }
  }

  /**
   * The condition that the fewest streams meet; `undefined` for that of the collection. Yields where it
   * may pause.
   */
  *#rarest(
    { collection, isCollectionPrefix, tags, annotations }: LookupRequest,
  ): Generator<undefined, PropertyCondition | undefined> {
    const conditions = propertyConditions(tags, annotations);
    const inCollection = this.#counter(
      UTF8.encode(isCollectionPrefix ? collection : `${collection}/`),
    );
    const counters = conditions.map((condition) => this.#properties.counter(condition));
    for (let limit = PAGE_ROWS; limit <= MAX_COUNTED; limit *= 16) {
      if (!(yield* inCollection.reaches(limit))) return undefined;
      for (const [i, counter] of counters.entries()) {
        if (!(yield* counter.reaches(limit))) return conditions[i];
      }
    }
    return conditions.find(({ value }) => value !== undefined) ?? conditions[0];
  }

  /** Counts the streams whose keys begin with `key`. */
  #counter(key: Uint8Array): RowCounter {
    const end = endOf(key);
    let from = key;
    return new RowCounter((rows) => {
      const last = this.#keyAt.get(from, end, rows - 1)?.["sort_key"];
      if (last === undefined) return false;
      from = concatBytes([bytesOf(last, "the key of a stream"), ZERO]);
      return true;
    });
  }

  /** Streams of a collection, or of those with its prefix, in the order of their keys. */
  *#inCollection(request: LookupRequest): Generator<Row | undefined> {
    const key = UTF8.encode(request.collection + (request.isCollectionPrefix ? "" : "/"));
    for (const row of pages(this.#scan, this.#scanAfter, key, endOf(key))) {
      if (row === undefined || isIn(row, request)) yield row;
    }
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
    for (const row of pages(this.#collections, this.#collectionsAfter, from)) {
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

/** Byte behind a key that makes the one after it. */
const ZERO = new Uint8Array(1);

/** Tells whether the stream of a row is in the collections that a lookup asks for. */
function isIn(row: Row, { collection, isCollectionPrefix }: LookupRequest): boolean {
  const name = row["collection"] as string;
  return isCollectionPrefix ? `${name}/`.startsWith(collection) : name === collection;
}

/** The end of the keys that begin with `key`, which are UTF-8: no byte of theirs is 0xff. */
function endOf(key: Uint8Array): Uint8Array {
  const end = new Uint8Array(key.length + 1).fill(0xff);
  end.set(key);
  return end;
}

/**
 * Rows in the order of their keys, a page after the other, `undefined` between pages.
 *
 * @param end End of the keys, exclusive, where the statements have one.
 */
function* pages(
  first: Statement,
  next: Statement,
  from: Uint8Array,
  ...end: Uint8Array[]
): Generator<Row | undefined> {
  const rows = first.all(from, ...end);
  yield* rows;
  if (rows.length < PAGE_ROWS) return;
  const last = rows.at(-1)!["sort_key"] as Uint8Array;
  for (const page of keyPages((after) => next.all(after, ...end), "sort_key", last)) {
    yield undefined;
    yield* page;
  }
}
