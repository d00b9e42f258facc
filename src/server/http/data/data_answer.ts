/**
 * The streams, versions and range of an answer, and its name, which is another one for other bytes.
 *
 * @module
 */

import { createHash, randomUUID } from "node:crypto";
import { safeLabel } from "../../../core/safe_label.ts";
import { uuidText } from "../../../core/uuid.ts";
import type { Version } from "../../../endpoint/endpoint.ts";
import type { DataRange } from "./data_range.ts";
import type { DataRequest } from "./data_request.ts";
import { type FoundStream, pathOf } from "./data_streams.ts";
import { badParameter, quoted } from "./parameters.ts";

/** Formats of answers. */
export type DataFormat = "csv" | "parquet" | "arrow" | "ndjson" | "json";

/** Longest URL that is told, characters. */
const MAX_URL = 2_000;

/** Changes with the bytes that are made of the same points. */
const EDITION = "3";

/** Points that are not committed yet may be others when the server runs again. */
const RUN = randomUUID();

/** An answer of which everything is known but the points. */
export interface DataAnswer {
  readonly format: DataFormat;
  readonly request: DataRequest;
  readonly range: DataRange;
  readonly uuids: readonly Uint8Array[];
  readonly labels: readonly string[];
  readonly versions: readonly Version[];
}

/**
 * The names of the columns of some streams.
 *
 * @throws {HttpFailure} 400 if two are called the same, or as the column of the times is.
 */
export function labelsOf(
  streams: readonly FoundStream[],
  { label, isSafe }: DataRequest,
): string[] {
  const labels = streams.map((stream) => {
    const text = label === "path"
      ? pathOf(stream)
      : label === "name" && stream.name !== undefined
      ? stream.name
      : uuidText(stream.uuid);
    return isSafe ? safeLabel(text) : text;
  });
  const seen = new Set(["time"]);
  for (const text of labels) {
    if (seen.has(text)) {
      throw badParameter(
        `two columns are called ${quoted(text)}, expected another label=, such as uuid`,
      );
    }
    seen.add(text);
  }
  return labels;
}

/** The versions that a request pins, one a stream; 0 is the latest. */
export function pinnedVersions({ versions }: DataRequest, streams: number): bigint[] {
  if (versions.length === 0) return new Array<bigint>(streams).fill(0n);
  if (versions.length === streams) return [...versions];
  throw badParameter(
    `version has ${versions.length} of the numbers of ${streams} streams, expected one for each ` +
      "with commas, in their order",
  );
}

/** True if the points of an answer can never change: all versions are pinned, and so is the range. */
export function isImmutable({ request }: DataAnswer): boolean {
  const { versions, isRelative } = request;
  return versions.length > 0 && versions.every((version) => version !== 0n) && !isRelative;
}

/** The name of an answer, which is another one for other bytes. */
export function nameOf(answer: DataAnswer): string {
  const { format, request, range, uuids, labels, versions } = answer;
  const isCommitted = versions.every(({ minor }) => minor === 0n);
  const parts = [
    EDITION,
    isCommitted ? "" : RUN,
    format,
    uuids.map(uuidText),
    labels,
    versions.map(({ major, minor }) => `${major}.${minor}`),
    [range.start, range.end, ...Object.values(range.query)].map(String),
    request.time ?? "",
    request.time === "ns" ? "" : request.tz,
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("base64url").slice(0, 27);
}

/** The URL by which the same bytes can be asked for again; undefined where there is none. */
export function pinnedUrl(answer: DataAnswer): string | undefined {
  const { format, request, range, uuids, versions } = answer;
  if (versions.some(({ minor }) => minor !== 0n)) return undefined;
  const query = new URLSearchParams(uuids.map((uuid) => ["stream", uuidText(uuid)]));
  query.set("start", String(range.start));
  query.set("end", String(range.end));
  if (range.query.type === "aligned") query.set("pointwidth", String(range.query.pointwidth));
  if (range.query.type === "windows") query.set("width", String(range.query.width));
  query.set("version", versions.map(({ major }) => major).join(","));
  if (request.time !== undefined) query.set("time", request.time);
  if (request.tz !== "UTC") query.set("tz", request.tz);
  if (request.label !== "path") query.set("label", request.label);
  if (request.isSafe) query.set("safe-csv", "true");
  const url = `/api/v1/data.${format}?${query}`;
  return url.length <= MAX_URL ? url : undefined;
}
