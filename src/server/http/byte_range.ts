/**
 * Conditional requests and requests for a part (RFC 9110, sections 13 and 14).
 *
 * @module
 */

import type { Request } from "./exchange.ts";

/** Bytes of a file, from the first to before the end. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The part of a file that a request asks for.
 *
 * Several ranges at once are not answered as such: the whole file is, as for one that is none.
 *
 * @param header `Range`.
 * @param size Bytes of the file.
 * @returns `"all"` without a valid range of bytes, `"none"` if nothing of it is in the file.
 */
export function byteRange(header: string | undefined, size: number): ByteRange | "all" | "none" {
  // In two steps: blanks on both sides of nothing take time that grows with their square.
  const [, set = ""] = /^\s*bytes\s*=([^]*)$/i.exec(header ?? "") ?? [];
  const match = /^(\d*)\s*-\s*(\d*)$/.exec(set.trim());
  if (match === null) return "all";
  const [, first = "", last = ""] = match;
  if (first === "" && last === "") return "all";
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "none" : { start: size - length, end: size };
  }
  if (last !== "" && BigInt(last) < BigInt(first)) return "all";
  if (Number(first) >= size) return "none";
  return { start: Number(first), end: last === "" ? size : Math.min(Number(last) + 1, size) };
}

/** Tells whether a list of entity tags in a header has one, or is `*`. */
export function hasTag(header: string, etag: string, comparison: "weak" | "strong"): boolean {
  if (header.trim() === "*") return true;
  const bare = (tag: string) => comparison === "weak" ? tag.replace(/^W\//, "") : tag;
  const tags: readonly string[] = header.match(/(?:W\/)?"[^"]*"/g) ?? [];
  if (comparison === "strong" && etag.startsWith("W/")) return false;
  return tags.some((tag) => bare(tag) === bare(etag));
}

/**
 * The status that the conditions of a request lead to.
 *
 * @returns 412 and 304 as such, undefined if the request is to be answered.
 */
export function conditionStatus(request: Request, etag: string): 304 | 412 | undefined {
  const ifMatch = request.header("if-match");
  if (ifMatch !== undefined && !hasTag(ifMatch, etag, "strong")) return 412;
  const ifNoneMatch = request.header("if-none-match");
  return ifNoneMatch !== undefined && hasTag(ifNoneMatch, etag, "weak") ? 304 : undefined;
}

/** The `Range` that counts: none if `If-Range` has anything but the one strong tag of the content. */
export function rangeThatCounts(request: Request, etag: string): string | undefined {
  if (request.method !== "GET") return undefined;
  const ifRange = request.header("if-range");
  if (ifRange !== undefined && (etag.startsWith("W/") || ifRange.trim() !== etag)) return undefined;
  return request.header("range");
}
