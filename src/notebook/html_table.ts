/**
 * Tables of HTML: the head and the tail of many rows.
 *
 * @module
 */

/** Rows shown at either end. */
const SHOWN = 5;
/** Most characters of a cell. */
const CELL_CHARACTERS = 100;

/** Text as HTML: names come from a database, and may be anything. */
export function escapeHtml(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, "\uFFFD")
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** The beginning of a text, without half a character at its end: half of one is no UTF-8. */
function wholeStart(text: string): string {
  return text.slice(0, CELL_CHARACTERS).replace(/[\ud800-\udbff]$/, "");
}

function cell(tag: "td" | "th", text: string): string {
  const cut = text.length > CELL_CHARACTERS ? `${wholeStart(text)}…` : text;
  return `<${tag}>${escapeHtml(cut)}</${tag}>`;
}

/**
 * A table of the first and the last rows.
 *
 * @param names Names of the columns.
 * @param length Number of rows.
 * @param row Cells of a row.
 */
export function htmlTable(
  names: readonly string[],
  length: number,
  row: (i: number) => readonly string[],
): string {
  const line = (tag: "td" | "th", cells: readonly string[]): string =>
    `<tr>${cells.map((text) => cell(tag, text)).join("")}</tr>`;
  const isCut = length > 2 * SHOWN;
  const rows: string[] = [];
  for (let i = 0; i < (isCut ? SHOWN : length); i++) rows.push(line("td", row(i)));
  if (isCut) {
    rows.push(line("td", names.map(() => "…")));
    for (let i = length - SHOWN; i < length; i++) rows.push(line("td", row(i)));
  }
  return `<table><thead>${line("th", names)}</thead><tbody>${rows.join("")}</tbody></table>`;
}
