/**
 * The streams of a collection and of those below it, as rows.
 *
 * @module
 */

import { bytesOf } from "../file/checksum.ts";
import { keyPages } from "../file/key_pages.ts";
import type { Database } from "../file/sqlite.ts";

/** A row of the table of streams; its checksum is not looked at here. */
export interface StreamRow {
  /** Number of the stream in this database. */
  readonly id: number;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
  readonly collection: string;
  /** Explicit versions below this one were pruned. */
  readonly prunedBelow: number;
}

/** Streams read in one go: they are looked at without a pause. */
const PAGE_STREAMS = 32;

const UTF8 = new TextEncoder();

/**
 * Makes a reader of streams in the order of their collections, a page after the other.
 *
 * @returns The pages of a prefix: those of the collection of that name, and of all below it.
 */
export function streamsBelow(db: Database): (prefix: string) => Iterator<StreamRow[]> {
  const page = db.prepare(
    "SELECT id, uuid, collection, pruned_below, sort_key FROM stream " +
      `WHERE sort_key > ? AND sort_key < ? ORDER BY sort_key LIMIT ${PAGE_STREAMS}`,
  );
  return function* (prefix): Generator<StreamRow[]> {
    // Sort keys begin with the collection and a slash, and no byte of theirs is 0xff.
    const name = UTF8.encode(prefix);
    const after = prefix === "" ? name : Uint8Array.of(...name, 0x2e, 0xff);
    const end = prefix === "" ? Uint8Array.of(0xff) : Uint8Array.of(...name, 0x2f, 0xff);
    for (const rows of keyPages<Uint8Array>((after) => page.all(after, end), "sort_key", after)) {
      yield rows.map((row) => ({
        id: Number(row["id"]),
        uuid: bytesOf(row["uuid"], "the uuid of a stream"),
        collection: String(row["collection"]),
        prunedBelow: Number(row["pruned_below"]),
      }));
    }
  };
}
