/**
 * Data by URL: lists of streams, and points and windows in the formats that other programs read
 * (docs/http.md).
 *
 * @module
 */

import { FairSending } from "../../transport/fair_sending.ts";
import type { HttpExchange, HttpRoute } from "../routes.ts";
import type { DataFormat } from "./data_answer.ts";
import { metadataRoutes } from "./metadata_routes.ts";
import { OPENAPI } from "./openapi.ts";
import { sendParquet } from "./parquet_data.ts";
import { RememberedReads } from "./remembered_reads.ts";
import type { StreamLimits } from "./data_source.ts";
import type { Spool } from "./spool.ts";
import { streamData } from "./streamed_data.ts";
import { jsonBytes, sendJsonBytes } from "./send_json.ts";
import { Parameters } from "./parameters.ts";

/** Formats, by the ending of the path. */
const FORMATS: readonly DataFormat[] = ["csv", "parquet", "arrow", "ndjson", "json"];

/** The description of the routes: whoever asks for it again and again takes no further memory. */
let openapi: Uint8Array | undefined;

/** Parts of the routes. */
export interface DataRoutesOptions extends StreamLimits {
  /** True if callers show keys. */
  readonly isKeyed: boolean;
  readonly spool: Spool;
}

/** The routes of data by URL. */
export function dataRoutes(given: DataRoutesOptions): HttpRoute[] {
  const options = { ...given, pace: new FairSending(), reads: new RememberedReads() };
  const send = (format: DataFormat) => async (exchange: HttpExchange) => {
    // Nothing of the URL is read for callers who may not read at all.
    exchange.access.anywhere("read", "");
    if (format === "parquet") await sendParquet(exchange, options);
    else await streamData(exchange, format, options);
  };
  return [
    {
      path: "/openapi.json",
      methods: ["GET", "HEAD"],
      service: "data",
      name: "OpenAPI",
      authenticated: false,
      run: (exchange) => {
        new Parameters(exchange.request.url, { single: [] });
        sendJsonBytes(exchange, openapi ??= jsonBytes(OPENAPI));
        return Promise.resolve();
      },
    },
    ...metadataRoutes(options),
    ...FORMATS.map((format): HttpRoute => ({
      path: `/api/v1/data.${format}`,
      methods: ["GET", "HEAD"],
      service: "data",
      name: format,
      run: send(format),
    })),
  ];
}
