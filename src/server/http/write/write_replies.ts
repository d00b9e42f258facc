/**
 * Replies of the write API, in the forms of InfluxDB's three APIs.
 *
 * @module
 */

import type { Reply } from "../exchange.ts";
import type { HttpFailure } from "../http_failure.ts";
import { statusHeaders } from "../refusals.ts";
import type { LineOutcome } from "./line_store.ts";
import type { WriteApi } from "./write_target.ts";

/** Version that clients are told: the API is that of 1.8, with the writes of 2 and 3. */
export const INFLUX_HEADERS: Readonly<Record<string, string>> = {
  "x-influxdb-version": "1.8-btrdb",
  "x-influxdb-build": "BTrDB",
};

/** InfluxDB 2's words for statuses. */
const CODES: Readonly<Record<number, string>> = {
  400: "invalid",
  401: "unauthorized",
  403: "forbidden",
  404: "not found",
  405: "method not allowed",
  408: "request timeout",
  413: "request too large",
  415: "unsupported media type",
  503: "unavailable",
};

/**
 * Answers a write: 204 if all lines are stored, else 400, or 403 if some may not be written where
 * they belong. The stored points stay.
 */
export function replyToWrite(reply: Reply, api: WriteApi, outcome: LineOutcome): void {
  const { refused, points, strings, errors, isDenied } = outcome;
  const omitted: Record<string, string> = strings === 0
    ? {}
    : { "x-btrdb-strings-omitted": String(strings) };
  if (refused === 0) {
    reply.begin(204, { ...INFLUX_HEADERS, ...omitted });
    return reply.end();
  }
  const status = isDenied ? 403 : 400;
  if (api === "v3") {
    const data = errors.map(({ line, message }) => ({ line_number: line, error_message: message }));
    const error = points === 0
      ? "parsing failed for write_lp endpoint"
      : "partial write of line protocol occurred";
    return sendJson(reply, status, { error, data, dropped: refused }, omitted);
  }
  const partial = points === 0 ? "" : "partial write: ";
  const texts = errors.map(({ line, message }) => `${message} (line ${line})`).join("\n");
  const message = `${partial}${texts} dropped=${refused}`;
  const body = api === "v1"
    ? { error: message }
    : { code: CODES[status], message, line: errors[0]!.line };
  sendJson(reply, status, body, { ...omitted, ...errorHeader(message) });
}

/** Answers a failure. */
export function replyToFailure(reply: Reply, api: WriteApi, failure: HttpFailure): void {
  const { status, message, code } = failure;
  const text = code === 0 ? message : `${message} (BTrDB code ${code})`;
  const body = api === "v2"
    ? { code: CODES[status] ?? "internal error", message: text }
    : { error: text };
  sendJson(reply, status, body, { ...statusHeaders(status), ...errorHeader(text) });
}

/** Answers with JSON. */
export function sendJson(
  reply: Reply,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  reply.begin(status, { ...INFLUX_HEADERS, "content-type": "application/json", ...headers });
  reply.end(JSON.stringify(body) + "\n");
}

/** The header in which InfluxDB 1 repeats its error: visible ASCII, one line. */
function errorHeader(message: string): Readonly<Record<string, string>> {
  return { "x-influxdb-error": message.slice(0, 500).replace(/[^\x20-\x7e]/g, "?") };
}
