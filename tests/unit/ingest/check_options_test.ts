/** Options of imports: what there is not is refused, before anything is stored. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connect } from "../../../mod.ts";
import { explain, followFile, importFile, type ImportOptions } from "../../../src/ingest/mod.ts";

const TABLE = new TextEncoder().encode(
  "time,V\n2026-03-01T00:00:00Z,1\n2026-03-01T00:00:01Z,2\n",
);

/** Options that were passed over, or of which the first character was taken. */
const WRONG: readonly [
  options: Record<string, unknown>,
  text: string,
  fault?: typeof TypeError,
][] = [
  [{ timezone: "Europe/Berlin" }, 'there is no option "timezone"', TypeError],
  [{ badRow: "skip" }, 'there is no option "badRow"', TypeError],
  [{ badRows: "Skip" }, 'badRows is "Skip", expected one of "fail", "skip"'],
  [{ badCells: true }, "badCells is true", TypeError],
  [{ decimal: "comma" }, 'decimal is "comma"'],
  [{ header: "no" }, 'header is "no", expected a boolean', TypeError],
  [{ skipLines: -1 }, "skipLines is -1, expected 0 to 10000"],
  [{ skipLines: 1.5 }, "skipLines is 1.5"],
  [{ comment: "ab" }, 'comment is "ab"'],
  [{ delimiter: ";;" }, 'delimiter is ";;"'],
  [{ columns: "V" }, 'columns is "V", expected an array of strings', TypeError],
  [{ nulls: [-999] }, "nulls is", TypeError],
  [{ tz: "Mars/X" }, 'tz is "Mars/X", expected a time zone'],
  [{ start: 5 }, "start is 5, expected a bigint", TypeError],
  [{ start: 5n, interval: -1n }, "interval is -1, expected a bigint of at least 1 ns"],
  [{ start: 5n, interval: 0n }, "interval is 0, expected a bigint of at least 1 ns"],
  [{ start: 5n, rate: 1e300 }, "rate is 1e+300"],
  [{ start: 5n, rate: NaN }, "rate is NaN"],
  [{ start: 5n, rate: 30, interval: 1n }, "rate is 30, expected none with interval"],
  [{ mergePolicy: "keep" }, 'mergePolicy is "keep"'],
  [{ changed: true }, "changed is true, expected false without resume"],
  [{ resume: true, restart: true }, "restart is true, expected false with resume"],
  [{ onWarning: [] }, "onWarning is", TypeError],
  [{ maps: { V: "a/b" } }, "maps is", TypeError],
];

Deno.test("importFile: options that there are not, or whose values are none, are refused before anything is made", async () => {
  await using db = await connect("memory:");
  for (const [options, text, fault = RangeError] of WRONG) {
    const error = await assertRejects(() => importFile(db, TABLE, options as ImportOptions));
    assert(error instanceof fault, String(error));
    assertStringIncludes(error.message, text);
    assertEquals((error as { code?: string }).code, "ERR_INVALID_ARGUMENT");
    const { message } = await assertRejects(() => explain(TABLE, options), Error);
    assertStringIncludes(message, text);
  }
  assertEquals(await Array.fromAsync(db.listCollections()), []);
  for (const [options, text] of WRONG) {
    if ("changed" in options || "resume" in options) continue;
    const { message } = await assertRejects(
      () => followFile(db, "/nowhere/x.csv", options as ImportOptions),
      Error,
    );
    assertStringIncludes(message, text);
  }
});

Deno.test("importFile: a column, or all of them, cannot have two units or two streams", async () => {
  await using db = await connect("memory:");
  const cases: [options: ImportOptions, text: string][] = [
    [{ maps: ["V=a/b", "2=a/c"] }, "there is another --map for V"],
    [{ units: ["V=kV", "V=V"] }, "there is another --unit for V"],
    [{ units: ["kV", "V"] }, "there is another --unit for all columns"],
  ];
  for (const [options, text] of cases) {
    const { message } = await assertRejects(() => importFile(db, TABLE, options), Error);
    assertStringIncludes(message, text);
  }
  const { points } = await importFile(db, TABLE, { into: "f", units: ["A", "V=kV"], tz: "+02:00" });
  assertEquals(points, 2n);
});
