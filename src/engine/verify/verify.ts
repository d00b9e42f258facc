/**
 * Checking a database file: every block, every node against its children, every version.
 *
 * @module
 */

import { checkPath } from "../../core/check_path.ts";
import { refuseOtherThanFiles } from "../file/file_system.ts";
import { realPath } from "../file/lock.ts";
import { compareBytes } from "../../core/bytes.ts";
import type { RawColumns } from "../../core/columns.ts";
import { BTrDBError } from "../../core/errors.ts";
import { isDue, yieldToEventLoop } from "../../core/pacer.ts";
import { uuidText } from "../../core/uuid.ts";
import { BUFFER_POINTS, FIRST_MAJOR } from "../constants.ts";
import { bytesOf, damaged } from "../file/checksum.ts";
import { IN_TAIL } from "../file/journal_rows.ts";
import { keyPages } from "../file/key_pages.ts";
import { foreignObjects } from "../file/schema.ts";
import type { Database, Row } from "../file/sqlite.ts";
import { sqliteError } from "../file/sqlite.ts";
import { descriptorOf, STREAM_COLUMNS } from "../file/stream_row.ts";
import { sortKey } from "../metadata/stored_texts.ts";
import { type OpenForReading, openForReading } from "../open.ts";
import { journalPoints } from "../stream/journal_points.ts";
import { Findings, nothingChecked, type VerifyReport } from "./findings.ts";
import {
  collectionProblems,
  isJournalRowWhole,
  isPrunedBelowPossible,
  journalIndexProblems,
  keySetProblems,
  propertyProblems,
  reclaimProblems,
  retentionProblems,
  settingProblems,
  strayJournalProblems,
  tombstoneProblems,
} from "./tables.ts";
import { TreeVerifier } from "./tree_verifier.ts";

/** One pass over a database. */
class Verifier {
  readonly #db: Database;
  readonly #path: string;
  readonly #findings = new Findings();
  readonly #trees: TreeVerifier;

  constructor(db: Database, path: string) {
    this.#db = db;
    this.#path = path;
    this.#trees = new TreeVerifier(db, this.#findings);
  }

  get report(): VerifyReport {
    return this.#findings.report;
  }

  *run(): Generator<undefined> {
    yield* this.#part(this.#pages());
    yield* this.#part(this.#streams());
    yield* this.#part(this.#obliterated());
    yield* this.#part(this.#orphans());
    for (const problems of TABLES) yield* this.#part(this.#list(problems(this.#db)));
  }

