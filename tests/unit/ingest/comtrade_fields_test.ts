/** Fields of configurations of COMTRADE that look like others: they are errors, never other numbers. */

import { assertEquals, assertRejects } from "@std/assert";
import { openComtrade } from "../../../src/ingest/comtrade/mod.ts";
import { ImportError } from "../../../src/ingest/mod.ts";
import { type MadeRecord, makeComtrade } from "../../support/comtrade.ts";

/** Values of the first channel. */
async function valuesOf(made: MadeRecord): Promise<number[]> {
  await using record = await openComtrade(makeComtrade({ samples: [[10, 20]], ...made }), {});
  const values: number[] = [];
  for await (const { columns } of record.batches()) values.push(...columns[0]!.values);
  return values;
}

async function assertRefused(made: MadeRecord, problem: string): Promise<void> {
  await assertRejects(() => valuesOf(made), ImportError, problem);
}

Deno.test("openComtrade: decimal commas in a channel are errors, not the fields beside them", async () => {
  // `0,5` as the factor was factor 0 and offset 5: every value of the channel was 5.
  const first = "1,VA,A,,kV,";
  const refused: [line: string, problem: string][] = [
    ["0,5,0,0,-2048,2047", "11 fields, expected 10 or 13"],
    ["0,5,0,0,0,-2048,2047", "12 fields, expected 10 or 13"],
    ["0,5,0,0,0,0,-2048,2047", 'field PS of a channel is "2047", expected P or S'],
  ];
  for (const [line, problem] of refused) {
    await assertRefused({ revision: "1991", analogs: [first + line] }, problem);
  }
  await assertRefused({ analogs: [`${first}0,5,0,0,-2048,2047,1,1,P`] }, "14 fields");
  const known = ["0.5,0,0,-2048,2047", "0.5,0,0,-2048,2047,1,1,P", "0.5,0,0,-2048,2047,1,1,"];
  for (const line of [...known, "0.5,0,0,-2048,2047,1,,", "5e-1,,,,,,,"]) {
    assertEquals(await valuesOf({ analogs: [first + line] }), [5, 10], line);
  }
});

Deno.test("openComtrade: decimal commas in rates and frequencies are errors", async () => {
  // A rate of 1200,5 was 1200, and the next field the number of samples.
  await assertRefused({ rates: [["1200,5", 2]] }, "a rate with 3 fields, expected 2");
  await assertRefused({ frequency: "49,5" }, 'frequency of the line is "49,5"');
  assertEquals(await valuesOf({ frequency: "50,", rates: [["1200.5", 2]] }), [10, 20]);
});

Deno.test("openComtrade: only decimal numbers are numbers", async () => {
  for (const factor of ["0x10", "0b11", "0o7", "1_0"]) {
    const line = `1,VA,A,,kV,${factor},0,0,-2048,2047,1,1,P`;
    await assertRefused({ analogs: [line] }, `field a of a channel is "${factor}"`);
  }
  await assertRefused({ frequency: "0x32" }, 'frequency of the line is "0x32"');
});

Deno.test("openComtrade: offsets from UTC that no place has are errors", async () => {
  // Records were moved by a day, or by an hour and a quarter, without a word.
  for (const code of ["+25", "5h75", "-14h01"]) {
    await assertRefused({ rest: ["1", `${code},0`, "0,0"] }, `its time_code is "${code}"`);
  }
  assertEquals(await valuesOf({ rest: ["1", "+14,0", "0,0"] }), [10, 20]);
});
