/**
 * Replies that refuse a request, as JSON.
 *
 * @module
 */

import type { Reply } from "./exchange.ts";

/**
 * Refuses a request.
 *
 * @param status HTTP status.
 * @param message Why, for people.
 * @param code BTrDB's code, where there is one.
 * @param headers Further header fields.
 */
export function refuse(
  reply: Reply,
  status: number,
  message: string,
  code = 0,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = new TextEncoder().encode(
    JSON.stringify({ error: { status, code, message } }) + "\n",
  );
  reply.begin(status, {
    "content-type": "application/json",
    "content-length": String(body.length),
    ...statusHeaders(status),
    ...headers,
  });
  reply.end(body);
}

/** Header fields that belong to a status: how to log in, when to come again. */
export function statusHeaders(status: number): Readonly<Record<string, string>> {
  if (status === 401) return { "www-authenticate": 'Bearer realm="btrdb", Basic realm="btrdb"' };
  return status === 503 ? { "retry-after": "1" } : {};
}
