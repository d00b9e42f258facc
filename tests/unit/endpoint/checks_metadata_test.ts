import { assertEquals, assertThrows } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { checkCreate, checkListCollections, quote } from "../../../src/endpoint/checks_metadata.ts";
import type { Metadata } from "../../../src/endpoint/endpoint.ts";

interface Names {
  collection?: string;
  tags?: Metadata;
  annotations?: Metadata;
}

/** Creates a stream with these names: `407 text`, or "fine". */
function outcome({ collection = "c", tags = new Map(), annotations = new Map() }: Names): string {
  const check = () => checkCreate({ uuid: new Uint8Array(16), collection, tags, annotations });
  try {
    check();
    return "fine";
  } catch {
    const { code, message } = assertThrows(check, BTrDBError);
    return `${code} ${message}`;
  }
}

Deno.test("checkCreate: collections have 1 to 255 bytes of UTF-8 without NUL", () => {
  for (
    const name of ["a", "pmu/x", "/", "//", " Üñí ", "tab\t", "x".repeat(255), "é".repeat(127)]
  ) {
    assertEquals(outcome({ collection: name }), "fine", name);
  }
  for (const name of ["", "x".repeat(256), "é".repeat(128), "a\0b", "\ud800"]) {
    assertEquals(outcome({ collection: name }).slice(0, 3), "407", name);
  }
  assertEquals(outcome({ collection: "a\0b" }), '407 collection "a\\x00b" is invalid');
});

Deno.test("checkListCollections: a prefix is empty or could begin a collection", () => {
  checkListCollections({ prefix: "" });
  const error = assertThrows(() => checkListCollections({ prefix: "\0" }), BTrDBError);
  const text = 'prefix "\\x00" is not a valid collection prefix';
  assertEquals([error.code, error.message], [407, text]);
});

Deno.test("checkCreate: keys have 1 to 63 of lower case, digits, underscore and dot", () => {
  for (const key of ["a", "a1", "a_b", "a.b", "z" + "9".repeat(62)]) {
    assertEquals(outcome({ tags: new Map([[key, "x"]]) }), "fine", key);
  }
  for (const key of ["", "A", "1a", "_a", ".a", "a-b", "a b", "a\n", "é", "k".repeat(64)]) {
    assertEquals(outcome({ tags: new Map([[key, "x"]]) }).slice(0, 3), "408", key);
  }
  assertEquals(outcome({ tags: new Map([["a\n", "x"]]) }), '408 tag key "a\\n" is invalid');
  const annotations = new Map([["A", "x"]]);
  assertEquals(outcome({ annotations }), '408 annotation key "A" is invalid');
});

Deno.test("checkCreate: tag values have 1 to 255 bytes without NUL, annotations 0 to 255 bytes", () => {
  for (const value of ["x".repeat(255), null]) {
    assertEquals(outcome({ tags: new Map([["k", value]]) }), "fine");
  }
  for (const value of ["", "a\0b", "x".repeat(256), "é".repeat(128), "\udfff"]) {
    const text = '409 tag value for key "k" is invalid';
    assertEquals(outcome({ tags: new Map([["k", value]]) }), text, value);
  }
  for (const value of ["", "a\0b", "x".repeat(255)]) {
    assertEquals(outcome({ annotations: new Map([["k", value]]) }), "fine");
  }
  for (const value of ["x".repeat(256), "\ud800"]) {
    const text = '409 annotation value for key "k" is invalid';
    assertEquals(outcome({ annotations: new Map([["k", value]]) }), text, value);
  }
});

Deno.test("checkCreate: the first bad pair counts, its key before its value", () => {
  const tags = new Map([["good", "x"], ["BAD", ""], ["other", ""]]);
  assertEquals(outcome({ tags }), '408 tag key "BAD" is invalid');
  tags.delete("BAD");
  assertEquals(outcome({ tags }), '409 tag value for key "other" is invalid');
});

Deno.test("quote: texts are quoted as the server's language does", () => {
  assertEquals(quote('a"b\\c'), '"a\\"b\\\\c"');
  assertEquals(
    quote("\x00\x07\b\f\n\r\t\v\x1f\x7f"),
    '"\\x00\\a\\b\\f\\n\\r\\t\\v\\x1f\\x7f"',
  );
  assertEquals(quote("é 漢 😀"), '"é 漢 😀"');
  assertEquals(quote("\u00a0\u200b\u{10ffff}"), '"\\u00a0\\u200b\\U0010ffff"');
});

Deno.test("quote: texts of any length are cut, in time that does not grow with them", () => {
  // A collection of 60 MB used to hold a server up for half a minute, for the text of its error.
  const text = quote("x".repeat(100_000_000));
  assertEquals(text, `"${"x".repeat(1_000)}…"`);
  assertEquals(quote(`${"x".repeat(999)}😀`), `"${"x".repeat(999)}…"`);
  assertEquals(quote("x".repeat(1_000)), `"${"x".repeat(1_000)}"`);
});
