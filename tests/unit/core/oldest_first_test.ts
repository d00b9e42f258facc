import { assertEquals } from "@std/assert";
import { OldestFirst } from "../../../src/core/oldest_first.ts";
import { Random } from "../../support/random.ts";

Deno.test("OldestFirst: entries come in the order of the map, whatever is added, moved and taken out", () => {
  const random = new Random(7);
  const map = new Map<number, number>();
  const oldest = new OldestFirst(map);
  for (let i = 0; i < 20_000; i++) {
    const key = random.int(0, 50);
    const what = random.int(0, 9);
    if (what < 4) {
      map.delete(key);
      map.set(key, i);
      oldest.added();
    } else if (what < 5) map.delete(key);
    else if (what < 6 && random.int(0, 99) === 0) map.clear();
    else {
      const expected = map.entries().next().value;
      assertEquals(oldest.next(), expected);
      if (expected !== undefined) map.delete(expected[0]);
    }
  }
});
