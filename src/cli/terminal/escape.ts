/**
 * Escapes text on its way to a terminal: text from a database, a file or a server must not move the
 * cursor, change the title, or hide or reverse a line.
 *
 * @module
 */

import { UNSAFE_TEXT } from "../../core/unsafe_text.ts";

const LINE_ENDS = /[\t\n\r]/g;

const NAMES: Readonly<Record<string, string>> = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/** Shows unsafe characters as `\x1b` or `\u{202e}`; line ends and tabs stay. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE_TEXT, (char) => {
    const code = char.codePointAt(0)!;
    const hex = code.toString(16);
    return NAMES[char] ?? (code < 0x100 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`);
  });
}

/** The same for text that must stay on one line: line ends and tabs are shown too. */
export function escapeLine(text: string): string {
  return escapeText(text.replace(LINE_ENDS, (char) => NAMES[char]!));
}

/** Text in one line of stdout: escaped if that is a terminal. */
export function lineOut(text: string): string {
  return Deno.stdout.isTerminal() ? escapeLine(text) : text;
}

/** Text in one line of stderr: escaped if that is a terminal. */
export function lineErr(text: string): string {
  return Deno.stderr.isTerminal() ? escapeLine(text) : text;
}
