/**
 * Names that logs get when they are rotated.
 *
 * @module
 */

/** Endings that rotation adds: `.1`, `-20260301`, `.2026-03-01`, `-20260301-1772323200`, `.old`. */
const ROTATED =
  /(?:[.-](?:\d{1,4}|\d{8}(?:[-_T]?\d{2,10})?|\d{4}-\d\d-\d\d(?:[-_T]?\d{2,6})?|old|bak))+$/i;
const COMPRESSED = /\.(?:gz|zst)$/i;
const ENDING = /\.[a-z]\w{0,7}$/i;

/**
 * The name that a file had before it was rotated, where it says so itself: `log.csv.1.gz` was
 * `log.csv`, while `log-20260301.csv` may always have been called so.
 */
export function unrotatedName(name: string): string {
  const plain = name.replace(COMPRESSED, "");
  const bare = plain.replace(ROTATED, "");
  return bare !== plain && ENDING.test(bare) ? bare : plain;
}

/** Tells whether a file has a name that another one may get when it is rotated. */
export function isRotationOf(name: string, original: string): boolean {
  if (name === original) return false;
  const plain = name.replace(COMPRESSED, "");
  if (plain === original || plain.replace(ROTATED, "") === original) return true;
  const ending = ENDING.exec(original)?.[0] ?? "";
  if (ending === "" || !plain.endsWith(ending)) return false;
  const stem = plain.slice(0, -ending.length);
  return `${stem.replace(ROTATED, "")}${ending}` === original;
}
