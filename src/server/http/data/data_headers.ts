/**
 * Header fields of answers with data.
 *
 * @module
 */

import { type DataAnswer, type DataFormat, isImmutable, nameOf, pinnedUrl } from "./data_answer.ts";

const TYPES: Readonly<Record<DataFormat, string>> = {
  csv: "text/csv; charset=utf-8; header=present",
  parquet: "application/vnd.apache.parquet",
  arrow: "application/vnd.apache.arrow.stream",
  ndjson: "application/x-ndjson",
  json: "application/json",
};

/** Most streams whose versions are told. */
const MAX_VERSIONS = 100;

/** Name of the content of an answer: a strong one where the bytes are always the same. */
export function etagOf(answer: DataAnswer): string {
  return `${answer.format === "parquet" ? "" : "W/"}"${nameOf(answer)}"`;
}

/**
 * Header fields of an answer.
 *
 * @param isKeyed True if callers show keys: then no cache may share the answer.
 */
export function dataHeaders(answer: DataAnswer, isKeyed: boolean): Record<string, string> {
  const { format, versions, request } = answer;
  const scope = isKeyed ? "private" : "public";
  const headers: Record<string, string> = {
    "content-type": TYPES[format],
    etag: etagOf(answer),
    vary: "authorization, origin",
    "cache-control": isImmutable(answer)
      ? `${scope}, max-age=31536000, immutable`
      : `${scope}, no-cache`,
    "accept-ranges": format === "parquet" ? "bytes" : "none",
  };
  if (versions.length <= MAX_VERSIONS) {
    headers["btrdb-versions"] = versions.map(({ major, minor }) => `${major}.${minor}`).join(", ");
  }
  const pinned = pinnedUrl(answer);
  if (pinned !== undefined) headers["content-location"] = pinned;
  if (request.notes.length > 0) headers["btrdb-note"] = request.notes.join("; ");
  return headers;
}
