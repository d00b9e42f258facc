import { assertStrictEquals, assertThrows } from "@std/assert";
import { BTrDB } from "@btrdb/btrdb";
import { endpointOf } from "../../../src/client/endpoint_of.ts";
import { openEngine } from "../../../src/engine/mod.ts";

Deno.test("endpointOf: a database gives its endpoint to this package, nothing else has one", async () => {
  const engine = await openEngine();
  await using db = new BTrDB(engine);
  assertStrictEquals(endpointOf(db), engine);
  assertThrows(() => endpointOf({}), TypeError, "db is not a BTrDB made by connect");
});
