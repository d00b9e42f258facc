import { assertEquals, assertThrows } from "@std/assert";
import { checkParts } from "../../../src/engine/file/checksum.ts";
import { descriptorOf } from "../../../src/engine/file/stream_row.ts";
import { uuidOf } from "../../support/engine.ts";
import { Random } from "../../support/random.ts";

/** A row whose checksum fits, whatever its tags are. */
function rowOf(tags: string): Record<string, string | number | Uint8Array> {
  const uuid = uuidOf(1);
  const checksum = checkParts(uuid, ["c", tags, "{}", 1].join("\0"));
  return { uuid, collection: "c", tags, annotations: "{}", property_version: 1, checksum };
}

function tagsOf(tags: string): Map<string, string | null> {
  return new Map(descriptorOf(rowOf(tags)).tags);
}

const PIECES = ["", "a", '"', ":", '":', '","', "{", "}", "null", "\\", "\n", "\0", "ä", "7", " "];

Deno.test("descriptorOf: tags are those that were written, with escapes and without", () => {
  const random = new Random(5);
  const text = () =>
    Array.from({ length: random.int(0, 4) }, () => PIECES[random.int(0, PIECES.length - 1)]).join(
      "",
    );
  for (let round = 0; round < 5_000; round++) {
    const tags = Array.from(
      { length: random.int(0, 4) },
      () => [text(), random.int(0, 3) === 0 ? null : text()] as const,
    );
    const written = Object.fromEntries(tags);
    assertEquals([...tagsOf(JSON.stringify(written))], Object.entries(written));
  }
});

// JSON.parse remembers the keys of objects, and took the escape of a quote for the key of a backslash.
Deno.test("descriptorOf: keys of one character are told apart", () => {
  for (const key of ["\\", '"', "\n", "\0", "n"]) {
    assertEquals([...tagsOf(JSON.stringify({ a: "b", [key]: "c" }))], [["a", "b"], [key, "c"]]);
  }
});

Deno.test("descriptorOf: forged texts are CORRUPT, or what JSON.parse makes of them", () => {
  const random = new Random(6);
  const symbols = [
    "{",
    "}",
    '"',
    '"',
    ":",
    ",",
    "a",
    "null",
    "[",
    "\\",
    "\x01",
    "\\u0061",
    '{"a":"b"}',
  ];
  for (let round = 0; round < 20_000; round++) {
    const forged = round % 2 === 0 ? "" : '{"a":';
    const text = forged + Array.from(
      { length: random.int(0, 8) },
      () => symbols[random.int(0, symbols.length - 1)],
    ).join("");
    let expected: unknown;
    try {
      expected = JSON.parse(text);
    } catch {
      // It is no JSON.
    }
    const values = typeof expected === "object" && expected !== null && !Array.isArray(expected)
      ? Object.entries(expected)
      : [["", 1]];
    if (values.some(([, value]) => typeof value !== "string" && value !== null)) {
      assertThrows(() => tagsOf(text), Error, "damaged", text);
    } else assertEquals([...tagsOf(text)], values, text);
  }
});

// It entered every short value in a table of the process, whose growth took 10 ms at once.
Deno.test("descriptorOf: texts without escapes are not parsed as JSON", () => {
  const { parse } = JSON;
  JSON.parse = () => {
    throw new Error("not expected");
  };
  try {
    const expected: [string, string | null][] = [["name", "L1"], ["unit", null], ["phase", "A, B"]];
    assertEquals([...tagsOf('{"name":"L1","unit":null,"phase":"A, B"}')], expected);
  } finally {
    JSON.parse = parse;
  }
});
