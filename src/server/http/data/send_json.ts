/**
 * Answers of JSON that are small enough to be held.
 *
 * @module
 */

import type { HttpExchange } from "../routes.ts";

/** Answers with JSON. */
export function sendJson({ request, reply }: HttpExchange, body: unknown): void {
  const bytes = new TextEncoder().encode(JSON.stringify(body) + "\n");
  reply.begin(200, {
    "content-type": "application/json",
    "content-length": String(bytes.length),
    "cache-control": "no-cache",
    vary: "authorization, origin",
  });
  if (request.method === "HEAD") reply.end();
  else reply.end(bytes);
}
