/**
 * Spent rows: rows of the journal whose points are in the tree, and which are still there.
 *
 * Rows of many streams lie between each other in the order of their arrival. To remove those of one
 * stream at once would write almost every page of the journal anew, with the rows of all others, for
 * each commit of a buffer. So a commit removes them from the index of the journal only, which has
 * those of a stream side by side. When three of four rows of a stretch of the journal are spent, or
 * rows with three of four of its points, they are removed together, in small tasks between other
 * writes; pages that are empty then are not even written.
 *
 * @module
 */

import { BTrDBError } from "../../core/errors.ts";
import { damaged } from "../file/checksum.ts";
import type { Database, Statement } from "../file/sqlite.ts";
import { IS_LIVE, SPENT_KEY } from "../file/journal_rows.ts";

/** A transaction under way. */
export interface Transaction {
  /** Has `work` done once the transaction is durable. */
  afterCommit(work: () => void): void;
}

/** Has something done in a transaction of its own, when nobody waits for others. */
export type SubmitInBackground = (task: {
  readonly points: number;
  readonly kind: "points";
  readonly isBackground: true;
  run(tx: Transaction): Generator<undefined, void>;
}) => Promise<void>;

/** Rows looked at in one step of a task, at most. */
const STEP_ROWS = 512;

/** Points of the rows looked at in one step, but for the last of them. */
const STEP_POINTS = 65_536;

/**
 * Rows looked at in a task for each that has come since the last one, at least: each is looked at 4/3
 * times if three of four are removed each time, and a task waits for a transaction of thousands of inserts.
 */
const ROWS_FOR_EACH = 2;

/** Rows of a stretch, at most, but for the first one. */
const STRETCH_ROWS = 4096;

/** Spent rows for which a stretch with an unknown number of rows is looked through. */
const UNKNOWN_SPENT = 256;

/** Rows of the journal with the numbers `[from, to)`, all of them in its index or spent. */
interface Stretch {
  from: number;
  to: number;
  /** Rows that are there, spent ones too; `undefined` if nobody has counted them. */
  rows: number | undefined;
  /** Points of these rows. */
  points: number;
  spent: number;
  /** Points of the spent rows, as if all rows of a stream had as many. */
  spentPoints: number;
  /** True if spent rows are to be removed, however few they are. */
  isWanted: boolean;
  /** Number of the first row that this pass has not looked at. */
  next: number;
}

function isDue(stretch: Stretch): boolean {
  const { from, to, rows, points, spent, spentPoints, isWanted, next } = stretch;
  if (next > from || isWanted) return true;
  if (spent === 0) return false;
  if (4 * spent >= 3 * (rows ?? to - from)) return true;
  return rows === undefined ? spent >= UNKNOWN_SPENT : 4 * spentPoints >= 3 * points;
}

/** A stretch of which nobody has looked at a row. */
function stretchOf(from: number, to: number, rows: number | undefined, points: number): Stretch {
  return { from, to, rows, points, spent: 0, spentPoints: 0, isWanted: false, next: from };
}

/** Counts spent rows, and removes them. */
export class SpentRows {
  readonly #submit: SubmitInBackground;
  readonly #add: Statement;
  readonly #noMore: Statement;
  readonly #rows: Statement;
  readonly #remove: Statement;
  readonly #left: Statement;
  #stretches: Stretch[] = [];
  /** Rows that have come since the last task. */
  #arrived = 0;
  #running: Promise<void> | undefined;
  #isDamaged = false;

