/**
 * Store of metadata: collections, tags, annotations (docs/protocol.md, "Metadata").
 *
 * @module
 */

import { compareBytes } from "../../core/bytes.ts";
import { BTrDBError, ErrorCode } from "../../core/errors.ts";
import { atOnce } from "../../core/pacer.ts";
import { uuidText } from "../../core/uuid.ts";
import { TEXT } from "../../endpoint/checks.ts";
import { quote } from "../../endpoint/checks_metadata.ts";
import type {
  CreateRequest,
  ListCollectionsRequest,
  LookupRequest,
  MetadataUsage,
  SetAnnotationsRequest,
  SetTagsRequest,
  StreamDescriptor,
} from "../../endpoint/endpoint.ts";
import { bytesOf } from "../file/checksum.ts";
import { KeySets } from "../file/key_sets.ts";
import type { Database, Statement } from "../file/sqlite.ts";
import { descriptorOf, STREAM_COLUMNS } from "../file/stream_row.ts";
import { keysOf, MAX_KEYS } from "./key_limit.ts";
import { countKeys } from "./key_usage.ts";
import { changeInSteps, type MetadataChange } from "./metadata_change.ts";
import { FIRST_VERSION, type NewStream, newStreamInSteps } from "./new_stream.ts";
import { PropertyIndex } from "./property_index.ts";
import { PAGE_ROWS, rowPages } from "./row_pages.ts";
import { FOUND_COLUMNS, StreamLookup } from "./stream_lookup.ts";
import { Refusal } from "../write/transaction.ts";

const UTF8 = new TextEncoder();

function refuse(code: number, text: string, uuid: Uint8Array): never {
  throw new Refusal(new BTrDBError(text, { code, uuid: uuidText(uuid) }));
}

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  return compareBytes(bytes.subarray(0, head.length), head) === 0;
}

/** A change of annotations, or of tags and collection. */
export type ChangeRequest = SetAnnotationsRequest | SetTagsRequest;

/** Keys of a change, and bytes of tags and annotations of a stream, from which on it takes long. */
const LONG_KEYS = 128;
const LONG_BYTES = 1 << 14;

/** A stream with a change. */
function changed(stream: StreamDescriptor, request: ChangeRequest): StreamDescriptor {
  const isOfTags = "collection" in request;
  const metadata = new Map(isOfTags ? stream.tags : stream.annotations);
  for (const [key, value] of request.changes) metadata.set(key, value);
  for (const key of request.removals) metadata.delete(key);
  if (!isOfTags) return { ...stream, annotations: metadata };
  const { collection } = request;
  return {
    ...stream,
    tags: metadata,
    collection: collection === "" ? stream.collection : collection,
  };
}

/** The error of a stream that gets too many keys; those of files of earlier releases may keep more. */
function tooManyKeys(before: StreamDescriptor, after: StreamDescriptor): BTrDBError | undefined {
  const keys = keysOf(after);
  if (keys <= Math.max(keysOf(before), MAX_KEYS)) return undefined;
  const text = `the stream would have ${keys} tags and annotations, expected at most ${MAX_KEYS}`;
  return new BTrDBError(text, { code: ErrorCode.WrongArgs, uuid: uuidText(after.uuid) });
}

