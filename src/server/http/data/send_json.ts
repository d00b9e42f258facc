/**
 * Answers of JSON that are small enough to be held.
 *
 * @module
 */

import type { HttpExchange } from "../routes.ts";

/** Bytes of JSON, with a line end. */
export function jsonBytes(body: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(body) + "\n");
}

/** Answers with JSON. */
export function sendJson(exchange: HttpExchange, body: unknown): void {
  sendJsonBytes(exchange, jsonBytes(body));
}

/** Answers with {@linkcode jsonBytes}. */
export function sendJsonBytes({ request, reply }: HttpExchange, bytes: Uint8Array): void {
  reply.begin(200, {
    "content-type": "application/json",
    "content-length": String(bytes.length),
    "cache-control": "no-cache",
    vary: "authorization, origin",
  });
  if (request.method === "HEAD") reply.end();
  else reply.end(bytes);
}