  /**
   * @param tail Number of the first row that is not in the index.
   * @param submit Queues a task for the writer.
   */
  constructor(db: Database, tail: number, submit: SubmitInBackground) {
    this.#submit = submit;
    this.#add = db.prepare(
      `INSERT INTO setting (key, value) VALUES ('${SPENT_KEY}', ?) ` +
        "ON CONFLICT (key) DO UPDATE SET value = value + excluded.value RETURNING value",
    );
    this.#noMore = db.prepare(`DELETE FROM setting WHERE key = '${SPENT_KEY}'`);
    this.#rows = db.prepare(
      `SELECT seq, points FROM journal WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ${
        STEP_ROWS + 1
      }`,
    );
    this.#left = db.prepare(
      "SELECT count(*) AS n, total(points) AS points FROM journal WHERE seq >= ? AND seq < ?",
    );
    this.#remove = db.prepare(
      `DELETE FROM journal WHERE seq >= ? AND seq < ? AND NOT ${IS_LIVE}`,
    );
    const row = db.prepare(
      `SELECT (SELECT min(seq) FROM journal) AS oldest,
      (SELECT value FROM setting WHERE key = '${SPENT_KEY}') AS spent`,
    ).get();
    const from = Number(row?.["oldest"] ?? tail);
    const spent = Number(row?.["spent"] ?? 0);
    if (from < tail) this.#stretches.push({ ...stretchOf(from, tail, undefined, 0), spent });
  }

  /** Takes note of rows that are in the index now: all with numbers `[from, to)`. */
  indexed(from: number, to: number, rows: number, points: number): void {
    this.#arrived += rows;
    const last = this.#stretches.at(-1);
    const isLong = last?.rows === undefined || last.rows + rows > STRETCH_ROWS;
    if (isLong || last.next > last.from) {
      this.#stretches.push(stretchOf(from, to, rows, points));
    } else {
      last.to = to;
      last.rows! += rows;
      last.points += points;
    }
  }

  /**
   * Takes note of rows that are spent from this transaction on. They are out of the index.
   *
   * @param rows Numbers in ascending order.
   * @param rowPoints Points of one of them, on average.
   */
  spend(tx: Transaction, rows: readonly number[], rowPoints: number): void {
    this.#add.get(rows.length);
    tx.afterCommit(() => {
      for (const [stretch, n] of this.#byStretch(rows)) {
        stretch.spent += n;
        stretch.spentPoints += n * rowPoints;
      }
      this.start();
    });
  }

  /**
   * Takes note of rows that were in the index and are removed.
   *
   * @param rows Numbers in ascending order.
   * @param rowPoints Points of one of them, on average.
   */
  removed(rows: readonly number[], rowPoints: number): void {
    for (const [stretch, n] of this.#byStretch(rows)) {
      if (stretch.rows === undefined) continue;
      stretch.rows -= n;
      stretch.points -= n * rowPoints;
    }
  }

  /** Number of some rows in each stretch. */
  *#byStretch(rows: readonly number[]): Generator<[Stretch, number]> {
    let row = 0;
    for (const stretch of this.#stretches) {
      const first = row;
      while (row < rows.length && rows[row]! < stretch.to) row++;
      if (row > first) yield [stretch, row - first];
      if (row === rows.length) return;
    }
  }

  /** Begins to remove spent rows, in the background, where they are many. */
  start(): void {
    const isIdle = this.#running === undefined && !this.#isDamaged;
    if (isIdle && this.#stretches.some(isDue)) this.#running = this.#run();
  }

  /** Removes the rows that are spent now, few or many; those that cannot be removed stay. */
  async removeAll(): Promise<void> {
    for (const stretch of this.#stretches) stretch.isWanted ||= stretch.spent > 0;
    this.start();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (this.#stretches.some(isDue)) {
        await this.#submit({
          points: 0,
          kind: "points",
          isBackground: true,
          run: (tx) => this.#sweepDue(tx),
        });
      }
    } catch (error) {
      // They stay, and are tried again after the next commit of a buffer. Damage is there until it is
      // mended; callers learn of it when they read what is damaged, and from `verify`.
      this.#isDamaged = error instanceof BTrDBError && error.status === "CORRUPT";
    } finally {
      this.#running = undefined;
    }
  }

  /** Removes spent rows where they are many, step by step, more if many rows came meanwhile. */
  *#sweepDue(tx: Transaction): Generator<undefined, void> {
    let rows = Math.max(1, ROWS_FOR_EACH * this.#arrived);
    this.#arrived = 0;
    for (const stretch of this.#stretches.filter(isDue)) {
      for (let from = stretch.next; from < stretch.to;) {
        const step = this.#sweep(tx, stretch, from);
        rows -= step.rows;
        if (rows <= 0) return;
        from = step.to;
        yield;
      }
    }
  }

  /** Removes the spent ones of some rows of a stretch. */
  #sweep(tx: Transaction, stretch: Stretch, from: number): { to: number; rows: number } {
    const { to, ...before } = this.#rowsOf(stretch, from);
    this.#remove.get(from, to);
    const { n, points } = this.#left.get(from, to)!;
    const removed = before.rows - Number(n);
    if (removed > 0) this.#takeOff(removed);
    tx.afterCommit(() => {
      if (stretch.rows === undefined) {
        this.#counted(stretch, to, removed, Number(n), Number(points));
      } else this.#swept(stretch, to, stretch.rows - removed, before.points - Number(points));
    });
    return { to, rows: before.rows };
  }

  /** Takes rows that are removed off the number of spent ones. */
  #takeOff(rows: number): void {
    const left = Number(this.#add.get(-rows)?.["value"]);
    // Rows that are not in the index and that nobody has spent have points that are nowhere else.
    if (left < 0) throw damaged("the index of the journal");
    // Earlier code takes a setting of 0 for damage.
    if (left === 0) this.#noMore.run();
  }

  /** The rows of a stretch that a step looks at: how many they are, and where those behind begin. */
  #rowsOf({ to }: Stretch, from: number): { to: number; rows: number; points: number } {
    let last = from - 1;
    let points = 0;
    const all = this.#rows.all(from, to);
    for (const [rows, row] of all.entries()) {
      const seq = Number(row["seq"]);
      // In a page that something else has overwritten they are in no order.
      if (seq <= last) throw damaged(`journal row ${seq}`);
      if (rows === STEP_ROWS || points >= STEP_POINTS) return { to: seq, rows, points };
      last = seq;
      points += Number(row["points"]);
    }
    return { to, rows: all.length, points };
  }

  /** Takes note of what the beginning of a stretch has: it is one by itself from now on. */
  #counted(stretch: Stretch, to: number, removed: number, rows: number, points: number): void {
    const { from } = stretch;
    stretch.spent = Math.max(0, stretch.spent - removed);
    stretch.from = stretch.next = to;
    const known = rows === 0 ? [] : [stretchOf(from, to, rows, points)];
    this.#replace(stretch, to < stretch.to ? [...known, stretch] : known);
  }

  #swept(stretch: Stretch, to: number, rows: number, removedPoints: number): void {
    // Counted are those that are spent from the beginning of this pass on.
    if (stretch.next === stretch.from) {
      stretch.spent = stretch.spentPoints = 0;
      stretch.isWanted = false;
    }
    stretch.rows = rows;
    stretch.points -= removedPoints;
    stretch.next = to < stretch.to ? to : stretch.from;
    if (rows === 0) this.#replace(stretch, []);
  }

  #replace(stretch: Stretch, others: readonly Stretch[]): void {
    this.#stretches.splice(this.#stretches.indexOf(stretch), 1, ...others);
  }
}
