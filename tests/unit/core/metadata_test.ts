import { assertEquals } from "@std/assert";
import {
  checkCollection,
  checkFilter,
  checkKey,
  checkPairs,
  checkPrefix,
  checkValue,
  quote,
} from "../../../src/core/metadata.ts";

Deno.test("collections: 1 to 255 bytes of UTF-8 without NUL", () => {
  for (
    const name of ["a", "pmu/x", "/", "//", " Üñí ", "tab\t", "x".repeat(255), "é".repeat(127)]
  ) {
    assertEquals(checkCollection(name), undefined, name);
  }
  for (const name of ["", "x".repeat(256), "é".repeat(128), "a\0b", "\ud800"]) {
    assertEquals(checkCollection(name)?.code, 407, name);
  }
  assertEquals(checkCollection("a\0b")?.text, 'collection "a\\x00b" is invalid');
  assertEquals(checkFilter(""), undefined);
  assertEquals(checkFilter("\0")?.text, 'collection "\\x00" is invalid');
  assertEquals(checkPrefix(""), undefined);
  assertEquals(checkPrefix("\0"), {
    code: 407,
    text: 'prefix "\\x00" is not a valid collection prefix',
  });
});

Deno.test("keys: lower case, digits, underscore and dot, 1 to 63 bytes", () => {
  for (const key of ["a", "a1", "a_b", "a.b", "z" + "9".repeat(62)]) {
    assertEquals(checkKey(key, "tag"), undefined, key);
  }
  for (const key of ["", "A", "1a", "_a", ".a", "a-b", "a b", "a\n", "é", "k".repeat(64)]) {
    assertEquals(checkKey(key, "tag")?.code, 408, key);
  }
  assertEquals(checkKey("a\n", "tag")?.text, 'tag key "a\\n" is invalid');
  assertEquals(checkKey("A", "annotation")?.text, 'annotation key "A" is invalid');
});

Deno.test("values: tags 1 to 255 bytes without NUL, annotations 0 to 255 bytes", () => {
  assertEquals(checkValue("k", "x".repeat(255), "tag"), undefined);
  assertEquals(checkValue("k", null, "tag"), undefined);
  for (const value of ["", "a\0b", "x".repeat(256), "é".repeat(128)]) {
    assertEquals(checkValue("k", value, "tag"), {
      code: 409,
      text: 'tag value for key "k" is invalid',
    });
  }
  for (const value of ["", "a\0b", "x".repeat(255)]) {
    assertEquals(checkValue("k", value, "annotation"), undefined);
  }
  assertEquals(checkValue("k", "x".repeat(256), "annotation")?.code, 409);
});

Deno.test("the first bad pair counts, its key before its value", () => {
  const pairs = new Map([["good", "x"], ["BAD", ""], ["other", ""]]);
  assertEquals(checkPairs(pairs, "tag")?.text, 'tag key "BAD" is invalid');
  pairs.delete("BAD");
  assertEquals(checkPairs(pairs, "tag")?.text, 'tag value for key "other" is invalid');
  assertEquals(checkPairs(new Map(), "tag"), undefined);
});

Deno.test("texts are quoted as the server's language does", () => {
  assertEquals(quote('a"b\\c'), '"a\\"b\\\\c"');
  assertEquals(quote("\x00\x07\b\f\n\r\t\v\x1f\x7f"), '"\\x00\\a\\b\\f\\n\\r\\t\\v\\x1f\\x7f"');
  assertEquals(quote("é 漢 😀"), '"é 漢 😀"');
  assertEquals(quote("\u00a0\u200b\u{10ffff}"), '"\\u00a0\\u200b\\U0010ffff"');
});
