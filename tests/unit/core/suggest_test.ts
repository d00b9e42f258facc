import { assert, assertEquals } from "@std/assert";
import { nearest } from "../../../src/core/suggest.ts";
import { cpuMs } from "../../support/cpu_ms.ts";

Deno.test("nearest: names that contain the text, and names a few edits away", () => {
  const names = ["start", "end", "stream", "pointwidth"];
  assertEquals(nearest("strat", names), ["start", "stream"]);
  assertEquals(nearest("point", names), ["pointwidth"]);
  assertEquals(nearest("points", names), []);
});

// The name of a parameter of 15 KB was compared with each known one letter by letter: a twentieth of a
// second in which the server did nothing else.
Deno.test("nearest: names of quite another length are not compared", () => {
  const names = Array.from({ length: 100 }, (_, i) => `pointwidth${i}`);
  assert(cpuMs(() => assertEquals(nearest("a".repeat(200_000), names), [])) < 1_000);
});
