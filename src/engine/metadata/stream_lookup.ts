/**
 * Looks up streams by collection, tags and annotations.
 *
 * @module
 */

import { concatBytes } from "../../core/bytes.ts";
import type { LookupRequest, Metadata, StreamDescriptor } from "../../endpoint/endpoint.ts";
import { bytesOf } from "../file/checksum.ts";
import { RowCounter } from "../file/row_counter.ts";
import type { Database, Row, Statement } from "../file/sqlite.ts";
import { descriptorOf, STREAM_COLUMNS } from "../file/stream_row.ts";
import { FoundBytes, FoundRows } from "./found_rows.ts";
import {
  type PropertyCondition,
  propertyConditions,
  type PropertyIndex,
  UNKNOWN_STREAMS,
} from "./property_index.ts";
import { PAGE_ROWS, rowPages } from "./row_pages.ts";

const UTF8 = new TextEncoder();

/** Columns by which a lookup puts the streams in order that it finds. */
export const FOUND_COLUMNS = "stream.id, stream.uuid, stream.collection";

/** Bytes of tags and annotations that are read at once, if it is not a single stream that has more. */
const READ_BYTES = 512 << 10;

/** Tags and annotations that are read in one step: streams may have thousands of them. */
const STEP_PROPERTIES = 512;

/** Most rows counted to find out which condition of a lookup the fewest streams meet. */
const MAX_COUNTED = 65_536;

function matches(metadata: Metadata, conditions: Metadata): boolean {
  for (const [key, value] of conditions) {
    const actual = metadata.get(key);
    if (actual === undefined || (value !== null && actual !== value)) return false;
  }
  return true;
}

/** Statements that read the first rows in the order of their keys, and the next ones. */
interface Scan {
  readonly first: Statement;
  readonly next: Statement;
}

/** Finds streams in the order of their keys. */
export class StreamLookup {
  readonly #properties: PropertyIndex;
  readonly #found: FoundBytes;
  readonly #keyAt: Statement;
  readonly #byNumbers: Statement;
  readonly #bytesOf: Statement;
  readonly #numbers: Scan;
  readonly #streams: Scan;

