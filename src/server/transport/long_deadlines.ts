/**
 * Deadlines that no timer reaches, and texts that are no deadlines. The gRPC library counts the ms of
 * `grpc-timeout` in 32 bits: a call with a deadline of 25 days or more would be over before it began.
 * Such a deadline is as good as none.
 *
 * @module
 */

import type { Http2Server, IncomingHttpHeaders } from "node:http2";
import { MAX_TIMER_MS } from "../../core/call.ts";
import { parseGrpcTimeout } from "../../core/grpc_timeout.ts";

const HEADER = "grpc-timeout";

/** Tells whether a `grpc-timeout` is longer than any timer. */
export function isLong(timeout: string): boolean {
  return (parseGrpcTimeout(timeout) ?? 0) > MAX_TIMER_MS;
}

/** Header under which the server keeps a `grpc-timeout` that is none. */
export const MALFORMED_TIMEOUT = "btrdb-malformed-timeout";

/**
 * Takes long deadlines off requests before the library sees them, and texts that are no deadlines by
 * the specification ("gRPC over HTTP/2", Requests), of which the library reads a part. Those are
 * refused with the call.
 */
export function dropLongDeadlines(http2: Http2Server): void {
  http2.prependListener("stream", (_stream: unknown, headers: IncomingHttpHeaders) => {
    delete headers[MALFORMED_TIMEOUT];
    const timeout = headers[HEADER];
    if (timeout === undefined) return;
    const ms = typeof timeout === "string" ? parseGrpcTimeout(timeout) : undefined;
    if (ms === undefined) headers[MALFORMED_TIMEOUT] = String(timeout).slice(0, 100);
    if (ms === undefined || isLong(String(timeout))) delete headers[HEADER];
  });
}
