import { assertEquals } from "@std/assert";
import { describe } from "../../../src/core/describe.ts";

Deno.test("describe: texts are quoted and cut, objects are called after their class", () => {
  const cases: [unknown, string][] = [
    ["a\n", '"a\\n"'],
    ["x".repeat(99), `"${"x".repeat(40)}"`],
    [5n, "5"],
    [-0.5, "-0.5"],
    [null, "null"],
    [undefined, "undefined"],
    [() => 1, "a function"],
    [{}, "an object"],
    [Object.create(null), "an object"],
    [[], "an Array"],
    [new Float32Array(1), "a Float32Array"],
  ];
  for (const [value, text] of cases) assertEquals(describe(value), text);
});
