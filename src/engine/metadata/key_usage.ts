/**
 * Usage of the keys of tags and annotations.
 *
 * @module
 */

import type { MetadataUsage } from "../../endpoint/endpoint.ts";
import { damaged } from "../file/checksum.ts";
import { type KeySet, type KeySets, UNKNOWN } from "../file/key_sets.ts";

/**
 * Number of streams per key, in collections whose names begin with `prefix`. Yields where it may
 * pause.
 *
 * @throws {BTrDBError} `CORRUPT` if a stream that has to be counted was damaged before it was.
 */
export function* countKeys(
  sets: KeySets,
  prefix: string,
): Generator<undefined, MetadataUsage> {
  const tags = new Map<string, bigint>();
  const annotations = new Map<string, bigint>();
  for (const page of sets.within(prefix)) {
    for (const [keys, streams] of streamsByKeys(page)) {
      const [ofTags, ofAnnotations] = parseKeys(keys);
      for (const key of ofTags) tags.set(key, (tags.get(key) ?? 0n) + streams);
      for (const key of ofAnnotations) annotations.set(key, (annotations.get(key) ?? 0n) + streams);
    }
    yield;
  }
  return { tags: sortedByKey(tags), annotations: sortedByKey(annotations) };
}

/** Streams of a page by their keys: most collections have the same. */
function streamsByKeys(page: readonly KeySet[]): Map<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { keys, streams } of page) {
    if (keys === UNKNOWN) throw damaged("the metadata of a stream");
    sums.set(keys, (sums.get(keys) ?? 0n) + BigInt(streams));
  }
  return sums;
}

/** Keys of tags and of annotations from their text, which a forged row may have any other text for. */
function parseKeys(text: string): [string[], string[]] {
  try {
    const parsed: unknown = JSON.parse(text);
    if (isList(parsed) && parsed.length === 2) {
      const [ofTags, ofAnnotations] = parsed;
      if (isListOfTexts(ofTags) && isListOfTexts(ofAnnotations)) return [ofTags, ofAnnotations];
    }
  } catch {
    // It is no JSON.
  }
  throw damaged("the keys that streams have");
}

function isList(value: unknown): value is unknown[] {
  return Array.isArray(value);
}

function isListOfTexts(value: unknown): value is string[] {
  return isList(value) && value.every((item) => typeof item === "string");
}

function sortedByKey(map: Map<string, bigint>): Map<string, bigint> {
  return new Map([...map].sort(([a], [b]) => a < b ? -1 : 1));
}
