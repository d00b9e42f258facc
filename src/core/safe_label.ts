/**
 * Column names that spreadsheets do not take for formulas.
 *
 * @module
 */

/**
 * Places at which a cell may begin, for a spreadsheet that takes other marks than commas between
 * them, before what may be a formula: white space, characters that are not shown and quotes (CSV
 * doubles them, and two at the beginning of a cell are an empty text in quotes with more behind it),
 * then a mark of a formula, in full width too; and before white space that spreadsheets pass over.
 * Behind a tab or line end the next place begins, so each character is looked at once.
 */
const FORMULA =
  /(?<=^|[;|\t\r\n])(?=(?:(?![\t\r\n])[\s\p{C}\p{DI}"])*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])/gu;

/**
 * A name as text for spreadsheets: with an apostrophe in front of what could be a formula (OWASP,
 * "CSV Injection").
 */
export function safeLabel(label: string): string {
  return label.replace(FORMULA, "'");
}
