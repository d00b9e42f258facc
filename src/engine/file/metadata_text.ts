/**
 * Tags and annotations from their JSON.
 *
 * @module
 */

import type { Metadata } from "../../endpoint/endpoint.ts";

/** Escapes, and characters that JSON has only escapes for. */
// deno-lint-ignore no-control-regex
const ESCAPED = /[\\\0-\x1f]/;

const BACKSLASH = 0x5c;

/**
 * Metadata from the JSON of an object of texts and nulls, as `JSON.stringify` writes it. `JSON.parse`
 * of all of it would enter every short value in V8's table of unique strings, which takes 10 ms at
 * once to grow when 100,000 streams are read. And it takes a key `"` or `\n` for the key `\` of an
 * object before.
 *
 * @returns `undefined` if the text is none.
 */
export function metadataOf(text: string): Metadata | undefined {
  const metadata = new Map<string, string | null>();
  if (text === "{}") return metadata;
  for (let at = 1, before = "{";; before = ",") {
    const keyEnd = textEnd(text, at);
    if (text[at - 1] !== before || keyEnd < 0 || text[keyEnd] !== ":") return undefined;
    const isNull = text.startsWith("null", keyEnd + 1);
    const end = isNull ? keyEnd + 5 : textEnd(text, keyEnd + 1);
    if (end < 0) return undefined;
    metadata.set(unquoted(text, at, keyEnd), isNull ? null : unquoted(text, keyEnd + 1, end));
    if (end === text.length - 1) return text[end] === "}" ? metadata : undefined;
    at = end + 1;
  }
}

/** End of a quoted text; −1 if none begins at `start`. */
function textEnd(text: string, start: number): number {
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

function unquoted(text: string, start: number, end: number): string {
  const inner = text.slice(start + 1, end - 1);
  return ESCAPED.test(inner) ? JSON.parse(text.slice(start, end)) : inner;
}
