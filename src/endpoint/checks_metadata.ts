/**
 * The checks on names and values of metadata: codes, texts and order of the real server
 * (docs/protocol.md, "Metadata").
 *
 * @module
 */

import { BTrDBError, ErrorCode } from "../core/errors.ts";
import { TEXT } from "./checks.ts";
import type {
  CreateRequest,
  ListCollectionsRequest,
  LookupRequest,
  Metadata,
  SetAnnotationsRequest,
  SetTagsRequest,
} from "./endpoint.ts";

/** Most bytes of a collection name, of a tag value and of an annotation value. */
const MAX_NAME_BYTES = 255;

/** Most bytes of a tag key and of an annotation key. */
const MAX_KEY_BYTES = 63;

/** Longest text that an error repeats, UTF-16 units. */
const MAX_QUOTED = 1_000;

/** Most names one `ListCollections` of protocol v4 may ask for. */
export const MAX_LIST_LIMIT = 10_000;

const KEY = /^[a-z][a-z0-9_.]*$/;
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
  ["\\", "\\\\"],
  ['"', '\\"'],
]);

/**
 * Text in double quotes as the real server writes it into messages: printable characters as they
 * are, others escaped in the manner of Go's `%q`.
 */
export function quote(text: string): string {
  if (text.length > MAX_QUOTED) {
    // Half of a pair stays outside.
    const cut = text.slice(0, MAX_QUOTED).replace(/[\ud800-\udbff]$/, "");
    return `${quote(cut).slice(0, -1)}…"`;
  }
  let out = '"';
  for (const char of text) {
    const code = char.codePointAt(0)!;
    const escape = ESCAPES.get(char);
    if (escape !== undefined) out += escape;
    else if (PRINTABLE.test(char)) out += char;
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, "0")}`;
    else if (code < 0x10000) out += `\\u${code.toString(16).padStart(4, "0")}`;
    else out += `\\U${code.toString(16).padStart(8, "0")}`;
  }
  return out + '"';
}

/** True for text of at most 255 bytes in UTF-8; a lone surrogate has no UTF-8. */
function isShort(text: string): boolean {
  return text.length <= MAX_NAME_BYTES && text.isWellFormed() && utf8Bytes(text) <= MAX_NAME_BYTES;
}

/** Bytes of a text in UTF-8, of a short one in a fraction of the time that encoding it takes. */
function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    // Each half of a surrogate pair stands for two of its four bytes.
    bytes += code < 0x800 || (code & 0xf800) === 0xd800 ? 1 : 2;
  }
  return bytes;
}

function refuse(code: number, text: string): never {
  throw new BTrDBError(text, { code });
}

/** Tells whether a collection may have this name: 1 to 255 bytes, no NUL. */
export function isValidCollection(name: string): boolean {
  return name.length > 0 && isShort(name) && !name.includes("\0");
}

function checkCollection(name: string): void {
  if (!isValidCollection(name)) {
    refuse(ErrorCode.InvalidCollection, `collection ${quote(name)} is invalid`);
  }
}

function checkKey(kind: "tag" | "annotation", key: string): void {
  if (key.length > MAX_KEY_BYTES || !KEY.test(key)) {
    refuse(ErrorCode.InvalidTagKey, `${kind} key ${quote(key)} is invalid`);
  }
}

function checkTags(tags: Metadata): void {
  for (const [key, value] of tags) {
    checkKey("tag", key);
    if (value === null) continue;
    if (value === "" || !isShort(value) || value.includes("\0")) {
      refuse(ErrorCode.InvalidTagValue, `tag value for key ${quote(key)} is invalid`);
    }
  }
}

function checkAnnotations(annotations: Metadata): void {
  for (const [key, value] of annotations) {
    checkKey("annotation", key);
    if (value !== null && !isShort(value)) {
      refuse(ErrorCode.InvalidTagValue, `annotation value for key ${quote(key)} is invalid`);
    }
  }
}

/**
 * Checks a new stream: collection, then tags, then annotations.
 *
 * @throws {BTrDBError} 407, 408, 409.
 */
export function checkCreate(request: CreateRequest): void {
  checkCollection(request.collection);
  checkTags(request.tags);
  checkAnnotations(request.annotations);
}

/**
 * Checks a change of annotations; whether the stream exists comes after it.
 *
 * @throws {BTrDBError} 408, 409.
 */
export function checkSetAnnotations(request: SetAnnotationsRequest): void {
  checkAnnotations(request.changes);
  for (const key of request.removals) checkKey("annotation", key);
}

/**
 * Checks a change of tags and collection; the empty collection leaves it as it is.
 *
 * @throws {BTrDBError} 407, 408, 409.
 */
export function checkSetTags(request: SetTagsRequest): void {
  if (request.collection !== "") checkCollection(request.collection);
  checkTags(request.changes);
  for (const key of request.removals) checkKey("tag", key);
}

/**
 * Checks the conditions of a lookup; the empty collection is always fine.
 *
 * @throws {BTrDBError} 407, 408, 409.
 */
export function checkLookup(request: LookupRequest): void {
  if (request.collection !== "") checkCollection(request.collection);
  checkTags(request.tags);
  checkAnnotations(request.annotations);
}

/**
 * Checks a request for collections: the start, then the limit, then the prefix.
 *
 * @throws {BTrDBError} 421, 407.
 */
export function checkListCollections(request: ListCollectionsRequest): void {
  const { prefix, startWith, limit } = request;
  if (startWith !== undefined && !startWith.startsWith(prefix)) {
    refuse(ErrorCode.WrongArgs, TEXT.startWith);
  }
  if (limit !== undefined && !(limit > 0 && limit <= MAX_LIST_LIMIT)) {
    refuse(ErrorCode.WrongArgs, TEXT.limit);
  }
  if (prefix !== "" && !isValidCollection(prefix)) {
    refuse(ErrorCode.InvalidCollection, `prefix ${quote(prefix)} is not a valid collection prefix`);
  }
}
