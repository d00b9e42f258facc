/**
 * Changes of the metadata of a stream, worked out before the transaction that writes them: with 2,000
 * tags and annotations that takes more time than writing does, and a transaction of metadata is one step.
 *
 * @module
 */

import type { StreamDescriptor } from "../../endpoint/endpoint.ts";
import { checkParts } from "../file/checksum.ts";
import { type KeySetPlace, placeOf } from "../file/key_sets.ts";
import { type PropertyRow, propertyRowsInSteps } from "../file/property_rows.ts";
import { type StoredTexts, storedTextsInSteps } from "./stored_texts.ts";

/** A change of one stream. */
export interface MetadataChange extends StoredTexts {
  /** The stream as it was. */
  readonly before: StreamDescriptor;
  /** True if its tags or its collection are others, of which no other stream may have the same. */
  readonly isRenamed: boolean;
  readonly version: bigint;
  readonly checksum: number;
  /** Entries of the index of tags and annotations that come and go. */
  readonly rows: PropertyRowChange;
  /** Its set of keys before and after. */
  readonly places: readonly [before: KeySetPlace, after: KeySetPlace];
}

/** Entries of the index of tags and annotations that come and go. */
export interface PropertyRowChange {
  readonly added: readonly PropertyRow[];
  readonly removed: readonly PropertyRow[];
}

/**
 * Works out a change. Yields between its steps.
 *
 * @param before The stream as it is.
 * @param after The same with other tags, annotations or another collection.
 */
export function* changeInSteps(
  before: StreamDescriptor,
  after: StreamDescriptor,
): Generator<undefined, MetadataChange> {
  const { uuid, collection, tags } = after;
  const rows = yield* rowsInSteps(before, after);
  const { texts, sortKey } = yield* storedTextsInSteps(after);
  yield;
  const place = placeOf(before);
  yield;
  const version = before.propertyVersion + 1n;
  return {
    before,
    texts,
    sortKey,
    isRenamed: tags !== before.tags || collection !== before.collection,
    version,
    checksum: checkParts(uuid, ...texts, String(version)),
    rows,
    places: [place, placeOf(after)],
  };
}

function* rowsInSteps(
  before: StreamDescriptor,
  after: StreamDescriptor,
): Generator<undefined, PropertyRowChange> {
  const id = ({ key, value }: PropertyRow) => `${key} ${value}`;
  const old = yield* propertyRowsInSteps(before.tags, before.annotations);
  const gone = new Map(old.map((row) => [id(row), row]));
  yield;
  const rows = yield* propertyRowsInSteps(after.tags, after.annotations);
  const added = rows.filter((row) => !gone.delete(id(row)));
  yield;
  return { added, removed: [...gone.values()] };
}
