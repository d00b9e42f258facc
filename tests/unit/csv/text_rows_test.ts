import { assert, assertEquals, assertLess } from "@std/assert";
import { concatBytes } from "../../../src/core/bytes.ts";
import { TextRows } from "../../../src/csv/text_rows.ts";

// A MiB of CSV of several streams became JSON in one step: by URL, everyone else waited for 24 to 88 ms.
Deno.test("TextRows: a long piece comes out in parts of whole rows, the same as row by row", () => {
  const labels = Array.from({ length: 10 }, (_, i) => `stream ${i} – é`);
  const form = { format: "json", kind: "raw", labels, time: "ns", tz: "UTC" } as const;
  const cells = labels.map((_, i) => `${230 + i / 8}`).join(",");
  const row = (i: number) =>
    new TextEncoder().encode(`${i},1970-01-01 00:00:00.000000000,${cells}\n`);
  const rows = Array.from({ length: 10_000 }, (_, i) => row(i));
  const piece = concatBytes(rows);
  const parts = [...new TextRows(form).rows(piece)];
  assert(parts.length >= Math.floor(piece.length / (65_536 + rows[0]!.length)), `${parts.length}`);
  const single = new TextRows(form);
  const each = rows.flatMap((bytes) => [...single.rows(bytes)]);
  assertEquals(each.length, rows.length);
  const ofJson = Math.max(...each.map(({ length }) => length)) / rows[0]!.length;
  for (const part of parts) assertLess(part.length, 1.1 * ofJson * (65_536 + 200));
  assertEquals(concatBytes(parts), concatBytes(each));
  assertEquals([...new TextRows(form).rows(new Uint8Array(0))], []);
});
