/**
 * Names of columns that no spreadsheet takes for a formula.
 *
 * @module
 */

/** Characters with which a formula begins, and white space that spreadsheets pass over. */
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/**
 * A name as text for spreadsheets: with an apostrophe in front if it could be a formula (OWASP, "CSV
 * Injection").
 */
export function safeLabel(label: string): string {
  return FORMULA.test(label) ? `'${label}` : label;
}
