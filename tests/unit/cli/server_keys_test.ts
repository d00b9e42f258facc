import { assertEquals, assertThrows } from "@std/assert";
import { serverKey, serverKeys } from "../../../src/cli/words/server_keys.ts";

const ALL = ["read", "insert", "delete", "obliterate", "admin"] as const;

Deno.test("serverKey: a key in base64 keeps its padding, with and without capabilities", () => {
  assertEquals(serverKey("abc"), { key: "abc", capabilities: [...ALL] });
  assertEquals(serverKey("abc=read"), { key: "abc", capabilities: ["read"] });
  assertEquals(serverKey("abcd+/0="), { key: "abcd+/0=", capabilities: [...ALL] });
  assertEquals(serverKey("abcdef=="), { key: "abcdef==", capabilities: [...ALL] });
  assertEquals(serverKey("abcdef===read,insert"), {
    key: "abcdef==",
    capabilities: ["read", "insert"],
  });
});

Deno.test("serverKey: what is wrong is refused without a word of the key", () => {
  for (
    const text of ["", "=read", "secret=", "secret=raed", "secret==x", "secret=read,", "se=cret=x"]
  ) {
    const error = assertThrows(() => serverKey(text)) as Error;
    assertEquals(error.message.includes("cret"), false, error.message);
  }
});

Deno.test("serverKeys: reads keys with capabilities and prefixes, and refuses the rest", () => {
  const text =
    '[{"key":"s3cret=="},{"key":"b","capabilities":["read"],"collectionPrefixes":["a/"]}]';
  assertEquals(serverKeys(text, "keys.json"), [
    { key: "s3cret==", capabilities: [...ALL], collectionPrefixes: undefined },
    { key: "b", capabilities: ["read"], collectionPrefixes: ["a/"] },
  ]);
  for (
    const wrong of [
      "s3cret",
      "[]",
      '{"key":"s3cret"}',
      '["s3cret"]',
      '[{"key":"s3cret x"}]',
      '[{"key":"s3cret\\u0007"}]',
      '[{"key":"s3cret","capabilities":["raed"]}]',
      '[{"key":"s3cret","capability":["read"]}]',
      '[{"key":"s3cret","collectionPrefixes":"a/"}]',
    ]
  ) {
    const error = assertThrows(() => serverKeys(wrong, "keys.json")) as Error;
    assertEquals(error.message.includes("s3cret"), false, error.message);
  }
});

// Files that an editor had begun with a byte order mark were "not JSON".
Deno.test("serverKeys: a byte order mark is no part of the JSON", () => {
  assertEquals(serverKeys('\ufeff[{"key":"a"}]', "keys.json").map(({ key }) => key), ["a"]);
});
