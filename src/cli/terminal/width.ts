/**
 * Widths of lines: that of the terminal, and texts made to fit it.
 *
 * @module
 */

/** Width of a line if nothing says another one. */
const USUAL = 80;
/** Widest line that a plot fills: a wrong `$COLUMNS` would cost all memory. */
const WIDEST = 1000;

/** Characters in a line of the terminal, by `$COLUMNS` or the terminal itself, up to 1000. */
export function terminalWidth(): number {
  const said = Deno.env.get("COLUMNS") ?? "";
  const columns = /^\d+$/.test(said) && Number(said) > 0 ? Number(said) : consoleColumns();
  return Math.min(WIDEST, columns);
}

function consoleColumns(): number {
  try {
    return Deno.consoleSize().columns || USUAL;
  } catch {
    return USUAL;
  }
}

/** Characters that no terminal draws two columns wide: those of Latin scripts, of bars, and `…`. */
const NARROW = /[\0-\u02ff\u2026\u2580-\u259f]/;

/** Most columns that a text takes: others than Latin letters count two. */
export function mostWidth(text: string): number {
  let width = 0;
  for (const character of text) width += NARROW.test(character) ? 1 : 2;
  return width;
}

/**
 * Text of at most so many columns: what may be longer ends in `…`.
 *
 * @param text Text without colours.
 * @param columns Room, at least 1.
 */
export function cutToWidth(text: string, columns: number): string {
  if (mostWidth(text) <= columns) return text;
  let cut = "";
  let width = 0;
  for (const character of text) {
    width += mostWidth(character);
    if (width > columns - 1) break;
    cut += character;
  }
  return `${cut}…`;
}
