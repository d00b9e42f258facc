import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { parseJson } from "../../../src/core/parse_json.ts";
import { Random } from "../../support/random.ts";

/** Keys that JSON writes with the same first characters. */
const ALIKE = ["\\", '"', "\n", "\0", "/", "n", "a\\", "a\n", "a\\n", "\\\\", "\\a", "\\\n"];

// V8's JSON.parse takes a key with escapes for one of an object before, as long and with the same
// first characters where they are written: a file of metadata gave the unit of a column to another.
Deno.test("parseJson: keys with escapes are told from those of objects before", () => {
  for (const before of ALIKE) {
    for (const key of ALIKE) {
      parseJson(JSON.stringify({ x: 0, [before]: 1 }));
      assertEquals(parseJson(JSON.stringify({ x: 0, [key]: 1 })), { x: 0, [key]: 1 });
    }
  }
});

/** A random value whose keys and texts are often written alike. */
function valueOf(random: Random, depth: number): unknown {
  const text = () => ALIKE[random.int(0, ALIKE.length - 1)]!;
  const kind = random.int(0, depth > 3 ? 3 : 5);
  if (kind === 0) return text() + text();
  if (kind === 1) return random.int(-1_000, 1_000) / 8;
  if (kind === 2) return [null, true, false, 0, 1e300, 5e-324, 2 ** 53][random.int(0, 6)];
  if (kind === 3) return `{"${text()}":${text()}}`;
  const values = Array.from({ length: random.int(0, 4) }, () => valueOf(random, depth + 1));
  if (kind === 4) return values;
  return Object.fromEntries(
    values.map((value) => [random.int(0, 5) ? text() : "__proto__", value]),
  );
}

/** Equal only if the keys have one order, too. */
function shape(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([key, of]) => [key, shape(of)]);
  return Array.isArray(value) ? { list: entries } : entries;
}

Deno.test("parseJson: gives back what was written, blanks or not", () => {
  const random = new Random(8);
  for (let round = 0; round < 3_000; round++) {
    const value = valueOf(random, 0);
    const text = JSON.stringify(value, null, round % 3);
    assertEquals(shape(parseJson(text)), shape(value), text);
  }
});

Deno.test("parseJson: of equal keys the last counts, at the place of the first", () => {
  assertEquals(shape(parseJson('{"\\n":1,"b":2,"\\u000a":3,"1":4}')), [
    ["1", 4],
    ["\n", 3],
    ["b", 2],
  ]);
});

Deno.test("parseJson: texts that are no JSON are errors of JSON.parse", () => {
  for (const text of ["", '{"\\n"', '{"\\n":}', '{"\\x":1}', '{"a\\":1}', '"\\":', '{"\\n":1}}']) {
    assertInstanceOf(assertThrows(() => parseJson(text)), SyntaxError, text);
  }
});

Deno.test("parseJson: texts nested without end are values or errors", () => {
  const depth = 100_000;
  const nested = (core: string) => "[".repeat(depth) + core + "]".repeat(depth);
  parseJson(nested('{"a":1}'));
  assertInstanceOf(assertThrows(() => parseJson(nested('{"\\n":1}'))), RangeError);
});
