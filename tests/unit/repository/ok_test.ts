import { assertEquals } from "@std/assert";
import { countTests } from "../../../tools/ok.ts";

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
