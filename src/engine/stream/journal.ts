/**
 * The journal: points that were acknowledged and are not in the tree yet, a row an insert.
 *
 * Rows are numbered in the order of their arrival, and no number is ever used twice. The rows of one
 * stream are found through an index, which would cost more than the rows if every insert changed
 * it. So the latest rows, the tail, are not in it; they are added when they are many. Everybody keeps
 * the short index of the tail in memory. Rows before the tail that are not in the index are spent:
 * their points are in the tree ({@linkcode SpentRows}).
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";
import { encodeBlockInArena } from "../../kernel/encode_block.ts";
import { checkBytes, damaged } from "../file/checksum.ts";
import { IS_LIVE } from "../file/journal_rows.ts";
import type { Database, Row, Statement } from "../file/sqlite.ts";
import { BUFFER_POINTS } from "../constants.ts";
import { journalPoints } from "./journal_points.ts";
import { PointBuffer } from "./point_buffer.ts";
import { SpentRows, type SubmitInBackground, type Transaction } from "./spent_rows.ts";

/** Numbers of rows that may be in the tail. */
export const TAIL_ROWS = 4096;

/** The first number of the tail, for messages. */
const TAIL = "the setting journal_tail";

/** Rows read in one go while the oldest are looked for. */
const PAGE_ROWS = 256;

/** Runs of rows side by side that are removed at once, each from a page or two. */
const FEW_RUNS = 16;

/** Rows side by side that are removed at once: most of their pages are empty then. */
const LONG_RUN = 64;

/** Reads and writes journal rows. */
export class Journal {
  /** Missing in readers. */
  readonly #spent: SpentRows | undefined;
  readonly #tailStart: Statement;
  readonly #setTailStart: Statement;
  readonly #rowsFrom: Statement;
  readonly #indexed: Statement;
  readonly #addIndex: Statement;
  readonly #indexable: Statement;
  readonly #removeIndex: Statement;
  readonly #row: Statement;
  readonly #oldest: Statement;
  readonly #add: Statement;
  readonly #remove: Statement;
  /** Rows in the tail by stream; those of a reader may be gone. */
  readonly #tail = new Map<number, number[]>();
  /** Number at which the tail begins, as it is durable. */
  #start = 0;
  /** Number of the next row, which was never used. */
  #next: number;
  /** The transaction that moves the beginning of the tail, and where to. */
  #move: { readonly tx: Transaction; readonly start: number } | undefined;

