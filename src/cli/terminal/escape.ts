/**
 * Escapes text on its way to a terminal: text from a database, a file or a server must not move the
 * cursor, change the title, or hide or reverse a line.
 *
 * @module
 */

/**
 * Controls but line ends and tabs (C0, DEL, C1), format characters such as those that change the
 * direction of text, separators of lines and paragraphs, halves of surrogate pairs, characters that are
 * drawn as nothing, and combining marks on a letter that has four: more of them cover other lines.
 */
const UNSAFE =
  /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{Default_Ignorable_Code_Point}\u2028\u2029]|(?<=\p{M}{4})\p{M}/gu;
const LINE_ENDS = /[\t\n\r]/g;

const NAMES: Readonly<Record<string, string>> = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/** Shows unsafe characters as `\x1b` or `\u{202e}`; line ends and tabs stay. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (char) => {
    const code = char.codePointAt(0)!;
    const hex = code.toString(16);
    return NAMES[char] ?? (code < 0x100 ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex}}`);
  });
}

/** Shows unsafe characters of a JSON text as JSON does, `\u001b`: it stays the same data. */
export function escapeJson(json: string): string {
  return json.replace(UNSAFE, (char) => {
    const units = Array.from({ length: char.length }, (_, i) => char.charCodeAt(i));
    return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
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
