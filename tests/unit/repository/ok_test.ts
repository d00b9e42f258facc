import { assert, assertEquals, assertThrows } from "@std/assert";
import { chooseSteps, countTests } from "../../../tools/ok.ts";

Deno.test("ok: summaries of several runs are added up", () => {
  const text = "ok | 6 passed | 0 failed (172ms)\nFAILED | 12 passed (3 steps) | 2 failed (1s)\n";
  assertEquals(countTests(text, false), { passed: 18, failed: 2 });
});

Deno.test("ok: a failure without a summary counts", () => {
  assertEquals(countTests("error: Type checking failed.", false), { passed: 0, failed: 1 });
  assertEquals(countTests("ok | 6 passed | 0 failed", false), { passed: 6, failed: 1 });
});

Deno.test("ok: a test step that ran nothing is a failure", () => {
  const nothing = "ok | 0 passed | 0 failed | 3 ignored";
  assertEquals(countTests(nothing, true), { passed: 0, failed: 1 });
  assertEquals(countTests(nothing, true, true), { passed: 0, failed: 0 });
  assertEquals(countTests(nothing, false, true), { passed: 0, failed: 1 });
});

Deno.test("ok: all steps, only some, all but some", () => {
  const tasks = (...words: string[]) => chooseSteps(words).map(({ task }) => task);
  assertEquals(tasks("lint", "test"), ["check:lint", "test"]);
  assert(tasks().includes("test"));
  assertEquals(tasks("-test"), tasks().filter((task) => task !== "test"));
  assertThrows(() => tasks("lint", "-test"), RangeError, "Cannot run lint, -test: the steps are");
});
