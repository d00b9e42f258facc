/**
 * Rows of the table of streams.
 *
 * @module
 */

import type { BTrDBError } from "../../core/errors.ts";
import { uuidText } from "../../core/uuid.ts";
import type { Metadata, StreamDescriptor } from "../../endpoint/endpoint.ts";
import { bytesOf, checkParts, damaged } from "./checksum.ts";
import { metadataOf } from "./metadata_text.ts";
import type { Row } from "./sqlite.ts";

/** Columns that {@linkcode descriptorOf} needs. */
export const STREAM_COLUMNS = "uuid, collection, tags, annotations, property_version, checksum";

/** A row as a descriptor. Throws `CORRUPT` if its checksum does not fit. */
export function descriptorOf(row: Row): StreamDescriptor {
  const parts = [row["collection"], row["tags"], row["annotations"], row["property_version"]];
  // Texts one after another have the checksum of all of them together.
  const uuid = bytesOf(row["uuid"], "the uuid of a stream");
  if (checkParts(uuid, parts.join("\0")) !== row["checksum"]) {
    throw damagedMetadata(uuid);
  }
  return {
    uuid,
    collection: row["collection"] as string,
    tags: parseMetadata(row["tags"], uuid),
    annotations: parseMetadata(row["annotations"], uuid),
    propertyVersion: BigInt(row["property_version"] as number),
  };
}

/** Metadata from their text, which a forged row may have any other text for. */
function parseMetadata(text: unknown, uuid: Uint8Array): Metadata {
  try {
    const metadata = metadataOf(text as string);
    if (metadata !== undefined) return metadata;
  } catch {
    // It is no text, or has escapes that JSON does not.
  }
  throw damagedMetadata(uuid);
}

function damagedMetadata(uuid: Uint8Array): BTrDBError {
  const name = uuid.length === 16 ? uuidText(uuid) : `of ${uuid.length} bytes`;
  return damaged(`the metadata of stream ${name}`);
}
