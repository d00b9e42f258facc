import { assert, assertEquals, assertThrows } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { verdictOf } from "../../../src/cli/errors.ts";
import { ARGUMENT_ERROR_CODE, invalidType, outOfRange } from "../../../src/core/argument_error.ts";

Deno.test("invalidType, outOfRange: plain errors of their class with a code, at the caller's line", () => {
  const [type, range] = [invalidType("a"), outOfRange("b", { cause: 1 })];
  assertEquals([type.name, range.name, range.cause], ["TypeError", "RangeError", 1]);
  assert(type instanceof TypeError && range instanceof RangeError);
  for (const error of [type, range]) {
    assertEquals((error as unknown as { code: string }).code, ARGUMENT_ERROR_CODE);
    assert(error.stack!.split("\n")[1]!.includes("argument_error_test.ts"), error.stack);
  }
});

// V8's own "Cannot read properties of undefined" was taken for an argument check by its first word.
Deno.test("verdictOf: argument checks are usage errors, a mistake in the program is none", async () => {
  await using db = await connect("memory:");
  const stream = db.streamFromUUID(crypto.randomUUID());
  const check = assertThrows(() => stream.rawValues(2n, 1n), RangeError);
  assertEquals(verdictOf(check).exit, 2);
  const bug = assertThrows(() => (undefined as unknown as { x: number }).x, TypeError);
  const { exit, hint } = verdictOf(bug);
  assertEquals([exit, hint], [1, "add --debug to see where this came from"]);
});
