/**
 * Texts and keys that the metadata of a stream are stored as.
 *
 * @module
 */

import { compareBytes, concatBytes } from "../../core/bytes.ts";
import type { Metadata } from "../../endpoint/endpoint.ts";

const UTF8 = new TextEncoder();

/** Code units in whose presence texts are in another order than their UTF-8. */
const SURROGATE = /[\ud800-\udfff]/;

/** Keys that objects list first, by their numbers. */
const INDEX = /^(?:0|[1-9]\d{0,9})$/;

/**
 * The key a stream is unique by and listed in the order of: collection, a slash, and its tags,
 * sorted, each as key, NUL, value, NUL.
 */
export function sortKey(collection: string, tags: Metadata): Uint8Array {
  const head = `${collection}/`;
  const parts = [...tags].map(([key, value]) => `${key}\0${value ?? ""}\0`);
  // Texts are sorted and encoded in a tenth of the time that 2,000 arrays of bytes take.
  const text = head + parts.sort().join("");
  if (!SURROGATE.test(text)) return UTF8.encode(text);
  const bytes = parts.map((part) => UTF8.encode(part)).sort(compareBytes);
  return concatBytes([UTF8.encode(head), ...bytes]);
}

/**
 * The text that metadata are stored as, as `JSON.stringify` writes their object. The object itself would
 * enter each key in V8's table of unique strings: 5 ms for 2,000 of them.
 */
export function toJson(metadata: Metadata): string {
  for (const key of metadata.keys()) {
    if (INDEX.test(key)) return JSON.stringify(Object.fromEntries(metadata));
  }
  const entries = Array.from(
    metadata,
    ([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`,
  );
  return `{${entries.join(",")}}`;
}

/** Texts of a stream as they are stored, and its place in the order of streams. */
export interface StoredTexts {
  /** Its collection, and the JSON of its tags and annotations. */
  readonly texts: readonly [collection: string, tags: string, annotations: string];
  readonly sortKey: Uint8Array;
}

/** Makes the texts of a stream. Yields between its steps. */
export function* storedTextsInSteps(
  { collection, tags, annotations }: {
    collection: string;
    tags: Metadata;
    annotations: Metadata;
  },
): Generator<undefined, StoredTexts> {
  const tagsText = toJson(tags);
  yield;
  const texts = [collection, tagsText, toJson(annotations)] as const;
  yield;
  return { texts, sortKey: sortKey(collection, tags) };
}
