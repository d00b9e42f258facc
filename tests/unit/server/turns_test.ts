/** The order of turns (docs/security.md). */

import { assertEquals } from "@std/assert";
import { Turns } from "../../../src/server/transport/turns.ts";

/** The order in which values come, each added under the levels that its letters name. */
function order(values: readonly string[]): string {
  const turns = new Turns<string>();
  for (const value of values) turns.add([...value.slice(0, -1)], value);
  const all: string[] = [];
  for (let value; (value = turns.next()) !== undefined;) all.push(value);
  assertEquals(turns.size, 0);
  return all.join(" ");
}

Deno.test("Turns: members of each level take turns, and values of a member come in their order", () => {
  assertEquals(order(["a1", "a2", "a3", "b1", "b2", "c1"]), "a1 b1 c1 a2 b2 a3");
  assertEquals(
    order(["ax1", "ax2", "ax3", "ay1", "az1", "bx1", "bx2", "bx3"]),
    "ax1 bx1 ay1 bx2 az1 bx3 ax2 ax3",
  );
  assertEquals(order([]), "");
});

Deno.test("Turns: whoever comes later waits for one value of each other member, not for all", () => {
  const turns = new Turns<string>();
  const [many, few] = [{}, undefined];
  for (let peer = 0; peer < 40; peer++) turns.add([many, "net", peer], "many");
  assertEquals(turns.next(), "many");
  turns.add([few, "net", 1], "few");
  assertEquals([turns.members, turns.size], [2, 40]);
  assertEquals([turns.next(), turns.next(), turns.next()], ["many", "few", "many"]);
});
