/**
 * The methods of both protocols.
 *
 * @module
 */

import { type ServiceTable, SMALL_MESSAGE_BYTES } from "../method.ts";
import {
  arrowAlignedWindows,
  arrowInsert,
  arrowMultiValues,
  arrowRawValues,
  arrowWindows,
} from "./arrow.ts";
import { generateCsv } from "./csv.ts";
import { type MetadataCodec, V4, V5 } from "./metadata_codec.ts";
import { insertMany } from "./insert_many.ts";
import { faultInject, getCompactionConfig, info, setCompactionConfig } from "./info.ts";
import {
  createStream,
  listCollectionsV4,
  listCollectionsV5,
  lookupStreams,
  metadataUsage,
  setAnnotations,
  setTags,
  streamInfo,
} from "./metadata.ts";
import { multiRawValues } from "./multi_raw_values.ts";
import { alignedWindows, changes, nearest, rawValues, windows } from "./reads.ts";
import { sqlQuery } from "./sql.ts";
import { subscribe } from "./subscribe.ts";
import { deleteRange, flush, insertV4, insertV5, obliterate } from "./writes.ts";

/** Largest request with a label for each of thousands of streams. */
const LIST_BYTES = 4 << 20;

/** The methods that both protocols have, which differ in metadata and in standard deviations. */
function shared(codec: MetadataCodec): ServiceTable {
  const hasDeviations = codec.protocol === "v5";
  return {
    RawValues: { run: rawValues, needs: "read" },
    AlignedWindows: { run: alignedWindows(hasDeviations), needs: "read" },
    Windows: { run: windows(hasDeviations), needs: "read" },
    StreamInfo: { run: streamInfo(codec), needs: "read" },
    SetStreamAnnotations: { run: setAnnotations(codec), needs: "insert" },
    Create: { run: createStream(codec), needs: "insert" },
    LookupStreams: { run: lookupStreams(codec), needs: "read" },
    Nearest: { run: nearest, needs: "read" },
    Changes: { run: changes, needs: "read" },
    Delete: { run: deleteRange, needs: "delete" },
    Info: { run: info(codec), messageBytes: SMALL_MESSAGE_BYTES, gated: false },
    FaultInject: { run: faultInject, needs: "read" },
    Flush: { run: flush, needs: "insert" },
    Obliterate: { run: obliterate, needs: "obliterate" },
    GetMetadataUsage: { run: metadataUsage, needs: "read" },
    GenerateCSV: { run: generateCsv, needs: "read", messageBytes: LIST_BYTES },
  };
}

/** `grpcinterface.BTrDB` (docs/protocol.md, "Protocol v4"). */
const SERVICE_V4: ServiceTable = {
  ...shared(V4),
  ListCollections: { run: listCollectionsV4, needs: "read" },
  Insert: { run: insertV4, needs: "insert", messageBytes: Infinity },
};

/** `v5api.BTrDB` (docs/protocol.md, "Protocol v5"). */
const SERVICE_V5: ServiceTable = {
  ...shared(V5),
  ListCollections: { run: listCollectionsV5, needs: "read" },
  Insert: { run: insertV5, needs: "insert", messageBytes: Infinity },
  SetStreamTags: { run: setTags, needs: "insert" },
  SQLQuery: { run: sqlQuery, needs: "read", seesAll: true },
  MultiRawValues: { run: multiRawValues, needs: "read" },
  ArrowRawValues: { run: arrowRawValues, needs: "read" },
  ArrowAlignedWindows: { run: arrowAlignedWindows, needs: "read" },
  ArrowWindows: { run: arrowWindows, needs: "read" },
  ArrowMultiValues: { run: arrowMultiValues, needs: "read" },
  ArrowInsert: { run: arrowInsert, needs: "insert", messageBytes: Infinity },
  Subscribe: { run: subscribe, gated: false, endless: true, needs: "read" },
  SetCompactionConfig: { run: setCompactionConfig, needs: "admin" },
  GetCompactionConfig: { run: getCompactionConfig, needs: "read" },
};

/** `btrdbdeno.Batches` (docs/protocol.md, "Inserts of several streams"). */
const SERVICE_BATCHES: ServiceTable = {
  InsertMany: { run: insertMany, needs: "insert", messageBytes: Infinity },
};

/** The services of a database, by their names. */
export const SERVICES: Readonly<Record<string, ServiceTable>> = {
  "grpcinterface.BTrDB": SERVICE_V4,
  "v5api.BTrDB": SERVICE_V5,
  "btrdbdeno.Batches": SERVICE_BATCHES,
};
