/** Keys of requests that name more than one (docs/security.md). */

import { EventEmitter } from "node:events";
import type { Http2Server } from "node:http2";
import { assertEquals } from "@std/assert";
import { dropUnplainHeaders } from "../../../src/server/transport/plain_headers.ts";

/** The key that is left of fields, in the form in which HTTP/2 hands them on. */
function keyOf(rawHeaders: readonly string[]): string | undefined {
  const http2 = new EventEmitter();
  dropUnplainHeaders(http2 as Http2Server);
  const headers: Record<string, string> = {};
  for (let i = 0; i < rawHeaders.length; i += 2) headers[rawHeaders[i]!] ??= rawHeaders[i + 1]!;
  http2.emit("stream", {}, headers, 0, rawHeaders);
  return headers["authorization"];
}

// Of two keys the second one was dropped, while a proxy in front may have gone by it. The HTTP port
// refused such requests, the gRPC port did not.
Deno.test("dropUnplainHeaders: of two keys none counts, not even if they are the same", () => {
  const [a, b] = [["authorization", "Bearer a"], ["authorization", "Bearer b"]];
  assertEquals(keyOf([":path", "/", ...a!]), "Bearer a");
  assertEquals(keyOf([":path", "/", "x", "authorization"]), undefined);
  for (const both of [[...a!, ...b!], [...b!, "x", "y", ...a!], [...a!, ...a!]]) {
    assertEquals(keyOf([":path", "/", ...both]), "invalid");
  }
});
