/**
 * Checks the tables beside the tree: their content must follow from the streams.
 *
 * @module
 */

import { compareBytes } from "../../core/bytes.ts";
import { bytesOf, checkBytes, checkNumbers } from "../file/checksum.ts";
import { FIRST_MAJOR } from "../constants.ts";
import { ALL_VERSIONS } from "../write/reclaimer.ts";
import { DELETION_COLUMNS, deletionOf } from "../file/deletions.ts";
import { ruleOf } from "../retention/rules.ts";
import { counterProblems } from "../file/counters.ts";
import { WRITER_KEY } from "../file/writer_mark.ts";
import { IS_LIVE, SPENT_KEY, TAIL_START } from "../file/journal_rows.ts";
import { keyPages } from "../file/key_pages.ts";
import { type KeySet, KeySets, placeOfRow } from "../file/key_sets.ts";
import { rowCountProblems, ROWS_KEY } from "../file/row_counts.ts";
import { propertyRowsOf } from "../file/property_rows.ts";
import type { Database, Row } from "../file/sqlite.ts";
import { STREAM_COLUMNS } from "../file/stream_row.ts";

const UTF8 = new TextEncoder();

/** Problems of the listed collections: one for each that is listed wrongly, or not at all. */
export function* collectionProblems(db: Database): Generator<string | undefined> {
  const listed = db.prepare("SELECT sort_key FROM collection ORDER BY sort_key").all();
  const keys = db.prepare("SELECT DISTINCT collection FROM stream").all()
    .map((row) => UTF8.encode(`${row["collection"]}/`)).sort(compareBytes);
  const names = new Set(listed.map((row) => hexOf(keyOf(row))));
  for (const key of keys) {
    yield undefined;
    if (!names.has(hexOf(key))) yield `Collection ${textOf(key)} is not listed`;
  }
  // A collection stays listed while a stream is left in it or below it.
  let at = 0;
  for (const row of listed) {
    yield undefined;
    const key = keyOf(row);
    while (at < keys.length && compareBytes(keys[at]!, key) < 0) at++;
    const next = keys[at]?.subarray(0, key.length);
    if (key.at(-1) !== 0x2f || next === undefined || compareBytes(next, key) !== 0) {
      yield `Collection ${textOf(key)} is listed and has no stream`;
    }
  }
}

