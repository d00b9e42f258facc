/** Work that one step of a writer of CSV does. */

import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import type { StatColumns } from "../../../src/core/columns.ts";
import { CsvWriter } from "../../../src/kernel/csv_writer.ts";

/** Windows of every stream, one a second. */
function windows(n: number, value: number): StatColumns {
  return {
    times: BigInt64Array.from({ length: n }, (_, i) => BigInt(i) * 1_000_000_000n),
    min: new Float64Array(n).fill(value),
    mean: new Float64Array(n).fill(value),
    max: new Float64Array(n).fill(value),
    count: new BigUint64Array(n).fill(1n),
  };
}

// The room for a row of 10,000 windows with the longest numbers there are was enough for ten rows of
// ordinary ones. They were made in one step, for 10 to 16 ms, in pieces of 3 MB. Copying the points in took
// 13 to 18 ms, and was one step with the first row.
Deno.test("CsvWriter.next: of 10,000 streams it makes a few rows, and copies points in steps before", () => {
  const [streams, n] = [10_000, 12];
  const writer = new CsvWriter({ kind: "windows", streams, numbers: "fixed6", timeDigits: 0 });
  for (let s = 0; s < streams; s++) {
    writer.push(s, windows(n, s % 10));
    writer.close(s);
  }
  const rows: string[] = [];
  const made: number[] = [];
  assertEquals([...writer.prepare()].length, Math.ceil(streams / 512));
  for (let piece = writer.next(); piece !== undefined; piece = writer.next()) {
    const lines = new TextDecoder().decode(piece).split("\n").slice(0, -1);
    rows.push(...lines);
    made.push(lines.length);
  }
  for (const count of made) assertLessOrEqual(count, 3);
  assert(made.includes(2), `steps of ${made} rows`);
  const cells = Array.from({ length: streams }, (_, s) => {
    const value = `${s % 10}.000000`;
    return `,${value},${value},${value},1`;
  }).join("");
  assertEquals(rows.length, n);
  for (const [i, row] of rows.entries()) {
    const time = new Date(i * 1_000).toISOString().replace(".000", "");
    assert(row === `${i}${i === 0 ? "" : "000000000"},${time}${cells}`, `row ${i} is another`);
  }
});

Deno.test("CsvWriter.next: of few streams it makes a MiB", () => {
  const n = 200_000;
  const writer = new CsvWriter({ kind: "windows", streams: 1, numbers: "fixed6", timeDigits: 0 });
  writer.push(0, windows(n, 1));
  writer.close(0);
  const first = writer.next()!;
  assertLessOrEqual(1_000_000, first.length);
  assertLessOrEqual(first.length, 1 << 20);
});
