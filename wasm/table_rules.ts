// The look of cells and rows of tables, and the fate of those that cannot be read: set once before
// rows are parsed.

export const LF: u8 = 10;
export const CR: u8 = 13;
export const QUOTE: u8 = 34;
export const BLANK: u8 = 32;
export const TAB: u8 = 9;

/** Roles of columns. */
export const SKIP: u8 = 0;
export const TIME: u8 = 1;
export const VALUE: u8 = 2;
/** A cell without a name at the end of a row, which may be missing. */
export const SPARE: u8 = 3;
/** From here on: the first, the second … part of a time. */
export const PART: u8 = 8;

export let delimiter: u8 = 44;
export let decimal: u8 = 46;
/** Runs of blanks and tabs are one delimiter. */
export let blanks: bool = false;
/** First byte of a comment line; 0 if there are none. */
export let comment: u8 = 0;
/** Mark before groups of three digits; 0 if there is none. */
export let thousands: u8 = 0;
export let skipRows: bool = false;
export let skipCells: bool = false;
/** Words for no value: length, bytes in lower case; a length of 0 ends them. */
export let words: usize = 0;

/** Sets how cells look. */
export function tableCells(between: u8, point: u8, thousandsMark: u8, wordsAt: usize): void {
  delimiter = between;
  decimal = point;
  thousands = thousandsMark;
  words = wordsAt;
}

/** Sets how rows look, and the fate of rows and cells that cannot be read. */
export function tableRules(
  runs: bool,
  commentByte: u8,
  rowsMayBeBad: bool,
  cellsMayBeBad: bool,
): void {
  blanks = runs;
  comment = commentByte;
  skipRows = rowsMayBeBad;
  skipCells = cellsMayBeBad;
}
