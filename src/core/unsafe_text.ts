/**
 * Characters in text from a database, a file or a server that could deceive the reader of a terminal.
 *
 * @module
 */

/**
 * Controls but line ends and tabs (C0, DEL, C1), format characters such as those that change the
 * direction of text, separators of lines and paragraphs, halves of surrogate pairs, characters that are
 * drawn as nothing, and combining marks on a letter that has four: more of them cover other lines.
 */
export const UNSAFE_TEXT: RegExp =
  /(?![\t\n])[\p{Cc}\p{Cf}\p{Cs}\p{DI}\u2028\u2029]|(?<=\p{M}{4})\p{M}/gu;

const UNIT = /[^]/g;

/** Shows unsafe characters of a JSON text as JSON does, `\u001b`: it stays the same data. */
export function escapeJson(json: string): string {
  return json.replace(
    UNSAFE_TEXT,
    (char) =>
      char.replace(UNIT, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`),
  );
}
