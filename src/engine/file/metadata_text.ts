/**
 * Tags and annotations from their JSON.
 *
 * @module
 */

import { jsonTextEnd } from "../../core/parse_json.ts";
import type { Metadata } from "../../endpoint/endpoint.ts";

/** Escapes, and characters that JSON has only escapes for. */
// deno-lint-ignore no-control-regex
const ESCAPED = /[\\\0-\x1f]/;

/**
 * Metadata from the JSON of an object of texts and nulls, as `JSON.stringify` writes it. `JSON.parse`
 * of all of it would enter every short value in V8's table of unique strings, which takes 10 ms at
 * once to grow when 100,000 streams are read. And it may confuse keys with escapes
 * (`core/parse_json.ts`).
 *
 * @returns `undefined` if the text is none.
 */
export function metadataOf(text: string): Metadata | undefined {
  const metadata = new Map<string, string | null>();
  if (text === "{}") return metadata;
  for (let at = 1, before = "{";; before = ",") {
    const keyEnd = jsonTextEnd(text, at);
    if (text[at - 1] !== before || keyEnd < 0 || text[keyEnd] !== ":") return undefined;
    const isNull = text.startsWith("null", keyEnd + 1);
    const end = isNull ? keyEnd + 5 : jsonTextEnd(text, keyEnd + 1);
    if (end < 0) return undefined;
    metadata.set(unquoted(text, at, keyEnd), isNull ? null : unquoted(text, keyEnd + 1, end));
    if (end === text.length - 1) return text[end] === "}" ? metadata : undefined;
    at = end + 1;
  }
}

function unquoted(text: string, start: number, end: number): string {
  const inner = text.slice(start + 1, end - 1);
  return ESCAPED.test(inner) ? JSON.parse(text.slice(start, end)) : inner;
}
