// The outcome of a run of parseTable: rows, lines, what was left out, and the error that stopped it.

/** The codes of {@link tableErrorCode}; src/kernel/table_error.ts has the words. */
export const BAD_TIME: i32 = 1;
export const TIME_RANGE: i32 = 2;
export const BAD_NUMBER: i32 = 3;
export const NUMBER_RANGE: i32 = 4;
export const TOO_FEW: i32 = 5;
export const TOO_MANY: i32 = 6;
export const AFTER_QUOTE: i32 = 7;
export const POINT_FOR_COMMA: i32 = 8;
/** A quoted cell goes on behind the bytes given. */
export const INCOMPLETE: i32 = 9;
export const THOUSANDS: i32 = 10;
/** Clocks were set forward over the time. */
export const NO_SUCH_TIME: i32 = 11;
/** The time is outside of the limits. */
export const OUTSIDE: i32 = 12;
/** Rows have no times, and an empty line is before this one. */
export const EMPTY_LINE: i32 = 13;

export let lines: u32 = 0;
export let rows: u32 = 0;
let badRows: u32 = 0;
let badCells: u32 = 0;
/** Lines passed with the first time that is unsure, or was cut; 0 if there is none. */
let unsureLine: u32 = 0;
let cutLine: u32 = 0;
let leapLine: u32 = 0;
/** Whole numbers that no double holds, and lines passed with the first one. */
let rounded: u32 = 0;
let roundedLine: u32 = 0;
/** Times that the rate moved far, and lines passed with the first one. */
let far: u32 = 0;
let farLine: u32 = 0;
export let errorCode: i32 = 0;
let errorAt: usize = 0;
let errorColumn: u32 = 0;

/** Counts when the row under way began. */
let linesBefore: u32 = 0;
let badCellsBefore: u32 = 0;
let roundedBefore: u32 = 0;
let farBefore: u32 = 0;

/** Begins a run. */
export function beginTable(): void {
  lines = 0;
  rows = 0;
  badRows = 0;
  badCells = 0;
  unsureLine = 0;
  cutLine = 0;
  leapLine = 0;
  rounded = 0;
  roundedLine = 0;
  far = 0;
  farLine = 0;
  errorCode = 0;
}

/** Begins a row. */
// @ts-ignore: decorator
@inline
export function beginRow(): void {
  linesBefore = lines;
  badCellsBefore = badCells;
  roundedBefore = rounded;
  farBefore = far;
}

/** Takes back what was counted of the row under way. */
export function undoRow(): void {
  lines = linesBefore;
  badCells = badCellsBefore;
  rounded = roundedBefore;
  if (rounded == 0) roundedLine = 0;
  far = farBefore;
  if (far == 0) farLine = 0;
}

/** Takes back a row that is wrong, with its error, and counts it. */
export function leaveOutRow(): void {
  undoRow();
  errorCode = 0;
  badRows++;
  lines++;
}

/** Notes why a cell, or the row, is wrong; always 0. */
export function fail(code: i32, at: usize, column: u32): usize {
  errorCode = code;
  errorAt = at;
  errorColumn = column;
  return 0;
}

/** Forgets what was wrong. */
export function clearError(): void {
  errorCode = 0;
}

/** Counts a line feed. */
// @ts-ignore: decorator
@inline
export function passLine(): void {
  lines++;
}

/** Counts a row. */
// @ts-ignore: decorator
@inline
export function passRow(): void {
  rows++;
}

/** Counts a cell that is left out. */
export function passBadCell(): void {
  badCells++;
}

/** Counts a whole number that was rounded. */
export function passRounded(): void {
  rounded++;
  if (roundedLine == 0) roundedLine = lines + 1;
}

/** Counts a time that the rate moved far. */
export function passFar(): void {
  far++;
  if (farLine == 0) farLine = lines + 1;
}

/** Times of the last parseTable that the rate moved by more than a quarter of the time between rows. */
export function tableFar(): u32 {
  return far;
}

/** Lines up to the first of them; 0: none. */
export function tableFarLine(): u32 {
  return farLine;
}

/** Notes the line of the first time that is unsure, that was cut, and that is a leap second. */
// @ts-ignore: decorator
@inline
export function passTime(isUnsure: bool, isCut: bool, isLeap: bool): void {
  if (unsureLine == 0 && isUnsure) unsureLine = lines;
  if (cutLine == 0 && isCut) cutLine = lines;
  if (leapLine == 0 && isLeap) leapLine = lines;
}

/** 0, or why the last parseTable stopped. */
export function tableErrorCode(): i32 {
  return errorCode;
}

/** Address of the cell with the error. */
export function tableErrorAt(): usize {
  return errorAt;
}

/** Number of that cell in its row, from 1. */
export function tableErrorColumn(): u32 {
  return errorColumn;
}

/** Line feeds passed by the last parseTable, those before the row of an error. */
export function tableLines(): u32 {
  return lines;
}

/** Rows parsed by the last parseTable. */
export function tableRows(): u32 {
  return rows;
}

/** Rows left out by the last parseTable. */
export function tableBadRows(): u32 {
  return badRows;
}

/** Cells left out by the last parseTable. */
export function tableBadCells(): u32 {
  return badCells;
}

/** Lines up to the first time of the last parseTable that comes twice and is unsure; 0: none. */
export function tableUnsureLine(): u32 {
  return unsureLine;
}

/** Lines up to the first time of the last parseTable that was cut to a ns; 0: none. */
export function tableCutLine(): u32 {
  return cutLine;
}

/** Lines up to the first leap second of the last parseTable; 0: none. */
export function tableLeapLine(): u32 {
  return leapLine;
}

/** Whole numbers of the last parseTable that no double holds, which were rounded. */
export function tableRounded(): u32 {
  return rounded;
}

/** Lines up to the first of them; 0: none. */
export function tableRoundedLine(): u32 {
  return roundedLine;
}