  /** @param submit Queues a task for the writer; missing in readers. */
  constructor(db: Database, submit?: SubmitInBackground) {
    this.#tailStart = db.prepare("SELECT value FROM setting WHERE key = 'journal_tail'");
    this.#setTailStart = db.prepare(
      "INSERT INTO setting (key, value) VALUES ('journal_tail', ?) " +
        "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
    );
    this.#rowsFrom = db.prepare("SELECT seq, stream FROM journal WHERE seq >= ? ORDER BY seq");
    this.#indexed = db.prepare("SELECT seq FROM journal_index WHERE stream = ? ORDER BY seq");
    this.#addIndex = db.prepare(
      "INSERT INTO journal_index (stream, seq) " +
        "SELECT stream, seq FROM journal WHERE seq >= ? ORDER BY stream, seq",
    );
    this.#indexable = db.prepare(
      "SELECT count(*) AS n, total(points) AS points FROM journal WHERE seq >= ?",
    );
    this.#removeIndex = db.prepare("DELETE FROM journal_index WHERE stream = ?");
    this.#row = db.prepare("SELECT data, at_ms, checksum FROM journal WHERE seq = ?");
    this.#oldest = db.prepare(
      `SELECT seq, stream, at_ms FROM journal WHERE seq >= ? AND ${IS_LIVE} ` +
        `ORDER BY seq LIMIT ${PAGE_ROWS}`,
    );
    this.#add = db.prepare(
      "INSERT INTO journal (seq, stream, points, at_ms, checksum, data) VALUES (?, ?, ?, ?, ?, ?)",
    );
    this.#remove = db.prepare("DELETE FROM journal WHERE seq BETWEEN ? AND ?");
    this.#next = 0;
    this.refresh();
    // Numbers up to here may have been used by rows that are gone.
    if (submit === undefined) return;
    this.#next = this.#start + TAIL_ROWS;
    this.#spent = new SpentRows(db, this.#start, submit);
  }

  /** Begins, as a writer, to remove the rows in the background that were spent before. */
  start(): void {
    this.#spent?.start();
  }

  /** Removes, as a writer, all rows that are spent now. */
  async removeSpent(): Promise<void> {
    await this.#spent?.removeAll();
  }

  /**
   * Takes note, as a reader, of the rows that the writer has added.
   *
   * @throws {BTrDBError} `CORRUPT` if one of them is none.
   */
  refresh(): void {
    const start = Number(this.#tailStart.get()?.["value"] ?? 0);
    if (start !== this.#start) {
      this.#tail.clear();
      this.#next = this.#start = start;
    }
    for (const { seq, stream } of this.#rowsFrom.all(this.#next)) {
      // In a page that something else has overwritten, rows have other columns and are in no order.
      if (typeof seq !== "number" || typeof stream !== "number" || seq < this.#next) {
        throw damaged(`journal row ${seq}`);
      }
      // The tail is moved before it has more numbers.
      if (seq >= this.#start + TAIL_ROWS) throw damaged(TAIL);
      this.#addToTail(stream, seq);
      this.#next = seq + 1;
    }
  }

  #addToTail(stream: number, seq: number): void {
    const rows = this.#tail.get(stream);
    if (rows === undefined) this.#tail.set(stream, [seq]);
    else rows.push(seq);
  }

  /**
   * Reads what a stream has in the journal.
   *
   * @throws {BTrDBError} `CORRUPT` if a row is damaged or missing.
   */
  read(stream: number): PointBuffer {
    let buffer = PointBuffer.EMPTY;
    const append = (seq: number, row: Row) => {
      const data = row["data"];
      if (!(data instanceof Uint8Array) || checkBytes(data, seq, stream) !== row["checksum"]) {
        throw damaged(`journal row ${seq}`);
      }
      if (buffer.length >= BUFFER_POINTS) throw damaged(`journal row ${seq}: the buffer is full`);
      buffer = buffer.append(pointsOf(data, seq), seq, Number(row["at_ms"]));
    };
    let last = 0;
    // A transaction under way may have moved the tail.
    const end = Math.max(this.#start, this.#move?.start ?? 0);
    for (const { seq } of this.#indexed.all(stream)) {
      // Spent rows would be read as rows of the tail.
      if (Number(seq) >= end) throw damaged(TAIL);
      const row = this.#row.get(seq!);
      if (row === undefined) throw damaged(`journal row ${seq} is missing`);
      append(last = Number(seq), row);
    }
    for (const seq of this.#tail.get(stream) ?? []) {
      if (seq <= last) continue; // The transaction under way has added it to the index.
      const row = this.#row.get(seq);
      if (row !== undefined) append(seq, row);
      else if (this.#spent !== undefined) throw damaged(`journal row ${seq} is missing`);
    }
    return buffer;
  }

  /**
   * Streams with rows from before a time, oldest rows first; one may come several times.
   *
   * @param from Number of the row to begin with.
   * @returns The streams, and the number to go on with; no streams at the end.
   */
  oldStreams(beforeMs: number, from: number): { streams: Set<number>; next: number } {
    const streams = new Set<number>();
    let next = from;
    for (const { seq, stream, at_ms } of this.#oldest.all(from)) {
      if (Number(at_ms) > beforeMs) break;
      streams.add(Number(stream));
      next = Number(seq) + 1;
    }
    return { streams, next };
  }

  /**
   * Adds a row.
   *
   * @param points Not empty.
   * @returns Its number.
   */
  add(tx: Transaction, stream: number, points: RawColumns): number {
    const seq = this.#next++;
    if (seq - this.#startIn(tx) >= TAIL_ROWS) this.#moveTail(tx, seq);
    const data = encodeBlockInArena(points, 0, points.times.length);
    const checksum = checkBytes(data, seq, stream);
    // In half the time of `run`, which counts what it did.
    this.#add.get(seq, stream, points.times.length, Date.now(), checksum, data);
    tx.afterCommit(() => this.#addToTail(stream, seq));
    return seq;
  }

  /**
   * Takes all rows of a stream out: their points are in the tree, or are written anew.
   *
   * @param buffer The points.
   */
  remove(tx: Transaction, stream: number, buffer: PointBuffer): void {
    const { rows } = buffer;
    const runs = [...runsOf(rows)];
    if (runs.length <= FEW_RUNS || rows.length >= LONG_RUN * runs.length) {
      this.erase(tx, stream, buffer);
      return;
    }
    // Those of the tail are put in the index too, unless they are few.
    if (rows.at(-1 - FEW_RUNS)! >= this.#startIn(tx)) this.#moveTail(tx, this.#next);
    const start = this.#startIn(tx);
    const inTail = rows.filter((row) => row >= start);
    this.#removeIndex.run(stream);
    const spent = rows.slice(0, rows.length - inTail.length);
    this.#spent?.spend(tx, spent, buffer.length / rows.length);
    this.#eraseTail(tx, stream, inTail);
  }

  /**
   * Removes all rows of a stream from the file.
   *
   * @param buffer The points that are not in the tree.
   */
  erase(tx: Transaction, stream: number, buffer: PointBuffer): void {
    const { rows } = buffer;
    if (rows.length === 0) return;
    const start = this.#startIn(tx);
    if (rows[0]! < start) {
      this.#removeIndex.run(stream);
      const indexed = rows.filter((row) => row < start);
      tx.afterCommit(() => this.#spent?.removed(indexed, buffer.length / rows.length));
    }
    this.#eraseTail(tx, stream, rows);
  }

  #eraseTail(tx: Transaction, stream: number, rows: readonly number[]): void {
    for (const [first, last] of runsOf(rows)) this.#remove.run(first, last);
    tx.afterCommit(() => this.#tail.delete(stream));
  }

  #startIn(tx: Transaction): number {
    return this.#move?.tx === tx ? this.#move.start : this.#start;
  }

  /** Adds the rows of the tail to the index: it begins anew. */
  #moveTail(tx: Transaction, start: number): void {
    const before = this.#startIn(tx);
    this.#addIndex.get(before);
    const { n, points } = this.#indexable.get(before)!;
    this.#setTailStart.run(start);
    this.#move = { tx, start };
    tx.afterCommit(() => {
      this.#spent?.indexed(before, start, Number(n), Number(points));
      this.#start = start;
      this.#tail.clear();
      this.#move = undefined;
    });
  }
}

/** Runs of consecutive numbers, first and last of each. */
function* runsOf(rows: readonly number[]): Generator<[number, number]> {
  let first = 0;
  for (let i = 1; i <= rows.length; i++) {
    if (i < rows.length && rows[i] === rows[i - 1]! + 1) continue;
    yield [rows[first]!, rows[i - 1]!];
    first = i;
  }
}

function pointsOf(data: Uint8Array, seq: number): RawColumns {
  try {
    return journalPoints(data);
  } catch (error) {
    throw damaged(`journal row ${seq}: ${(error as Error).message}`);
  }
}
