/** The limit on messages about a source. */

import { assertEquals } from "@std/assert";
import { MessageLimit } from "../../../../src/ingest/c37118/message_limit.ts";

// A device with ever new configurations and channels without a scale gave 50 lines a second, without an
// end, to a log that nobody had bounded.
Deno.test("MessageLimit: five hundred messages a minute, and the number of the others", () => {
  const said: string[] = [];
  const limit = new MessageLimit((text) => said.push(text));
  for (let i = 0; i < 650; i++) limit.say("a", `new configuration ${i}`, 1000 + i);
  assertEquals(said.length, 500);
  assertEquals(said.at(-1), "a: new configuration 499");
  limit.say("a", "connected", 61_000);
  assertEquals(said.slice(500), ["a: 150 more messages were left out", "a: connected"]);
  limit.say("a", "closed", 130_000);
  assertEquals(said.slice(502), ["a: closed"]);
});
