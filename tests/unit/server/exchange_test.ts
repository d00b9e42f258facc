/** Requests and replies of HTTP. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { assertEquals, assertThrows } from "@std/assert";
import { Reply } from "../../../src/server/http/exchange.ts";
import { refuse } from "../../../src/server/http/refusals.ts";

type Outgoing = ConstructorParameters<typeof Reply>[0];

/** Answers with a head that cannot be sent, and then with an error. */
function answer(outgoing: Outgoing): void {
  const reply = new Reply(outgoing, {});
  assertThrows(() => reply.begin(200, { note: "a\nb" }));
  assertEquals(reply.hasBegun, false);
  refuse(reply, 500, "internal error");
}

// It counted as begun, so that the connection broke off instead.
Deno.test("Reply: of a head that cannot be sent nothing is, and an error can still be", async () => {
  const server = createServer((_, outgoing) => answer(outgoing));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const { status, headers } = await fetch(`http://127.0.0.1:${port}`).then(async (response) => {
    await response.text();
    return response;
  });
  assertEquals([status, headers.get("note")], [500, null]);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
