/**
 * Table of the sets of keys that streams have: a row for each set in each collection, with the number
 * of its streams. Usage of keys is counted from it, in any part of the database, without a look at the
 * streams (docs/engine.md).
 *
 * @module
 */

import { compareBytes, concatBytes } from "../../core/bytes.ts";
import type { StreamDescriptor } from "../../endpoint/endpoint.ts";
import { bytesOf, checkParts, damaged } from "./checksum.ts";
import type { Database, Row, Statement } from "./sqlite.ts";
import { descriptorOf } from "./stream_row.ts";

/** Parts of a stream that a set follows from. */
type Keyed = Pick<StreamDescriptor, "collection" | "tags" | "annotations">;

/** Key of the table. */
export interface KeySetPlace {
  /** Name of the collection, whose bytes are in order where texts need not be. */
  readonly collection: Uint8Array;
  /** JSON of the keys of tags and those of annotations, each sorted; {@linkcode UNKNOWN} of a damaged stream. */
  readonly keys: string;
}

/** A row that was checked. */
export interface KeySet extends KeySetPlace {
  readonly streams: number;
}

/** Keys of streams that were damaged when they were counted. */
export const UNKNOWN = "";

/** Rows read in one go. */
const PAGE_ROWS = 512;

const MODULUS = 2 ** 32;

/** Checksums grow by this with every stream: it is odd, so no other number of streams has the same. */
const STEP = 0x9e3779b1;

/** No UTF-8 has this byte. */
const BEHIND_TEXT = Uint8Array.of(0xff);

const UTF8 = new TextEncoder();

/** The set that a row of the table of streams belongs to. */
export function placeOfRow(row: Row): KeySetPlace {
  try {
    return placeOf(descriptorOf(row));
  } catch {
    return { collection: UTF8.encode(String(row["collection"])), keys: UNKNOWN };
  }
}

/** The set that a stream belongs to. */
export function placeOf({ collection, tags, annotations }: Keyed): KeySetPlace {
  const keys = JSON.stringify([[...tags.keys()].sort(), [...annotations.keys()].sort()]);
  return { collection: UTF8.encode(collection), keys };
}

/** Checksum of a row, which SQL can keep up to date without reading the row first. */
function checksumOf(collection: Uint8Array, keys: string, streams: number): number {
  return (checkParts(collection, keys) + Math.imul(STEP, streams)) >>> 0;
}

/** A row of the table. Throws `CORRUPT` if its checksum does not fit. */
export function keySetOf(row: Row): KeySet {
  const collection = bytesOf(row["collection"], "the collection of a set of keys");
  const { keys, streams, checksum } = row as { keys: string; streams: number; checksum: number };
  if (!(streams > 0) || checksumOf(collection, keys, streams) !== checksum) {
    throw damaged(`the number of streams with the keys ${keys}`);
  }
  return { collection, keys, streams };
}

/** Reads and writes the table. */
export class KeySets {
  readonly #add: Statement;
  readonly #take: Statement;
  readonly #drop: Statement;
  readonly #first: Statement;
  readonly #next: Statement;

  constructor(db: Pick<Database, "prepare">) {
    this.#add = db.prepare(
      `INSERT INTO key_set (collection, keys, streams, checksum) VALUES (?, ?, 1, ?)
      ON CONFLICT DO UPDATE
      SET streams = streams + 1, checksum = (checksum + ${STEP}) % ${MODULUS}`,
    );
    this.#take = db.prepare(
      `UPDATE key_set
      SET streams = streams - 1, checksum = (checksum + ${MODULUS - STEP}) % ${MODULUS}
      WHERE collection = ? AND keys = ? RETURNING streams`,
    );
    this.#drop = db.prepare("DELETE FROM key_set WHERE collection = ? AND keys = ?");
    const page = (from: string) =>
      db.prepare(
        `SELECT collection, keys, streams, checksum FROM key_set
        WHERE ${from} AND collection < ? ORDER BY collection, keys LIMIT ${PAGE_ROWS}`,
      );
    this.#first = page("collection >= ?");
    this.#next = page("(collection, keys) > (?, ?)");
  }

  /** Counts a new stream. */
  add({ collection, keys }: KeySetPlace): void {
    this.#add.get(collection, keys, checksumOf(collection, keys, 1));
  }

  /** Counts a stream no longer. */
  remove(stream: Keyed): void {
    this.#removeFrom(placeOf(stream));
  }

  #removeFrom({ collection, keys }: KeySetPlace): void {
    const left = this.#take.get(collection, keys)?.["streams"];
    if (left === undefined) throw damaged(`the number of streams with the keys ${keys}`);
    if (left === 0) this.#drop.run(collection, keys);
  }

  /** Counts a stream where it belongs after a change. */
  change(from: KeySetPlace, to: KeySetPlace): void {
    if (from.keys === to.keys && compareBytes(from.collection, to.collection) === 0) return;
    this.#removeFrom(from);
    this.add(to);
  }

  /** Sets in collections whose names begin with `prefix`, in pages. */
  *within(prefix: string): Generator<KeySet[]> {
    const begin = UTF8.encode(prefix);
    const end = concatBytes([begin, BEHIND_TEXT]);
    for (let rows = this.#first.all(begin, end); rows.length > 0;) {
      const sets = rows.map(keySetOf);
      yield sets;
      if (rows.length < PAGE_ROWS) return;
      const { collection, keys } = sets.at(-1)!;
      rows = this.#next.all(collection, keys, end);
      const first = rows[0] === undefined ? undefined : keySetOf(rows[0]);
      const order = first === undefined ? 1 : compareBytes(first.collection, collection);
      if (order < 0 || (order === 0 && first!.keys <= keys)) {
        throw damaged("the numbers of streams by their keys are not in order");
      }
    }
  }
}