/** Reads and writes the metadata tables. */
export class MetadataStore {
  /** Number that grows with every change. */
  changes = 0;
  readonly #byUuid: Statement;
  readonly #number: Statement;
  readonly #size: Statement;
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
    this.#byUuid = db.prepare(`SELECT id, ${STREAM_COLUMNS} FROM stream WHERE uuid = ?`);
    this.#number = db.prepare("SELECT id, property_version FROM stream WHERE uuid = ?");
    this.#size = db.prepare(
      "SELECT octet_length(tags) + octet_length(annotations) AS bytes FROM stream WHERE uuid = ?",
    );
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

  /** Tells whether a new stream takes long to work out. */
  isLongNew(request: CreateRequest): boolean {
    return keysOf(request) > LONG_KEYS;
  }

  /** Makes a stream. Refuses with 406 or 429. */
  create(request: CreateRequest): void {
    this.add(atOnce(newStreamInSteps(request)));
  }

  /** Makes a stream that was worked out. Refuses with 406 or 429. */
  add({ uuid, texts, sortKey, checksum, rows, place }: NewStream): void {
    const { same, spent, used } = this.#obstacles.get(sortKey, uuid, uuid)!;
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
    this.changes++;
    const added = this.#insert.run(uuid, ...texts, FIRST_VERSION, sortKey, checksum);
    const [collection] = texts;
    this.#addCollection.get(UTF8.encode(`${collection}/`));
    this.#properties.add(Number(added.lastInsertRowid), rows);
    this.#keySets.add(place);
  }

  /** Tells whether a change takes long to work out. */
  isLong({ uuid, changes, removals }: ChangeRequest): boolean {
    return changes.size + removals.length > LONG_KEYS ||
      Number(this.#size.get(uuid)?.["bytes"] ?? 0) > LONG_BYTES;
  }

  /** Changes tags and collection, or annotations. Refuses with 404, 423, 421 or 406. */
  change(request: ChangeRequest): void {
    const { uuid, expected } = request;
    const row = this.#byUuid.get(uuid);
    if (row === undefined) refuse(ErrorCode.NoSuchStream, TEXT.streamDoesNotExist, uuid);
    const stream = descriptorOf(row);
    if (stream.propertyVersion !== expected) {
      refuse(ErrorCode.AnnotationVersionMismatch, TEXT.annotationVersion, uuid);
    }
    const after = changed(stream, request);
    const error = tooManyKeys(stream, after);
    if (error !== undefined) throw new Refusal(error);
    this.#write(Number(row["id"]), atOnce(changeInSteps(stream, after)));
  }

  /**
   * Works out a change before the transaction that writes it. Yields between its steps.
   *
   * @returns `undefined` if there is no such stream in the expected version, as there may be by then.
   * @throws {BTrDBError} 421 if the stream would have too many tags and annotations.
   */
  *workOut(request: ChangeRequest): Generator<undefined, MetadataChange | undefined> {
    yield;
    const stream = this.get(request.uuid);
    if (stream?.propertyVersion !== request.expected) return undefined;
    yield;
    const after = changed(stream, request);
    const error = tooManyKeys(stream, after);
    if (error !== undefined) throw error;
    return yield* changeInSteps(stream, after);
  }

  /**
   * Writes a change that was worked out. Refuses with 404, 423 or 406.
   *
   * @param change The change, if the stream was in the expected version.
   * @returns False if nothing is written because the stream came to the expected version only since.
   */
  write({ uuid, expected }: ChangeRequest, change: MetadataChange | undefined): boolean {
    const row = this.#number.get(uuid);
    if (row === undefined) refuse(ErrorCode.NoSuchStream, TEXT.streamDoesNotExist, uuid);
    if (BigInt(row["property_version"] as number) !== expected) {
      refuse(ErrorCode.AnnotationVersionMismatch, TEXT.annotationVersion, uuid);
    }
    if (change !== undefined) this.#write(Number(row["id"]), change);
    return change !== undefined;
  }

  #write(id: number, change: MetadataChange): void {
    const { before, texts, sortKey, isRenamed, version, checksum, rows, places } = change;
    const { uuid } = before;
    const other = isRenamed
      ? this.#byKey.get(sortKey)?.["uuid"] as Uint8Array | undefined
      : undefined;
    if (other !== undefined && compareBytes(other, uuid) !== 0) {
      refuse(ErrorCode.StreamExists, TEXT.sameTags, uuid);
    }
    this.changes++;
    this.#update.run(...texts, sortKey, version, checksum, uuid);
    this.#properties.change(id, rows);
    this.#keySets.change(...places);
    const [collection] = texts;
    if (collection === before.collection) return;
    this.#addCollection.get(UTF8.encode(`${collection}/`));
    this.#dropCollection(before.collection);
  }

  /** Removes a stream and spends its uuid. */
  obliterate(stream: StreamDescriptor): void {
    this.changes++;
    this.#properties.remove(Number(this.#number.get(stream.uuid)!["id"]), stream);
    this.#keySets.remove(stream);
    this.#remove.run(stream.uuid);
    this.#bury.run(stream.uuid);
    this.#dropCollection(stream.collection);
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
