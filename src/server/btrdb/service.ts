/**
 * The methods of both protocols.
 *
 * @module
 */

import type { ServiceTable } from "../method.ts";
import {
  arrowAlignedWindows,
  arrowInsert,
  arrowMultiValues,
  arrowRawValues,
  arrowWindows,
} from "./arrow.ts";
import { generateCsv } from "./csv.ts";
import { V4, V5 } from "./metadata_codec.ts";
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

/** `grpcinterface.BTrDB` (docs/protocol.md, "Protocol v4"). */
export const SERVICE_V4: ServiceTable = {
  RawValues: { run: rawValues },
  AlignedWindows: { run: alignedWindows(false) },
  Windows: { run: windows(false) },
  StreamInfo: { run: streamInfo(V4) },
  SetStreamAnnotations: { run: setAnnotations(V4) },
  Create: { run: createStream(V4) },
  ListCollections: { run: listCollectionsV4 },
  LookupStreams: { run: lookupStreams(V4) },
  Nearest: { run: nearest },
  Changes: { run: changes },
  Insert: { run: insertV4 },
  Delete: { run: deleteRange },
  Info: { run: info(V4), gated: false },
  FaultInject: { run: faultInject },
  Flush: { run: flush },
  Obliterate: { run: obliterate },
  GetMetadataUsage: { run: metadataUsage },
  GenerateCSV: { run: generateCsv },
};

/** `v5api.BTrDB` (docs/protocol.md, "Protocol v5"). */
export const SERVICE_V5: ServiceTable = {
  RawValues: { run: rawValues },
  AlignedWindows: { run: alignedWindows(true) },
  Windows: { run: windows(true) },
  StreamInfo: { run: streamInfo(V5) },
  SetStreamAnnotations: { run: setAnnotations(V5) },
  SetStreamTags: { run: setTags },
  Create: { run: createStream(V5) },
  ListCollections: { run: listCollectionsV5 },
  LookupStreams: { run: lookupStreams(V5) },
  Nearest: { run: nearest },
  Changes: { run: changes },
  Insert: { run: insertV5 },
  Delete: { run: deleteRange },
  Info: { run: info(V5), gated: false },
  FaultInject: { run: faultInject },
  Flush: { run: flush },
  Obliterate: { run: obliterate },
  GetMetadataUsage: { run: metadataUsage },
  GenerateCSV: { run: generateCsv },
  SQLQuery: { run: sqlQuery },
  MultiRawValues: { run: multiRawValues },
  ArrowRawValues: { run: arrowRawValues },
  ArrowAlignedWindows: { run: arrowAlignedWindows },
  ArrowWindows: { run: arrowWindows },
  ArrowMultiValues: { run: arrowMultiValues },
  ArrowInsert: { run: arrowInsert },
  Subscribe: { run: subscribe, gated: false, endless: true },
  SetCompactionConfig: { run: setCompactionConfig },
  GetCompactionConfig: { run: getCompactionConfig },
};