  constructor(db: Database, properties: PropertyIndex, found: FoundBytes = new FoundBytes()) {
    this.#properties = properties;
    this.#found = found;
    this.#keyAt = db.prepare(
      "SELECT sort_key FROM stream WHERE sort_key BETWEEN ? AND ? ORDER BY sort_key LIMIT 1 OFFSET ?",
    );
    const byNumbers = (columns: string) =>
      db.prepare(
        `SELECT ${columns} FROM json_each(?) AS asked CROSS JOIN stream ON stream.id = asked.value`,
      );
    this.#byNumbers = byNumbers(STREAM_COLUMNS);
    this.#bytesOf = byNumbers("sum(octet_length(tags) + octet_length(annotations)) AS bytes");
    const scan = (columns: string): Scan => {
      const from = (comparison: string) =>
        db.prepare(
          `SELECT sort_key, ${columns} FROM stream WHERE sort_key ${comparison} ? ` +
            `AND sort_key < ? ORDER BY sort_key LIMIT ${PAGE_ROWS}`,
        );
      return { first: from(">="), next: from(">") };
    };
    this.#numbers = scan("id");
    this.#streams = scan(FOUND_COLUMNS);
  }

  /** Tells whether a stream has a key that begins so. */
  hasKey(key: Uint8Array): boolean {
    return this.#numbers.first.get(key, endOf(key)) !== undefined;
  }

  /**
   * Streams that meet all conditions. Without tags and annotations in the order of collection and
   * tags, else of collection and uuid. Yields `undefined` where it may pause; what is changed
   * meanwhile is seen as it is when its page is read.
   */
  *find(request: LookupRequest): Generator<StreamDescriptor | undefined> {
    const { tags, annotations } = request;
    const pages = tags.size + annotations.size === 0
      ? this.#inOrderOfKeys(request)
      : this.#inOrderOfUuids(request);
    const steps = new PropertySteps();
    for (const page of pages) {
      yield undefined;
      for (const rows of this.#read(page)) {
        for (const row of rows) {
          // What was read again may have been changed.
          if (!isIn(row, request)) continue;
          const stream = descriptorOf(row);
          if (matches(stream.tags, tags) && matches(stream.annotations, annotations)) yield stream;
          if (steps.isEnd(stream)) yield undefined;
        }
      }
    }
  }

  /** Rows of streams, so many at once that they do not have many bytes. */
  *#read(ids: readonly number[]): Generator<Row[]> {
    if (ids.length === 0) return;
    const asked = JSON.stringify(ids);
    if (ids.length < 2 || Number(this.#bytesOf.get(asked)?.["bytes"]) <= READ_BYTES) {
      yield this.#byNumbers.all(asked);
      return;
    }
    const half = ids.length >> 1;
    yield* this.#read(ids.slice(0, half));
    yield* this.#read(ids.slice(half));
  }

  /** Numbers of the streams of collections, page by page. */
  *#inOrderOfKeys(request: LookupRequest): Generator<number[]> {
    let page: number[] = [];
    for (const row of this.#inCollection(request, this.#numbers)) {
      if (row !== undefined) {
        page.push(Number(row["id"]));
        continue;
      }
      yield page;
      page = [];
    }
    if (page.length > 0) yield page;
  }

  /**
   * Numbers of the streams that may meet the conditions, page by page. If there are more than it may
   * hold, it looks for those behind them once their pages have been read.
   */
  *#inOrderOfUuids(request: LookupRequest): Generator<number[]> {
    for (let after: Uint8Array | undefined, isFirst = true; isFirst || after; isFirst = false) {
      const found = new FoundRows(this.#found, after);
      try {
        for (const row of this.#candidates(request)) {
          if (row === undefined) {
            yield [];
            continue;
          }
          const uuid = bytesOf(row["uuid"], "the uuid of a stream");
          found.add(Number(row["id"]), row["collection"] as string, uuid);
          while (!found.hasRoom) for (const _ of found.cut()) yield [];
        }
        for (const page of found.pages(PAGE_ROWS)) yield page ?? [];
        after = found.lastBeforeCut;
      } finally {
        found.end();
      }
    }
  }

  /** Streams that meet the condition that the fewest meet, that of the collection among them. */
  *#candidates(request: LookupRequest): Generator<Row | undefined> {
    const condition = yield* this.#rarest(request);
    if (condition === undefined) {
      for (const row of this.#inCollection(request, this.#streams)) {
        if (row === undefined || isIn(row, request)) yield row;
      }
      return;
    }
    // One that was damaged when it was indexed may meet the conditions, which is an error.
    for (const row of this.#properties.streams(UNKNOWN_STREAMS)) {
      yield undefined;
      if (row === undefined || !isIn(row, request)) continue;
      for (const whole of this.#byNumbers.all(JSON.stringify([Number(row["id"])]))) {
        descriptorOf(whole);
      }
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

  /**
   * Streams of a collection, or of those with its prefix, in the order of their keys; perhaps some of
   * collections below it.
   */
  *#inCollection(
    { collection, isCollectionPrefix }: LookupRequest,
    { first, next }: Scan,
  ): Generator<Row | undefined> {
    const key = UTF8.encode(collection + (isCollectionPrefix ? "" : "/"));
    yield* rowPages(first, next, key, endOf(key));
  }
}

/** Counts the tags and annotations of the streams that are read. */
class PropertySteps {
  #properties = 0;

  /** Tells whether so many came since the last time that it is well to pause. */
  isEnd({ tags, annotations }: StreamDescriptor): boolean {
    this.#properties += tags.size + annotations.size;
    if (this.#properties < STEP_PROPERTIES) return false;
    this.#properties = 0;
    return true;
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
