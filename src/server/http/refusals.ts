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
 */
export function refuse(reply: Reply, status: number, message: string, code = 0): void {
  const body = JSON.stringify({ error: { status, code, message } }) + "\n";
  reply.begin(status, {
    "content-type": "application/json",
    ...(status === 401 ? { "www-authenticate": 'Bearer realm="btrdb", Basic realm="btrdb"' } : {}),
  });
  reply.end(body);
}
