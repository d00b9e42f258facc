import { assert, assertEquals } from "@std/assert";
import { compareBytes, concatBytes } from "../../../src/core/bytes.ts";
import { FoundBytes, FoundRows } from "../../../src/engine/metadata/found_rows.ts";
import { Random } from "../../support/random.ts";

const UTF8 = new TextEncoder();

function pagesOf(found: FoundRows, pageRows: number): number[][] {
  return [...found.pages(pageRows)].filter((page) => page !== undefined);
}

Deno.test("FoundRows: the order is that of the bytes of collection, slash and uuid", () => {
  const random = new Random(13);
  const names = ["", "a", "a/b", "a b", "ä", "a/" + "ä".repeat(40), "\u{1f50c}", "\uffee"];
  // The last one has more bytes than a block.
  for (const [collections, n] of [[names, 3_000], [[...names, "z".repeat(70_000)], 300]] as const) {
    const found = new FoundRows(new FoundBytes());
    const rows = Array.from({ length: n }, (_, i) => {
      const collection = collections[random.int(0, collections.length - 1)]!;
      const uuid = Uint8Array.from({ length: 16 }, (_, k) => k < 14 ? 7 : random.int(0, 255));
      const key = concatBytes([new TextEncoder().encode(`${collection}/`), uuid]);
      const id = i % 2 === 0 ? i : 2 ** 52 + i;
      found.add(id, collection, uuid);
      return { id, key };
    });
    assertEquals(found.size, n);
    rows.sort((a, b) => compareBytes(a.key, b.key));
    const pages = pagesOf(found, 256);
    assertEquals(pages.flat(), rows.map(({ id }) => id));
    assertEquals(pages.map(({ length }) => length).slice(-2), [256, n % 256]);
  }
});

Deno.test("FoundRows: a row that was found twice comes once, and none make no page", () => {
  const found = new FoundRows(new FoundBytes());
  assertEquals(pagesOf(found, 2), []);
  for (const id of [3, 1, 2, 3, 1]) found.add(id, "c", new Uint8Array(16).fill(id));
  assertEquals(pagesOf(found, 2), [[1, 2], [3]]);
});

Deno.test("FoundRows: sorting many rows has steps", () => {
  const found = new FoundRows(new FoundBytes());
  for (let i = 0; i < 20_000; i++) found.add(i, "c", new Uint8Array(16).fill(i * 7));
  let steps = 0;
  for (const page of found.pages(Infinity)) if (page === undefined) steps++;
  assert(steps >= 40, `${steps}`);
});

// 190 lookups whose answers nobody read held the keys of all their streams, whatever number they had.
Deno.test("FoundRows: rows that there is no room for are left out, and found in the next pass", () => {
  const random = new Random(14);
  const all = new FoundBytes(20_000, 2_000);
  const rows = Array.from({ length: 1_000 }, (_, id) => {
    const collection = `c/${random.int(0, 9)}`;
    const uuid = Uint8Array.from({ length: 16 }, () => random.int(0, 255));
    return { id, collection, uuid, key: concatBytes([UTF8.encode(`${collection}/`), uuid]) };
  });
  const others = Array.from({ length: 4 }, (_, i) => {
    const other = new FoundRows(all);
    for (let id = 0; other.hasRoom; id++) other.add(id, "other", new Uint8Array(16).fill(i));
    return other;
  });
  const ids: number[] = [];
  let passes = 0, most = 0;
  for (let after: Uint8Array | undefined, isFirst = true; isFirst || after; isFirst = false) {
    passes++;
    const before = all.held;
    const found = new FoundRows(all, after);
    for (const { id, collection, uuid } of [...rows, ...rows.slice(0, 10)]) {
      found.add(id, collection, uuid);
      most = Math.max(most, all.held - before);
      while (!found.hasRoom) for (const _ of found.cut()) assert(_ === undefined);
    }
    ids.push(...pagesOf(found, 7).flat());
    after = found.lastBeforeCut;
    found.end();
    assertEquals(all.held, before);
  }
  rows.sort((a, b) => compareBytes(a.key, b.key));
  assertEquals(ids, rows.map(({ id }) => id));
  assert(passes > 10 && passes < 60, `${passes} passes`);
  assert(most < 4_000, `${most} bytes held`);
  for (const other of others) other.end();
  assertEquals(all.held, 0);
});
