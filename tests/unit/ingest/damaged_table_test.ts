/** Tables that are damaged where times and values were read all the same: errors, or right numbers. */

import { assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { ImportError, type ImportOptions } from "../../../src/ingest/mod.ts";
import { CsvError, TableParser } from "../../../src/kernel/mod.ts";
import { importedText, valuesOf } from "../../support/imported.ts";

const SECONDS: ImportOptions = { start: 0n, interval: 1_000_000_000n, complete: true };

async function valuesIn(table: string, options: ImportOptions = {}): Promise<number[]> {
  return valuesOf((await importedText(table, { complete: true, ...options })).points);
}

// `--null -999` had no effect: a number was read as one before it was looked up among the words, and
// -999 was stored as a measurement.
Deno.test("importFile: a number can stand for no value, however it is written", async () => {
  const cells = ["-999", "-999.0", "5", "-9.99e2", "-998"];
  const rows = cells.map((cell, i) => `2024-01-0${i + 1},a,${cell}\n`).join("");
  for (const by of [undefined, "s"]) {
    assertEquals(await valuesIn(`time,s,v\n${rows}`, { nulls: ["-999"], by }), [5, -998]);
  }
  const german = { delimiter: ";", decimal: ",", nulls: ["-999,5"] } as const;
  assertEquals(await valuesIn("time;v\n2024-01-01;-999,5\n2024-01-02;1,5\n", german), [1.5]);
});

// An empty line was passed over, and a row that could not be read left out, but not its time: all rows
// behind it were a second early.
Deno.test("importFile: where times are counted by rows, none may be missing", async () => {
  await assertRejects(
    () => importedText("v\n1\n\n3\n", SECONDS),
    CsvError,
    'line 4, column 1 ("v"): the line before is empty, and times are counted by rows',
  );
  const rows = "1\n".repeat(200_000);
  await assertRejects(() => importedText(`v\n${rows}\n${rows}`, SECONDS), CsvError, "line 200003");
  for (const table of ["v\n1\n3\n\n\n", "v\n\n1\n3\n", "v\n1\n#\n3\n"]) {
    assertEquals(await valuesIn(table, { ...SECONDS, comment: "#" }), [1, 3]);
  }
  assertEquals(await valuesIn("time,v\n2024-01-01,1\n\n2024-01-02,3\n"), [1, 3]);
  await assertRejects(
    () => importedText("v,w\n1,1\n2\n3,3\n", { ...SECONDS, badRows: "skip" }),
    ImportError,
    "Cannot use --bad-rows skip without a column of times",
  );
  const times = { first: 0n, step: 1n };
  assertThrows(
    () => new TableParser({ columns: ["value"], times, skipBadRows: true }),
    TypeError,
    "skipBadRows is true, expected false with times",
  );
});

// 2024010112345, which has lost a digit somewhere, was 12:34:05 or any other time.
Deno.test("importFile: numbers of a time that stand beside each other have all of their digits", async () => {
  const read = (timeFormat: string, time: string) =>
    importedText(`time;v\n${time};1\n`, { timeFormat, delimiter: ";", complete: true });
  const cases: [format: string, right: string, wrong: string][] = [
    ["%Y%m%d%H%M%S", "20240101123456", "2024010112345"],
    ["%Y%m%d", "20240112", "2024112"],
    ["%d.%m.%Y %H%M", "1.1.2024 0130", "1.1.2024 130"],
    ["%Y%j", "2024036", "202436"],
    ["%y%m%d%I%M%p", "2401010130PM", "240101130PM"],
    ["%Y%m%d%H%M%S%f", "202401010000005", "2024010100005"],
  ];
  for (const [format, right, wrong] of cases) {
    assertEquals(valuesOf((await read(format, right)).points), [1]);
    const { message } = await assertRejects(() => read(format, wrong), Error);
    assertMatch(message, /is not a time of the form|Cannot tell what/);
  }
});
