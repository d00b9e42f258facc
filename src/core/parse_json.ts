/**
 * JSON whose keys are data, such as names of columns.
 *
 * @module
 */

const BACKSLASH = 0x5c;
const SPACE = 0x20;

/**
 * Parses JSON like `JSON.parse`, which in some releases of V8 takes a key with escapes for a key of
 * an object before: `a\n` for `a\`, because the first two characters of both are written alike
 * (seen in V8 15.0, not in 11.3). Here, if any key has an escape, JSON.parse sees the
 * number of each key in its place.
 *
 * @param text JSON.
 * @returns The value. Numbers are those of `JSON.parse`.
 * @throws {SyntaxError} If the text is not JSON.
 * @throws {RangeError} If keys have escapes and the text is nested some thousands deep.
 */
export function parseJson(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  if (!text.includes("\\") || !hasEscapedKey(text)) return parsed;
  const keys: string[] = [];
  let numbered = "";
  let copied = 0;
  for (const [start, end] of keysOf(text)) {
    numbered += `${text.slice(copied, start)}"${keys.length}"`;
    keys.push(JSON.parse(text.slice(start, end)));
    copied = end;
  }
  return JSON.parse(numbered + text.slice(copied), (_, value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    // Keys that are numbers stay in order.
    return Object.fromEntries(
      Object.entries(value).map(([number, of]) => [keys[Number(number)]!, of]),
    );
  });
}

function hasEscapedKey(text: string): boolean {
  let escape = text.indexOf("\\");
  for (const [start, end] of keysOf(text)) {
    if (escape < start) escape = text.indexOf("\\", start);
    if (escape < 0) return false;
    if (escape < end) return true;
  }
  return false;
}

/** First quotes of the keys, and the places behind their last ones. */
function* keysOf(text: string): Generator<readonly [start: number, end: number]> {
  for (let start = text.indexOf('"'), end; start >= 0; start = text.indexOf('"', end)) {
    end = jsonTextEnd(text, start);
    let next = end;
    while (text.charCodeAt(next) <= SPACE) next++;
    if (text[next] === ":") yield [start, end];
  }
}

/**
 * End of a quoted text.
 *
 * @param text JSON, or a text that may be none.
 * @param start Index of the first quote.
 * @returns Index behind the last quote; −1 if no text begins at `start` or it has no end.
 */
export function jsonTextEnd(text: string, start: number): number {
  if (text[start] !== '"') return -1;
  let end = text.indexOf('"', start + 1);
  while (end >= 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end < 0 ? -1 : end + 1;
}

function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === BACKSLASH) first--;
  return (at - first) % 2 === 1;
}
