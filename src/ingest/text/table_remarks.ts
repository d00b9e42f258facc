/**
 * Remarks on rows that were read: what was left out or changed of them.
 *
 * @module
 */

import type { TableParser } from "../../kernel/table_parser.ts";

/** Remarks on a table that was read: rows and cells left out, unclear times. */
export interface TableRemarks {
  /** Rows left out because they could not be read. */
  badRows: number;
  /** Cells left out because they are no number. */
  badCells: number;
  /** Clock times that come twice, where the rows around do not tell which one is meant. */
  unsure: number;
  /** Line of the first of them. */
  unsureLine?: number | undefined;
  /** Times with digits below a nanosecond, which were cut. */
  cut: number;
  /** Line of the first of them. */
  cutLine?: number | undefined;
  /** Leap seconds, which got the time of the second after them. */
  leaps: number;
  /** Line of the first of them. */
  leapLine?: number | undefined;
  /** Cells with a whole number that no double holds, which was rounded. */
  rounded: number;
  /** Line of the first of them. */
  roundedLine?: number | undefined;
  /** Times that the rate moved by more than a quarter of the time between two rows. */
  far: number;
  /** Line of the first of them. */
  farLine?: number | undefined;
  /** Rows of a long table left out because nothing says whose they are. */
  unnamed?: number;
  /** Number of the last line, if it was left out because it has no line end. */
  openLine?: number | undefined;
}

/** No remarks. */
export function noRemarks(): TableRemarks {
  return { badRows: 0, badCells: 0, unsure: 0, cut: 0, leaps: 0, rounded: 0, far: 0 };
}

/** Puts the counts of a parser in their place. */
export function noteRemarks(parser: TableParser, remarks: TableRemarks): void {
  remarks.badRows = parser.badRows;
  remarks.badCells = parser.badCells;
  remarks.unsure = parser.unsureTimes;
  remarks.unsureLine = parser.firstUnsureLine;
  remarks.cut = parser.cutTimes;
  remarks.cutLine = parser.firstCutLine;
  remarks.leaps = parser.leapSeconds;
  remarks.leapLine = parser.firstLeapLine;
  remarks.rounded = parser.roundedNumbers;
  remarks.roundedLine = parser.firstRoundedLine;
  remarks.far = parser.farTimes;
  remarks.farLine = parser.firstFarLine;
}

/** Kinds of times and numbers that are stored otherwise than they were written. */
const CHANGES = [
  ["unsure", "unsureLine"],
  ["cut", "cutLine"],
  ["leaps", "leapLine"],
  ["rounded", "roundedLine"],
  ["far", "farLine"],
] as const;

/**
 * Adds the changes of further rows.
 *
 * @returns Those of a kind that was not among them.
 */
export function addChanges(sum: TableRemarks, more: TableRemarks): TableRemarks {
  const fresh = noRemarks();
  for (const [kind, line] of CHANGES) {
    if (sum[kind] === 0) {
      fresh[kind] = more[kind];
      fresh[line] = more[line];
    }
    sum[kind] += more[kind];
  }
  return fresh;
}

/** Changes that are more than others, with all their counts. */
export function changesBeyond(sum: TableRemarks, told: TableRemarks): TableRemarks {
  const more = noRemarks();
  for (const [kind] of CHANGES) if (sum[kind] > told[kind]) more[kind] = sum[kind];
  return more;
}

/** The times and numbers that are stored otherwise than they were written, in words. */
export function changeTexts(remarks: TableRemarks): string[] {
  const { unsure, unsureLine, cut, cutLine, leaps, leapLine, rounded, roundedLine } = remarks;
  const { far, farLine } = remarks;
  const found: string[] = [];
  if (far > 0) {
    found.push(
      `${
        timesFrom(far, farLine)
      } moved to the rate by more than a quarter of the time between two ` +
        "rows, is it the right one?",
    );
  }
  if (unsure > 0) {
    found.push(
      `${
        timesFrom(unsure, unsureLine)
      } in the hour that comes twice when clocks are set back, and ` +
        "the rows before do not say for certain which one is meant",
    );
  }
  if (cut > 0) {
    found.push(`${timesFrom(cut, cutLine)} given with digits below a nanosecond, which were cut`);
  }
  if (leaps > 0) {
    found.push(
      `${timesFrom(leaps, leapLine)} ${
        leaps === 1 ? "a leap second" : "leap seconds"
      }, stored at ` +
        "the time of the second after",
    );
  }
  if (rounded > 0) {
    const many = rounded > 1;
    const numbers = many ? `${rounded} whole numbers` : "1 whole number";
    const first = roundedLine === undefined
      ? ""
      : `, ${many ? "the first " : ""}in line ${roundedLine},`;
    found.push(
      `${numbers} beyond 2^53${first} ${many ? "are" : "is"} no double and rounded to the ` +
        "nearest one",
    );
  }
  return found;
}

function timesFrom(n: number, line: number | undefined): string {
  const first = line === undefined
    ? ""
    : n === 1
    ? `, in line ${line},`
    : `, the first in line ${line},`;
  return `${n === 1 ? "1 time" : `${n} times`}${first} ${n === 1 ? "is" : "are"}`;
}
