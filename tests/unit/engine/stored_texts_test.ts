import { assertEquals } from "@std/assert";
import { compareBytes, concatBytes } from "../../../src/core/bytes.ts";
import { sortKey, toJson } from "../../../src/engine/metadata/stored_texts.ts";

/** Texts that are in another order than their UTF-8, or that JSON escapes, and keys that are numbers. */
const TEXTS = [
  ...["", "a", "ab", "b", "\uffff", "\u{1f600}", "\u{10ffff}", "\ue000", "é", '"', "\\", "\n"],
  ...[
    "0",
    "1",
    "10",
    "2",
    "01",
    "4294967294",
    "4294967295",
    "9999999999",
    "-1",
    "1.5",
    "__proto__",
  ],
];

function metadataOf(texts: readonly string[]): Map<string, string | null> {
  return new Map(texts.map((text, i) => [text, i % 4 === 3 ? null : texts.at(-i)!]));
}

/** Texts of the list, as many and in the order that a number says. */
function* selections(): Generator<string[]> {
  yield [];
  for (let seed = 1; seed < 500; seed++) {
    const n = 1 + seed % 6;
    yield Array.from({ length: n }, (_, i) => TEXTS[(seed * (7 * i + 3) + i) % TEXTS.length]!);
  }
}

Deno.test("sortKey: tags are in the order of their bytes, whatever they are", () => {
  const utf8 = new TextEncoder();
  for (const texts of selections()) {
    const tags = metadataOf(texts);
    const parts = [...tags].map(([key, value]) => utf8.encode(`${key}\0${value ?? ""}\0`));
    const expected = concatBytes([utf8.encode("c\u{1f600}/"), ...parts.sort(compareBytes)]);
    assertEquals(sortKey("c\u{1f600}", tags), expected);
    const plain = concatBytes([utf8.encode("c/"), ...parts]);
    assertEquals(sortKey("c", tags), plain);
  }
});

Deno.test("toJson: metadata are the JSON of their object, whatever they are", () => {
  for (const texts of selections()) {
    const metadata = metadataOf(texts);
    assertEquals(toJson(metadata), JSON.stringify(Object.fromEntries(metadata)));
  }
});
