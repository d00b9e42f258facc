/**
 * Rows of the table of streams.
 *
 * @module
 */

import { uuidText } from "../../core/uuid.ts";
import type { StreamDescriptor } from "../../endpoint/endpoint.ts";
import { bytesOf, checkParts, damaged } from "./checksum.ts";
import { parseMetadata } from "./property_rows.ts";
import type { Row } from "./sqlite.ts";

/** Columns that {@linkcode descriptorOf} needs. */
export const STREAM_COLUMNS = "uuid, collection, tags, annotations, property_version, checksum";

/** A row as a descriptor. Throws `CORRUPT` if its checksum does not fit. */
export function descriptorOf(row: Row): StreamDescriptor {
  const parts = [row["collection"], row["tags"], row["annotations"], row["property_version"]];
  // Texts one after another have the checksum of all of them together.
  const uuid = bytesOf(row["uuid"], "the uuid of a stream");
  if (checkParts(uuid, parts.join("\0")) !== row["checksum"]) {
    throw damaged(
      `the metadata of stream ${uuid.length === 16 ? uuidText(uuid) : `of ${uuid.length} bytes`}`,
    );
  }
  return {
    uuid,
    collection: row["collection"] as string,
    tags: parseMetadata(row["tags"]),
    annotations: parseMetadata(row["annotations"]),
    propertyVersion: BigInt(row["property_version"] as number),
  };
}
