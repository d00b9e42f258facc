/**
 * Tags and annotations between callers' objects and the endpoint's maps.
 *
 * @module
 */

import { describe } from "../core/describe.ts";
import type { Metadata } from "../endpoint/endpoint.ts";
import { invalidType } from "../core/argument_error.ts";

/**
 * Tags or annotations of a stream. `null` is "no value", which only protocol v5 and the embedded
 * engine can store.
 */
export type MetadataValues = Record<string, string | null>;

/**
 * Pairs as a map.
 *
 * @param action Name of the call, for the error: `"create the stream"`.
 * @param pairs The object.
 * @param name Name of the argument.
 * @throws {TypeError} If it is not an object of strings and nulls.
 */
export function metadataOf(action: string, pairs: MetadataValues, name: string): Metadata {
  if (typeof pairs !== "object" || pairs === null) {
    throw invalidType(`Cannot ${action}: ${name} is ${describe(pairs)}, expected an object`);
  }
  const map = new Map<string, string | null>();
  for (const [key, value] of Object.entries(pairs)) {
    if (typeof value !== "string" && value !== null) {
      throw invalidType(
        `Cannot ${action}: ${name}.${key} is ${describe(value)}, expected a string or null`,
      );
    }
    map.set(key, value);
  }
  return map;
}

/** A map as pairs, sorted by key. */
export function pairsOf(map: Metadata): MetadataValues {
  return Object.fromEntries([...map].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** Keys to set and keys to remove: `null` in `changes` removes the key. */
export function changesOf(
  action: string,
  changes: MetadataValues,
  name: string,
): { changes: Metadata; removals: string[] } {
  const all = [...metadataOf(action, changes, name)];
  return {
    changes: new Map(all.filter(([, value]) => value !== null)),
    removals: all.filter(([, value]) => value === null).map(([key]) => key),
  };
}
