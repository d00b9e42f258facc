/**
 * API keys with bytes that no metadata of a call may have. The gRPC library drops such headers, and
 * the call would be one without a key.
 *
 * @module
 */

import type { Http2Server, IncomingHttpHeaders } from "node:http2";

/** Replaces such a key by one that is wrong, before the library sees it. */
export function replaceIllegalKeys(http2: Http2Server): void {
  http2.prependListener("stream", (_stream: unknown, headers: IncomingHttpHeaders) => {
    const { authorization } = headers;
    if (authorization === undefined || /^[\x20-\x7e]*$/.test(authorization)) return;
    headers.authorization = "illegal";
  });
}
