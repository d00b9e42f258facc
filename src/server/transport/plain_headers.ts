/**
 * Request headers that no gRPC metadata may carry. The library would print them and go on as if they
 * were not there: a key with such bytes would be printed, and its caller pass for one without a key.
 * Of two keys HTTP/2 would drop the second one, by which a proxy may have gone.
 *
 * @module
 */

import type { Http2Server, IncomingHttpHeaders } from "node:http2";

const NAME = /^[0-9a-z_.-]+$/;
/** Names of nearly all requests. */
const USUAL_NAMES: ReadonlySet<string> = new Set([
  "accept-encoding",
  "authorization",
  "content-type",
  "grpc-accept-encoding",
  "grpc-timeout",
  "te",
  "user-agent",
]);
const VALUE = /^[\x20-\x7e]*$/;

/** Fields that mean something if they are not there: no key, no deadline. */
const MEANT: ReadonlySet<string> = new Set(["authorization", "grpc-timeout"]);

/** Stands in for them; no key and no deadline is like it. */
const INVALID = "invalid";

/** Takes such headers off requests before the library sees them. */
export function dropUnplainHeaders(http2: Http2Server): void {
  const drop = (
    _stream: unknown,
    headers: IncomingHttpHeaders,
    _flags: number,
    rawHeaders: readonly string[],
  ) => {
    for (const name of Object.keys(headers)) {
      // The method, path and host of a request are no metadata: every request has to have them.
      if (name.startsWith(":")) continue;
      const value = headers[name] ?? "";
      const isPlain = (USUAL_NAMES.has(name) || NAME.test(name)) &&
        (typeof value === "string" ? VALUE.test(value) : value.every((text) => VALUE.test(text)));
      if (isPlain) continue;
      if (MEANT.has(name)) headers[name] = INVALID;
      else delete headers[name];
    }
    if (hasTwoKeys(rawHeaders)) headers.authorization = INVALID;
  };
  http2.prependListener("stream", drop);
}

/** Tells whether names and values, one after the other, have more than one key. */
function hasTwoKeys(rawHeaders: readonly string[]): boolean {
  let keys = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i] === "authorization") keys++;
  return keys > 1;
}
