/**
 * Rows of the index of tags and annotations. Keys and values are there as checksums: what is found
 * is held against the stream itself, and long values take no more room than short ones.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { Metadata } from "../../endpoint/endpoint.ts";
import type { Row } from "./sqlite.ts";
import { descriptorOf } from "./stream_row.ts";

/** Tags and annotations have keys of their own. */
export type PropertyKind = "tag" | "annotation";

/** An entry of the index, without the number of its stream. */
export interface PropertyRow {
  readonly key: number;
  readonly value: number;
}

/** A key in the index. */
export function propertyKey(kind: PropertyKind, key: string): number {
  return crc32(`${kind}\0${key}`);
}

/** A value in the index; no text is a value too. */
export function propertyValue(value: string | null): number {
  return value === null ? -1 : crc32(value);
}

/** The entries of a stream. */
export function propertyRows(tags: Metadata, annotations: Metadata): PropertyRow[] {
  const rows: PropertyRow[] = [];
  for (const [key, value] of tags) rows.push(propertyRow("tag", key, value));
  for (const [key, value] of annotations) rows.push(propertyRow("annotation", key, value));
  return rows;
}

function propertyRow(kind: PropertyKind, key: string, value: string | null): PropertyRow {
  return { key: propertyKey(kind, key), value: propertyValue(value) };
}

/** Entries that are made in one step. */
const STEP_ROWS = 512;

/** As {@linkcode propertyRows}, in steps. Yields between them. */
export function* propertyRowsInSteps(
  tags: Metadata,
  annotations: Metadata,
): Generator<undefined, PropertyRow[]> {
  const rows: PropertyRow[] = [];
  for (const [kind, metadata] of [["tag", tags], ["annotation", annotations]] as const) {
    for (const [key, value] of metadata) {
      rows.push(propertyRow(kind, key, value));
      if (rows.length % STEP_ROWS === 0) yield;
    }
  }
  return rows;
}

/** Key of the one entry of a stream that was damaged when it was indexed; no checksum is below 0. */
export const UNKNOWN_KEY = -1;

/** The entries of a row of the table of streams; `undefined` if it is damaged. */
export function propertyRowsOf(row: Row): PropertyRow[] | undefined {
  try {
    const { tags, annotations } = descriptorOf(row);
    return propertyRows(tags, annotations);
  } catch {
    return undefined;
  }
}
