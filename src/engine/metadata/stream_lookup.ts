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
import { FoundRows } from "./found_rows.ts";
import {
  type PropertyCondition,
  propertyConditions,
  type PropertyIndex,
  UNKNOWN_STREAMS,
} from "./property_index.ts";
import { PAGE_ROWS, rowPages } from "./row_pages.ts";

const UTF8 = new TextEncoder();

/** Columns of the streams that a lookup reads. */
export const FOUND_COLUMNS: string = `stream.id, ${STREAM_COLUMNS}`;

/** Most rows that a lookup holds: of more, it reads those again that come next. */
const HELD_ROWS = 4_096;

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

/** Finds streams in the order of their keys. */
export class StreamLookup {
  readonly #properties: PropertyIndex;
  readonly #keyAt: Statement;
  readonly #byNumbers: Statement;
  readonly #scan: Statement;
  readonly #scanAfter: Statement;

  constructor(db: Database, properties: PropertyIndex) {
    this.#properties = properties;
    this.#keyAt = db.prepare(
      "SELECT sort_key FROM stream WHERE sort_key BETWEEN ? AND ? ORDER BY sort_key LIMIT 1 OFFSET ?",
    );
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
  }

  /** Tells whether a stream has a key that begins so. */
  hasKey(key: Uint8Array): boolean {
    return this.#scan.get(key, endOf(key)) !== undefined;
  }

  /**
   * Streams that meet all conditions. Without tags and annotations in the order of collection and
   * tags, else of collection and uuid. Yields `undefined` where it may pause; what is changed
   * meanwhile is seen as it is when its page is read.
   */
  *find(request: LookupRequest): Generator<StreamDescriptor | undefined> {
    const steps = new PropertySteps();
    if (request.tags.size === 0 && request.annotations.size === 0) {
      for (const row of this.#inCollection(request)) {
        const stream = row && descriptorOf(row);
        yield stream;
        if (stream !== undefined && steps.isEnd(stream)) yield undefined;
      }
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
        if (steps.isEnd(stream)) yield undefined;
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
    for (const row of rowPages(this.#scan, this.#scanAfter, key, endOf(key))) {
      if (row === undefined || isIn(row, request)) yield row;
    }
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
