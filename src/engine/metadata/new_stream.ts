/**
 * Rows of a new stream, worked out before the transaction that writes them: with 2,000 tags and
 * annotations that takes longer than writing does.
 *
 * @module
 */

import type { CreateRequest } from "../../endpoint/endpoint.ts";
import { checkParts } from "../file/checksum.ts";
import { type KeySetPlace, placeOf } from "../file/key_sets.ts";
import { type PropertyRow, propertyRowsInSteps } from "../file/property_rows.ts";
import { type StoredTexts, storedTextsInSteps } from "./stored_texts.ts";

/** Version of the metadata of a new stream. */
export const FIRST_VERSION = 1;

/** A stream that is about to be made. */
export interface NewStream extends StoredTexts {
  readonly uuid: Uint8Array;
  readonly checksum: number;
  /** Its entries of the index of tags and annotations. */
  readonly rows: readonly PropertyRow[];
  /** Its set of keys. */
  readonly place: KeySetPlace;
}

/** Works out the rows of a stream. Yields between its steps. */
export function* newStreamInSteps(request: CreateRequest): Generator<undefined, NewStream> {
  const { uuid, tags, annotations } = request;
  const rows = yield* propertyRowsInSteps(tags, annotations);
  yield;
  const { texts, sortKey } = yield* storedTextsInSteps(request);
  yield;
  const place = placeOf(request);
  yield;
  const checksum = checkParts(uuid, ...texts, String(FIRST_VERSION));
  return { uuid, texts, sortKey, checksum, rows, place };
}
