/** Tables of text from elsewhere: errors say what is wrong with them, and what is expected. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { ImportError, ImportOptions } from "../../../src/ingest/mod.ts";
import { imported } from "../../support/imported.ts";

async function errorOf(input: string | Uint8Array, options: ImportOptions = {}): Promise<Error> {
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input;
  return await assertRejects(() => imported(bytes, options), Error);
}

// The message was "not a time of the form expected", without the form. A mark of the order of bytes amid
// files that were put behind one another was not shown: the cell looked right.
Deno.test("importFile: the form of a time that a cell has not is named, marks that nobody sees are shown", async () => {
  const cases: [text: string, problem: string][] = [
    [
      "time,V\n2024-02-29 00:00:00,1\n2024-02-30 00:00:00,2\n",
      '"2024-02-30 00:00:00" is not a time of the form 2026-03-01T00:00:00Z',
    ],
    [
      "time,V\n1704067200,1\n\ufeff1704067201,2\n",
      '"\\ufeff1704067201" is not a time of the form s (a number)',
    ],
    [
      "time,V\n13.01.2024 00:00:00,1\n13.01.2024 25:00:00,2\n",
      '"13.01.2024 25:00:00" is not a time of the form "%d.%m.%Y %H:%M:%S.%f"',
    ],
    ["time,V\n1704067200,1\n1704067201,1\u202f000\n", '"1\\u202f000" is not a number'],
  ];
  const filler = Array.from({ length: 300 }, (_, i) => i);
  for (const [text, problem] of cases) {
    const [header, first, last] = text.split("\n");
    const whole = [header, ...filler.map(() => first), last, ""].join("\n");
    const { message } = await errorOf(whole);
    assertStringIncludes(message, problem);
    assertStringIncludes(message, "line 302,");
  }
});

Deno.test("importFile: a table without a column of values says what its columns are", async () => {
  // The error named none of them: people looked for a wrong delimiter.
  const table = (cell: string) => `time,V\n2024-01-01T00:00:00Z,${cell}\n`;
  const error = await errorOf(table("TRUE"));
  assertStringIncludes(error.message, 'no column of values: V is text, such as "TRUE"');
  for (const cell of ['"1,234,567"', "1'234.5", "1\u202f234.5"]) {
    const { hint } = await errorOf(table(cell)) as ImportError;
    assertStringIncludes(hint!, "--thousands");
  }
  const many = Array.from({ length: 7 }, (_, i) => `c${i}`).join();
  assertStringIncludes(
    (await errorOf(`time,${many}\n2024-01-01T00:00:00Z${",x".repeat(7)}\n`)).message,
    'c4 is text, such as "x", and 2 more',
  );
});

Deno.test("importFile: lines that end with a carriage return alone are refused", async () => {
  // The whole table was taken for its header: "there are no rows after the header".
  const { message } = await errorOf("time,V\r2024-01-01T00:00:00Z,1\r2024-01-01T00:00:01Z,2\r");
  assertStringIncludes(message, "line 1 has 2 carriage returns, expected lines that end with");
  const { points } = await imported(new TextEncoder().encode('time,"V\r1"\r\n1704067200,1\r\n'));
  assertEquals(Object.values(points)[0]!.length, 1);
});

Deno.test("importFile: a first row that is longer than what is looked at is named", async () => {
  // The error was "there are no rows after the header".
  const text = `time,V,n\n2024-01-01T00:00:00Z,1,${"x".repeat(17 << 20)}\n`;
  assertStringIncludes(
    (await errorOf(text)).message,
    "the line behind line 1 is longer than what is looked at, 16777216",
  );
});

Deno.test("importFile: UTF-32 is called that, not UTF-16 with zeros in its names", async () => {
  const text = "\ufefftime,V\n2024-01-01T00:00:00Z,1\n";
  for (const littleEndian of [true, false]) {
    const view = new DataView(new ArrayBuffer(4 * text.length));
    for (let i = 0; i < text.length; i++) {
      view.setUint32(4 * i, text.charCodeAt(i), littleEndian);
    }
    const { message } = await errorOf(new Uint8Array(view.buffer));
    assertStringIncludes(message, "it is UTF-32, expected UTF-8, UTF-16 or --encoding");
  }
});

Deno.test("importFile: a thousands mark that is no ASCII mark is refused", async () => {
  // Its number was looked for as one byte, so that cells with it were said to have none before digits.
  for (const thousands of ["\u00a0", "\u202f", "..", "1", ""]) {
    const { message } = await errorOf("time,V\n1704067200,1\n", { thousands });
    assertStringIncludes(message, `--thousands ${JSON.stringify(thousands)}: expected one ASCII`);
  }
});

// The error was that of the database, without the column: 'tag value for key "name" is invalid'.
Deno.test("importFile: names that no stream can have are errors of their column", async () => {
  const { message } = await errorOf(`time,${"x".repeat(300)}\n2024-01-01T00:00:00Z,1\n`);
  assertStringIncludes(message, `Cannot import "${"x".repeat(100)}…": tag value for key "name"`);
  assertStringIncludes(message, "have 1 to 255 bytes, without NUL");
});

// They became 1 and 1234567: a mark that cannot be one of thousands is a decimal one.
Deno.test("importFile: a zero alone or four digits before a thousands mark are refused", async () => {
  const table = (cell: string) => `t;v\n1700000000;${cell}\n`;
  const options = { thousands: ",", delimiter: ";" };
  for (const cell of ["0,001", "-0,125", "+0,500", "1234,567", "1234,567,890", "-,123"]) {
    const { message } = await errorOf(table(cell), options);
    assertStringIncludes(message, `${JSON.stringify(cell)} has thousands marks`);
  }
  const good: [cell: string, value: number][] = [
    ["1,234", 1234],
    ["-12,345.5", -12_345.5],
    ["+123,456,789", 123_456_789],
    ["000,123", 123],
    ["0.125", 0.125],
    ["1234.567", 1234.567],
  ];
  for (const [cell, value] of good) {
    const { points } = await imported(new TextEncoder().encode(table(cell)), options);
    assertEquals(points["f/v"], [["2023-11-14T22:13:20Z", value]]);
  }
});
