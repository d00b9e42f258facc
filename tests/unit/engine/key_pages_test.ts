/** Tables in pages, whole and damaged. */

import { assertEquals, assertThrows } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { keyPages } from "../../../src/engine/file/key_pages.ts";

const ids = (...numbers: number[]) => numbers.map((id) => ({ id }));

Deno.test("keyPages: pages follow one another by numbers and by bytes", () => {
  const all = [1, 2, 3, 7, 9];
  const read = (after: number) => ids(...all.filter((id) => id > after).slice(0, 2));
  assertEquals([...keyPages(read, "id", 0)], [ids(1, 2), ids(3, 7), ids(9)]);
  const keys = [Uint8Array.of(1), Uint8Array.of(1, 0), Uint8Array.of(2)];
  const next = (after: Uint8Array) => {
    const at = keys.findIndex((key) => key.join() === after.join()) + 1;
    return keys.slice(at, at + 1).map((key) => ({ key }));
  };
  assertEquals([...keyPages(next, "key", new Uint8Array())].length, 3);
});

Deno.test("keyPages: pages that do not ascend are CORRUPT", () => {
  // A table whose SQLite page had a bit turned gave its last row again and again: `verify` never ended.
  const read = (after: number) => ids(after < 5 ? 5 : 3);
  const error = assertThrows(
    () => [...keyPages(read, "id", 0)],
    BTrDBError,
    "not in the order of id",
  );
  assertEquals(error.status, "CORRUPT");
  const nothing = () => [{ key: null }];
  assertThrows(
    () => [...keyPages(nothing, "key", new Uint8Array())],
    BTrDBError,
    "the order of key",
  );
});
