/**
 * Rules for collections, tags and annotations (docs/protocol.md, "Metadata rules"), with
 * the code and the text with which a real server refuses the rest.
 *
 * @module
 */

import { ErrorCode } from "./errors.ts";

/** Code and text with which a server refuses a piece of metadata. */
export interface Refusal {
  /** BTrDB code: 407, 408 or 409. */
  code: number;
  /** The server's text, bare: without the `(407: …)` around it that some RPCs add. */
  text: string;
}

/** The two kinds of pairs a stream carries. */
export type PairKind = "tag" | "annotation";

/** Longest key, bytes. */
const MAX_KEY = 63;
/** Longest value and longest collection, bytes. */
const MAX_TEXT = 255;

const KEY = /^[a-z][a-z0-9_.]*$/;
const encoder = new TextEncoder();

/**
 * Checks the name of a collection: 1 to 255 bytes of UTF-8 without NUL.
 *
 * @param collection The name.
 * @returns Why it is refused, or `undefined`.
 */
export function checkCollection(collection: string): Refusal | undefined {
  return collection === "" ? invalidName(collection) : checkFilter(collection);
}

/**
 * Checks the collection of a lookup, which may be empty.
 *
 * @param collection The name, or its beginning.
 * @returns Why it is refused, or `undefined`.
 */
export function checkFilter(collection: string): Refusal | undefined {
  return isText(collection) ? undefined : invalidName(collection);
}

/**
 * Checks the prefix of a listing, which may be empty.
 *
 * @param prefix The beginning of the collections' names.
 * @returns Why it is refused, or `undefined`.
 */
export function checkPrefix(prefix: string): Refusal | undefined {
  if (isText(prefix)) return undefined;
  return {
    code: ErrorCode.InvalidCollection,
    text: `prefix ${quote(prefix)} is not a valid collection prefix`,
  };
}

/**
 * Checks a key: `^[a-z][a-z0-9_.]*$`, 1 to 63 bytes.
 *
 * @param key The key.
 * @param kind What it is a key of.
 * @returns Why it is refused, or `undefined`.
 */
export function checkKey(key: string, kind: PairKind): Refusal | undefined {
  if (KEY.test(key) && key.length <= MAX_KEY) return undefined;
  return { code: ErrorCode.InvalidTagKey, text: `${kind} key ${quote(key)} is invalid` };
}

/**
 * Checks a value: a tag's is 1 to 255 bytes without NUL, an annotation's 0 to 255 bytes. `null`
 * ("no value") always passes: what it means is the caller's to know.
 *
 * @param key The key, for the text.
 * @param value The value.
 * @param kind What it is a value of.
 * @returns Why it is refused, or `undefined`.
 */
export function checkValue(
  key: string,
  value: string | null,
  kind: PairKind,
): Refusal | undefined {
  if (value === null) return undefined;
  const legal = kind === "tag" ? value !== "" && isText(value) : byteLength(value) <= MAX_TEXT;
  if (legal && value.isWellFormed()) return undefined;
  return {
    code: ErrorCode.InvalidTagValue,
    text: `${kind} value for key ${quote(key)} is invalid`,
  };
}

/**
 * Checks pairs in their order, each key before its value.
 *
 * @param pairs Keys and values.
 * @param kind What they are.
 * @returns Why the first bad one is refused, or `undefined`.
 */
export function checkPairs(
  pairs: ReadonlyMap<string, string | null>,
  kind: PairKind,
): Refusal | undefined {
  for (const [key, value] of pairs) {
    const refusal = checkKey(key, kind) ?? checkValue(key, value, kind);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function invalidName(name: string): Refusal {
  return { code: ErrorCode.InvalidCollection, text: `collection ${quote(name)} is invalid` };
}

/** At most 255 bytes of UTF-8 without NUL. */
function isText(text: string): boolean {
  return text.isWellFormed() && !text.includes("\0") && byteLength(text) <= MAX_TEXT;
}

function byteLength(text: string): number {
  return encoder.encode(text).length;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
]);

/** Everything but letters, marks, numbers, punctuation, symbols and the space. */
const UNPRINTABLE = /["\\]|[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;

/** A string in quotes as the server's texts show it (Go's `%q`). */
export function quote(text: string): string {
  const escaped = text.toWellFormed().replace(UNPRINTABLE, (character) => {
    const known = ESCAPES.get(character);
    if (known !== undefined) return known;
    const code = character.codePointAt(0)!;
    if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
    if (code < 0x10000) return `\\u${code.toString(16).padStart(4, "0")}`;
    return `\\U${code.toString(16).padStart(8, "0")}`;
  });
  return `"${escaped}"`;
}
