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
      const [ofTags, ofAnnotations] = JSON.parse(keys) as [string[], string[]];
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

function sortedByKey(map: Map<string, bigint>): Map<string, bigint> {
  return new Map([...map].sort(([a], [b]) => a < b ? -1 : 1));
}
