import { assertEquals } from "@std/assert";
import { connect } from "@btrdb/btrdb";
import { explain, importFile } from "@btrdb/btrdb/ingest";

/** Warnings of a plan, and those of the import itself. */
async function warningsOf(text: string, options = {}): Promise<string[]> {
  const bytes = new TextEncoder().encode(text);
  const plan = await explain(bytes, { into: "x", ...options });
  await using db = await connect("memory:");
  const { warnings } = await importFile(db, bytes, { into: "x", ...options });
  assertEquals(plan.warnings, warnings);
  return [...warnings];
}

const DAY = "2026-01-01";

Deno.test("tableWarnings: times of several zones, and times without one", async () => {
  const rows = (...times: string[]) => `time,v\n${times.map((time) => `${time},1.5\n`).join("")}`;
  assertEquals(await warningsOf(rows(`${DAY}T00:00:00Z`, `${DAY}T01:00:01+01:00`)), [
    "Times are of several zones: +01:00, UTC; each is read in its own",
  ]);
  assertEquals(await warningsOf(rows(`${DAY}T00:00:00Z`, `${DAY}T00:00:01Z`)), []);
  assertEquals(await warningsOf(rows(`${DAY}T00:00:00`, `${DAY}T00:00:01`)), []);
  assertEquals(await warningsOf(rows("1767225600", "1767225601")), []);
  // The halves of the day are no zones.
  assertEquals(await warningsOf(rows("03/13/2026 11:59:59 PM", "03/14/2026 12:00:00 AM")), []);
});

Deno.test("tableWarnings: numbers whose mark may be one of thousands", async () => {
  const rows = (...cells: string[]) =>
    `time;v\n${cells.map((cell, i) => `${DAY}T00:00:0${i}Z;${cell}\n`).join("")}`;
  const [warning, ...others] = await warningsOf(rows("1.234", "2.345", "10.500"));
  assertEquals(others, []);
  assertEquals(
    warning,
    "All numbers of v have three digits behind a point, which was taken as the decimal mark: if it " +
      "stands before thousands, say --thousands .",
  );
  assertEquals(await warningsOf(rows("1.234", "2.345", "0.500")), []);
  assertEquals(await warningsOf(rows("1.234", "2.34", "10.500")), []);
  assertEquals(
    await warningsOf(rows("1.234", "2.345", "10.500"), { decimal: ",", thousands: "." }),
    [],
  );
});

Deno.test("tableWarnings: a mark that is the decimal one elsewhere is none of thousands", async () => {
  const rows = (...cells: string[]) =>
    `time;f;v\n${cells.map((cell, i) => `${DAY}T00:00:0${i}Z;59.99${i};${cell}\n`).join("")}`;
  assertEquals((await warningsOf(rows("1", "2", "3"))).length, 1);
  assertEquals(await warningsOf(rows("1", "2.5", "3")), []);
  assertEquals(await warningsOf(rows("1", "2", "0.125")), []);
  // Frequencies of a JSIS-CSV have three decimals often; its seconds show what the point is.
  const jsis = "time,f\n" + [0, 1, 2, 3].map((i) => `${i / 10 + 0.0333},60.00${i}\n`).join("");
  assertEquals(await warningsOf(jsis, { start: 1_767_225_600_000_000_000n }), []);
});

Deno.test("tableWarnings: whole numbers that no double holds", async () => {
  const rows = (...cells: string[]) =>
    `time;v\n${cells.map((cell, i) => `${DAY}T00:00:0${i}Z;${cell}\n`).join("")}`;
  assertEquals(await warningsOf(rows("1", "9007199254740993")), [
    "1 whole number beyond 2^53, in line 3, is no double and rounded to the nearest one",
  ]);
  assertEquals(await warningsOf(rows("-9007199254740993", "2", "123456789012345678901")), [
    "2 whole numbers beyond 2^53, the first in line 2, are no double and rounded to the nearest one",
  ]);
  assertEquals(await warningsOf(rows("9007199254740992", "-9007199254740994", "1e300")), []);
  assertEquals(
    await warningsOf(rows("9.007.199.254.740.993", "1,5"), { decimal: ",", thousands: "." }),
    ["1 whole number beyond 2^53, in line 2, is no double and rounded to the nearest one"],
  );
});