  /** Goes on with the next part where damage keeps SQLite from reading this one to its end. */
  *#part(part: Generator<undefined>): Generator<undefined> {
    try {
      yield* part;
    } catch (error) {
      this.#findings.add(damageOf(error, this.#path));
    }
  }

  *#list(problems: Iterable<string | undefined>): Generator<undefined> {
    for (const problem of problems) {
      if (problem === undefined) yield;
      else this.#findings.add(problem);
    }
  }

  /** SQLite's own structures. */
  *#pages(): Generator<undefined> {
    for (const row of this.#db.prepare("PRAGMA integrity_check(20)").all()) {
      const text = String(row["integrity_check"]);
      if (text !== "ok") this.#findings.add(`SQLite: ${text}`);
      yield;
    }
  }

  *#streams(): Generator<undefined> {
    const sql = `SELECT id, sort_key, pruned_below, ${STREAM_COLUMNS} FROM stream`;
    for (const row of this.#db.prepare(sql).all()) {
      this.report.streams++;
      this.#metadata(row);
      yield* this.#stream(row);
    }
  }

  #metadata(row: Row): void {
    try {
      const { collection, tags } = descriptorOf(row);
      const key = sortKey(collection, tags);
      if (compareBytes(key, bytesOf(row["sort_key"], "the sort key")) !== 0) {
        throw damaged(`the sort key of stream number ${row["id"]}`);
      }
    } catch (error) {
      this.#findings.add((error as Error).message);
    }
  }

  *#stream(row: Row): Generator<undefined> {
    const id = Number(row["id"]);
    const uuid = bytesOf(row["uuid"], `the uuid of stream number ${id}`);
    const name = `Stream ${uuid.length === 16 ? uuidText(uuid) : `number ${id}`}`;
    const prunedBelow = Number(row["pruned_below"]);
    const isPruning = this.#trees.removedBelow(id) > 0;
    const first = isPruning ? undefined : Math.max(prunedBelow, FIRST_MAJOR + 1);
    const stats = yield* this.#trees.versions(name, id, first);
    if (!isPrunedBelowPossible(prunedBelow, this.#trees.versionRows(id).length)) {
      this.#findings.add(`${name}: it cannot have been pruned below version ${prunedBelow}`);
    }
    this.report.points += BigInt(stats?.count ?? 0);
    yield* this.#journal(name, id);
  }

  /** Streams that were obliterated and are still being removed. */
  *#obliterated(): Generator<undefined> {
    const sql = "SELECT DISTINCT stream FROM version WHERE stream NOT IN (SELECT id FROM stream)";
    for (const row of this.#db.prepare(sql).all()) {
      const stream = Number(row["stream"]);
      const name = `Obliterated stream number ${stream}`;
      if (this.#trees.removedBelow(stream) === 0) {
        this.#findings.add(`${name} is not going to be removed`);
      }
      yield* this.#trees.versions(name, stream);
    }
  }

  *#journal(name: string, stream: number): Generator<undefined> {
    let points = 0;
    const rows = this.#db.prepare(
      `SELECT seq, points, abs(at_ms / 2) < ${2 ** 52} AS hasTime, checksum, data
      FROM journal WHERE seq IN (
        SELECT seq FROM journal_index WHERE stream = ?1
        UNION SELECT seq FROM journal WHERE stream = ?1 AND ${IN_TAIL})`,
    );
    for (const row of rows.all(stream)) {
      points += Number(row["points"]);
      this.#journalRow(`${name}: journal row ${row["seq"]}`, stream, row);
      yield;
    }
    if (points >= BUFFER_POINTS) this.#findings.add(`${name}: ${points} points in the journal`);
    this.report.points += BigInt(points);
  }

  #journalRow(at: string, stream: number, row: Row): void {
    if (!isJournalRowWhole(stream, row)) {
      this.#findings.add(`${at}: its checksum does not fit`);
      return;
    }
    let points: RawColumns;
    try {
      points = journalPoints(bytesOf(row["data"], "the row"));
    } catch (error) {
      this.#findings.add(`${at}: ${(error as Error).message}`);
      return;
    }
    const n = points.times.length;
    if (n !== row["points"]) this.#findings.add(`${at}: it has ${n} points`);
    if (row["hasTime"] !== 1) this.#findings.add(`${at}: the time at which it was written is none`);
  }

  /** Blocks that belong to no version. */
  *#orphans(): Generator<undefined> {
    const page = this.#db.prepare("SELECT id FROM block WHERE id > ? ORDER BY id LIMIT 1000");
    for (const rows of keyPages((after) => page.all(after), "id", Number.MIN_SAFE_INTEGER)) {
      for (const row of rows) {
        const id = Number(row["id"]);
        if (!this.#trees.hasSeen(id)) this.#findings.add(`Block ${id} belongs to no version`);
      }
      yield;
    }
  }
}

/** Checks of the other tables. */
const TABLES = [
  (db: Database): string[] => foreignObjects(db),
  reclaimProblems,
  retentionProblems,
  journalIndexProblems,
  keySetProblems,
  propertyProblems,
  strayJournalProblems,
  collectionProblems,
  tombstoneProblems,
  settingProblems,
];

/** Statuses of damage. A damaged header makes a file one of another application, or no database. */
const DAMAGE: readonly string[] = ["CORRUPT", "NOT_A_DATABASE"];

/**
 * Text to report for an error that was caused by damage.
 *
 * @throws Any other error.
 */
function damageOf(error: unknown, path: string): string {
  const mapped = sqliteError(error, path);
  if (mapped instanceof BTrDBError && DAMAGE.includes(mapped.status)) return mapped.message;
  throw mapped;
}

/**
 * Checks a database file without changing it: SQLite's structures, the checksum of every block, the
 * statistics of every inner node against its children, the order and range of every leaf, the chain
 * of versions, the journal, and that the other tables fit to them. It may run beside a writer.
 *
 * @param path Database file.
 * @returns A report; damage is reported, not thrown.
 * @throws {TypeError} If no file can have the path.
 * @throws {BTrDBError} If the file cannot be opened, or its schema is not one that this release reads.
 */
export async function verify(path: string): Promise<VerifyReport> {
  checkPath("verify", path, "path");
  let file: OpenForReading | undefined;
  try {
    refuseOtherThanFiles(path, realPath(path));
    file = openForReading(path);
    const { db } = file;
    db.exec("BEGIN");
    const verifier = new Verifier(db, path);
    for (const _ of verifier.run()) if (isDue()) await yieldToEventLoop();
    return verifier.report;
  } catch (error) {
    return { ...nothingChecked(), ok: false, problems: [damageOf(error, path)] };
  } finally {
    file?.db.close();
    file?.held?.close();
  }
}