function keyOf(row: Row): Uint8Array {
  return bytesOf(row["sort_key"], "the key of a collection");
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function textOf(key: Uint8Array): string {
  return JSON.stringify(new TextDecoder().decode(key.subarray(0, -1)));
}

/** Problems of the uuids of obliterated streams. */
export function* tombstoneProblems(db: Database): Generator<string | undefined> {
  const sql = "SELECT uuid, uuid IN (SELECT uuid FROM stream) AS lives FROM tombstone";
  for (const row of db.prepare(sql).all()) {
    yield undefined;
    const uuid = bytesOf(row["uuid"], "an obliterated uuid");
    if (uuid.length !== 16) yield `The obliterated uuid ${hexOf(uuid)} has ${uuid.length} bytes`;
    if (row["lives"] !== 0) yield `The uuid ${hexOf(uuid)} was obliterated and has a stream`;
  }
}

/** Problems of the settings, and of other numbers from which the file goes on counting. */
export function* settingProblems(db: Database): Generator<string | undefined> {
  for (const { key } of db.prepare("SELECT key FROM setting").all()) {
    const isKnown = key === "next_block" || key === "journal_tail" || key === SPENT_KEY ||
      String(key).startsWith(WRITER_KEY) || String(key).startsWith(ROWS_KEY);
    if (!isKnown) yield `Setting ${JSON.stringify(key)} is not known`;
  }
  for (const problem of counterProblems(db, false)) yield capitalized(problem);
  yield lastStreamProblem(db);
  for (const problem of rowCountProblems(db)) yield capitalized(problem);
}

/** A new stream would get the number of one of which something is left, and what is left of it. */
function lastStreamProblem(db: Database): string | undefined {
  const { last, least } = db.prepare(`SELECT
    (SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'stream') AS last,
    max(
      (SELECT ifnull(max(id), 0) FROM stream),
      (SELECT ifnull(max(stream), 0) FROM version),
      (SELECT ifnull(max(stream), 0) FROM journal_index)
    ) AS least`).get() as { last: number; least: number };
  return last < least ? `The last stream has number ${least}, not ${last}` : undefined;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Problems of what is noted to be removed: it must fit to the streams that there are. */
export function* reclaimProblems(db: Database): Generator<string | undefined> {
  const sql = "SELECT reclaim.stream, below, pruned_below FROM reclaim " +
    "LEFT JOIN stream ON stream.id = reclaim.stream";
  for (const row of db.prepare(sql).all()) {
    yield undefined;
    if (row["below"] === (row["pruned_below"] ?? ALL_VERSIONS)) continue;
    yield `Versions of stream number ${row["stream"]} below ${row["below"]} are to be removed`;
  }
}

/** Problems of the rules by which points expire, and of what was deleted. */
export function* retentionProblems(db: Database): Generator<string | undefined> {
  for (const row of db.prepare("SELECT prefix, max_age, checksum FROM retention").all()) {
    yield undefined;
    yield problemOf(() => ruleOf(row));
  }
  const page = db.prepare(
    `SELECT stream, ${DELETION_COLUMNS}, stream IN (SELECT id FROM stream) AS lives,
      (SELECT max(major) FROM version WHERE version.stream = deletion.stream) AS latest
    FROM deletion WHERE stream > ? ORDER BY stream LIMIT 256`,
  );
  for (const rows of keyPages((after) => page.all(after), "stream", Number.MIN_SAFE_INTEGER)) {
    for (const row of rows) {
      const stream = Number(row["stream"]);
      yield problemOf(() => deletionOf(stream, row));
      if (row["lives"] !== 1) yield `What was deleted of stream number ${stream} has no stream`;
      else if (!((row["major"] as number) <= Number(row["latest"]))) {
        yield `Version ${
          row["major"]
        }, which has deleted points of stream number ${stream}, is not there`;
      }
    }
    yield undefined;
  }
}

/** The message of what a check throws. */
function problemOf(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Journal rows of streams that are not there; those of the others are checked with them. */
export function* strayJournalProblems(db: Database): Generator<string | undefined> {
  const sql = `SELECT seq FROM journal WHERE stream NOT IN (SELECT id FROM stream) AND ${IS_LIVE}`;
  for (const row of db.prepare(sql).all()) {
    yield `Journal row ${row["seq"]} belongs to no stream`;
  }
}

/** Problems of the index of the journal: rows that it lacks, and rows that it has in vain. */
export function* journalIndexProblems(db: Database): Generator<string | undefined> {
  const sql = `SELECT count(*) AS n,
    (SELECT value FROM setting WHERE key = '${SPENT_KEY}') AS spent FROM journal WHERE NOT ${IS_LIVE}`;
  const { n, spent } = db.prepare(sql).get()!;
  if (n !== (spent ?? 0)) {
    yield `${n} rows of the journal are not in its index, and ${spent ?? 0} of them are spent`;
  }
  const vain = `SELECT seq FROM journal_index AS i WHERE NOT EXISTS
    (SELECT 1 FROM journal WHERE journal.seq = i.seq AND journal.stream = i.stream)`;
  for (const row of db.prepare(vain).all()) {
    yield `Journal row ${row["seq"]} is in the index of the journal and not in the journal`;
  }
  const twice = `SELECT seq FROM journal_index WHERE seq >= ${TAIL_START}`;
  for (const row of db.prepare(twice).all()) {
    yield `Journal row ${row["seq"]} is in the index of the journal and behind it`;
  }
}

/** Problems of the index of tags and annotations: it must have what streams have, and nothing else. */
export function* propertyProblems(db: Database): Generator<string | undefined> {
  const page = db.prepare(
    `SELECT id, ${STREAM_COLUMNS} FROM stream WHERE id > ? ORDER BY id LIMIT 256`,
  );
  const entry = db.prepare("SELECT 1 FROM property WHERE key = ? AND value = ? AND stream = ?");
  let known = 0;
  let areAllKnown = true;
  for (const rows of keyPages((after) => page.all(after), "id", 0)) {
    for (const row of rows) {
      const id = row["id"]!;
      const entries = propertyRowsOf(row);
      if (entries === undefined) {
        // What entries it has to have nobody knows; the damage is reported with the stream.
        areAllKnown = false;
        continue;
      }
      const seen = new Set<string>();
      for (const { key, value } of entries) {
        const size = seen.size;
        if (seen.add(`${key} ${value}`).size === size) continue;
        if (entry.get(key, value, id) !== undefined) known++;
        else yield `Stream number ${id} is not in the index of tags and annotations`;
      }
    }
    yield undefined;
  }
  if (!areAllKnown) return;
  const all = Number(db.prepare("SELECT count(*) AS n FROM property").get()?.["n"]);
  if (all !== known) {
    yield `The index of tags and annotations has ${all - known} entries without a stream`;
  }
}

/** Problems of the numbers of streams by their keys: they have to be those of a count. */
export function* keySetProblems(db: Database): Generator<string | undefined> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const nameOf = ({ collection, keys }: Pick<KeySet, "collection" | "keys">) =>
    `keys ${keys} in collection ${JSON.stringify(decoder.decode(collection))}`;
  const counted = new Map<string, number>();
  const streams = db.prepare(
    `SELECT id, ${STREAM_COLUMNS} FROM stream WHERE id > ? ORDER BY id LIMIT 256`,
  );
  for (const rows of keyPages((after) => streams.all(after), "id", 0)) {
    for (const row of rows) {
      const name = nameOf(placeOfRow(row));
      counted.set(name, (counted.get(name) ?? 0) + 1);
    }
    yield undefined;
  }
  for (const page of new KeySets(db).within("")) {
    for (const set of page) {
      const name = nameOf(set);
      const expected = counted.get(name) ?? 0;
      counted.delete(name);
      if (set.streams !== expected) {
        yield `There are ${expected} streams with the ${name}, not ${set.streams}`;
      }
    }
    yield undefined;
  }
  for (const name of counted.keys()) yield `Streams with the ${name} are not counted`;
}

/** Tells whether a journal row is where it was written. */
export function isJournalRowWhole(stream: number, row: Row): boolean {
  const data = row["data"];
  return data instanceof Uint8Array &&
    checkBytes(data, Number(row["seq"]), stream) === row["checksum"];
}

/** Tells whether a version row is where it was written. */
export function isVersionRowWhole(stream: number, row: Row): boolean {
  return checkNumbers(stream, Number(row["major"]), Number(row["root"])) === row["checksum"];
}

/** Tells whether a stream may have been pruned below a version: 0 is never, below 12 is nothing. */
export function isPrunedBelowPossible(prunedBelow: number, versions: number): boolean {
  return prunedBelow === 0 || (prunedBelow > FIRST_MAJOR + 1 && versions > 0);
}
