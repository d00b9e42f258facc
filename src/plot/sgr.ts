/**
 * Colours for terminals (SGR, ECMA-48 section 8.3.117), kept apart from text that is not ours.
 *
 * Text from a database may hold escape sequences. So ours begin with a mark instead of ESC: the mark is
 * drawn at random for each process, and becomes ESC only after everything else was escaped.
 *
 * @module
 */

/** Characters for private use, of which the mark is made. */
const [FIRST, COUNT, LENGTH] = [0x100000, 0xfffe, 4];

const MARK = Array.from(
  crypto.getRandomValues(new Uint16Array(LENGTH)),
  (n) => String.fromCodePoint(FIRST + n % COUNT),
).join("");

/** Puts text between two SGR codes. */
export function sgr(on: number, text: string, off: number): string {
  return `${MARK}${on}m${text}${MARK}${off}m`;
}

/** Text as a terminal takes it: marks become ESC. Call it after what is not ours was escaped. */
export function withEscapes(text: string): string {
  return text.replaceAll(MARK, "\x1b[");
}

const CODES = new RegExp(`${MARK}\\d*m`, "gu");

/** Text without colours. */
export function withoutColors(text: string): string {
  return text.replace(CODES, "");
}
