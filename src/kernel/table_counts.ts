/**
 * Counts of what a table had, and of what was left out or changed of it.
 *
 * @module
 */

import type { ExtendedArena } from "./extended_arena.ts";

/** Counts over all pieces of a table; the lines are those of the file. */
export class TableCounts {
  /** Lines before the next row. */
  lines = 0;
  /** Rows parsed. */
  rows = 0;
  /** Rows left out. */
  badRows = 0;
  /** Cells left out. */
  badCells = 0;
  /** Clock times that come twice, where the rows around do not tell which one is meant. */
  unsureTimes = 0;
  /** Line of the first of them. */
  firstUnsureLine: number | undefined;
  /** Times with digits below a nanosecond, which were cut. */
  cutTimes = 0;
  /** Line of the first of them. */
  firstCutLine: number | undefined;
  /** Leap seconds, which got the time of the second after them. */
  leapSeconds = 0;
  /** Line of the first of them. */
  firstLeapLine: number | undefined;
  /** Whole numbers that no double holds, which were rounded. */
  roundedNumbers = 0;
  /** Line of the first of them. */
  firstRoundedLine: number | undefined;

  /** Times that the rate moved by more than a quarter of the time between two rows. */
  farTimes = 0;
  /** Line of the first of them. */
  firstFarLine: number | undefined;

  /** Adds the counts of the last call of the kernel. */
  add(exports: ExtendedArena["exports"]): void {
    this.rows += exports.tableRows();
    this.badRows += exports.tableBadRows();
    this.badCells += exports.tableBadCells();
    const unsure = exports.timesUnsure();
    if (unsure > 0) this.firstUnsureLine ??= this.lines + exports.tableUnsureLine();
    this.unsureTimes += unsure;
    const cut = exports.timesCut();
    if (cut > 0) this.firstCutLine ??= this.lines + exports.tableCutLine();
    this.cutTimes += cut;
    const leaps = exports.timesLeap();
    if (leaps > 0) this.firstLeapLine ??= this.lines + exports.tableLeapLine();
    this.leapSeconds += leaps;
    const rounded = exports.tableRounded();
    if (rounded > 0) this.firstRoundedLine ??= this.lines + exports.tableRoundedLine();
    this.roundedNumbers += rounded;
    const far = exports.tableFar();
    if (far > 0) this.firstFarLine ??= this.lines + exports.tableFarLine();
    this.farTimes += far;
    this.lines += exports.tableLines();
  }
}
