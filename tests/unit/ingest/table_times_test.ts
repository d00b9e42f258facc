/** Times in tables of text: as the file says them, or an error. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connect } from "../../../mod.ts";
import { ImportError, importFile, type ImportOptions } from "../../../src/ingest/mod.ts";
import { importedText, timesOf } from "../../support/imported.ts";
import { makeSingleFile } from "../../support/comtrade.ts";

Deno.test("importFile: digits below a nanosecond are counted with the first line, zeros are none", async () => {
  const { points, warnings } = await importedText(
    "time,v\n2020-03-01T00:00:00.0000000010Z,1\n2020-03-01T00:00:01.1234567891Z,2\n" +
      "2020-03-01T00:00:02.9999999999Z,3\n",
  );
  assertEquals(timesOf(points).at(-1), "2020-03-01T00:00:02.999999999Z");
  assertEquals(warnings, [
    "2 times, the first in line 3, are given with digits below a nanosecond, which were cut",
  ]);
});

Deno.test("importFile: a clock time over which clocks were set forward is an error with its line", async () => {
  const table = "time,v\n2020-03-29 01:59:59,1\n2020-03-29 02:30:00,2\n2020-03-29 03:00:00,3\n";
  await assertRejects(
    () => importedText(table, { tz: "Europe/Berlin" }),
    Error,
    'line 3, column 1 ("time"): "2020-03-29 02:30:00" does not exist',
  );
  const { points, skipped } = await importedText(table, { tz: "Europe/Berlin", badRows: "skip" });
  assertEquals(skipped, { rows: 1, cells: 0 });
  assertEquals(timesOf(points), ["2020-03-29T00:59:59Z", "2020-03-29T01:00:00Z"]);
  const { points: fixed } = await importedText(table, { tz: "+01:00" });
  assertEquals(timesOf(fixed)[1], "2020-03-29T01:30:00Z");
});

Deno.test("importFile: spreadsheet days are exact, and a ms that a double cannot tell is meant", async () => {
  const { points } = await importedText(
    "time,v\n43891.1,1\n43891.416666898,2\n43891.4166668981500,3\n43891.00001,4\n43891.50000000192901,5\n",
    { timeFormat: "excel" },
  );
  assertEquals(timesOf(points).sort(), [
    "2020-03-01T00:00:00.864Z",
    "2020-03-01T02:24:00Z",
    "2020-03-01T10:00:00.02Z",
    "2020-03-01T10:00:00.02Z",
    "2020-03-01T12:00:00.000166666Z",
  ]);
});

Deno.test("importFile: a start is refused where times are whole already", async () => {
  const text = "time,v\n2026-03-01T00:00:00Z,1\n";
  await assertRejects(() => importedText(text, { start: 0n }), Error, "Cannot use --start");
});

Deno.test("importFile: a time that no point may have names its cell, and nothing of the file is stored", async () => {
  const far = "2226-03-29T01:00:02Z";
  const tables: [string, ImportOptions, string][] = [
    [`time,v\n2026-03-29T01:00:02Z,1\n${far},2\n`, {}, 'line 3, column 1 ("time")'],
    [`v,time\n1,2026-03-29T01:00:02Z\n2,${far}\n`, {}, 'line 3, column 2 ("time")'],
    ["time,v\n1772323200000,1\n4000000000000,2\n", { timeFormat: "ms" }, "line 3, column 1"],
    ["d,t,v\n2026-03-29,01:00:02,1\n1926-03-29,01:00:02,2\n", { time: "d+t" }, "line 3, column 1"],
    [
      "s,v\n0,1\n9000000000,2\n",
      { timeFormat: "s", start: 1_772_323_200_000_000_000n },
      "line 3, column 1",
    ],
  ];
  for (const [text, options, place] of tables) {
    const error = await assertRejects(() => importedText(text, options), Error, place);
    assertStringIncludes(error.message, "is not within 1933-06-20T00:01:35.393153024Z to 2079-");
  }
  const { points, skipped } = await importedText(tables[0]![0], { badRows: "skip" });
  assertEquals([points, skipped.rows], [{ "f/v": [["2026-03-29T01:00:02Z", 1]] }, 1]);
  await using db = await connect("memory:");
  const record = makeSingleFile({ first: "01/02/2200,03:04:05.000000", samples: [[1, 2, 3]] });
  await assertRejects(
    () => importFile(db, record, { into: "f" }),
    ImportError,
    "is not within 1933-",
  );
  assertEquals(await Array.fromAsync(db.listCollections()), []);
});

Deno.test("importFile: second 60 where no day of UTC ends is an error, a leap second is counted", async () => {
  // Both collided in silence with the second after them.
  const noon = "time,v\n2026-02-01 12:59:60,1\n2026-02-01 13:00:00,2\n";
  const problem = 'line 2, column 1 ("time"): "2026-02-01 12:59:60" is not a time';
  await assertRejects(() => importedText(noon), Error, problem);
  const timeFormat = "%Y-%m-%d %H:%M:%S";
  await assertRejects(() => importedText(noon, { timeFormat }), Error, problem);
  const leap =
    "time,v\n2016-12-31T23:59:59Z,1\n2016-12-31T23:59:60.5Z,2\n2017-01-01T00:59:60+01:00,3\n" +
    "2017-01-01T00:00:01Z,4\n";
  const { points, warnings } = await importedText(leap);
  assertEquals(timesOf(points), [
    "2016-12-31T23:59:59Z",
    "2017-01-01T00:00:00Z",
    "2017-01-01T00:00:00.5Z",
    "2017-01-01T00:00:01Z",
  ]);
  assertEquals(
    warnings.filter((text) => text.includes("leap")),
    ["2 times, the first in line 3, are leap seconds, stored at the time of the second after"],
  );
  // In a zone of its own, day and second of UTC count.
  const local = "time,v\n2017-01-01 00:59:60,1\n2017-01-01 01:00:01,2\n";
  const berlin = await importedText(local, { tz: "Europe/Berlin", timeFormat });
  assertEquals(timesOf(berlin.points)[0], "2017-01-01T00:00:00Z");
  assertEquals(berlin.warnings.length, 1);
  await assertRejects(() => importedText(local), Error, "is not a time");
});

Deno.test("importFile: dates with years of two digits are refused if they can be read in two ways", async () => {
  const table = (dates: string[]) => "time,v\n" + dates.map((date, i) => `${date},${i}\n`).join("");
  // It was the 26th of February 2001.
  const either = table(["26.02.01", "26.02.02"]);
  await assertRejects(() => importedText(either), ImportError, "it may be %d.%m.%y or %y.%m.%d");
  const { points } = await importedText(either, { timeFormat: "%y.%m.%d" });
  assertEquals(timesOf(points)[0], "2026-02-01T00:00:00Z");
  // The year 2031 is not over, so this one is clear.
  assertEquals(
    timesOf((await importedText(table(["31.12.24"]))).points)[0],
    "2024-12-31T00:00:00Z",
  );
  const error = await assertRejects(
    () => importedText("date,clock,v\n01/02/2026,10:00:00,1\n01/02/2026,10:00:01,2\n"),
    ImportError,
  );
  assertStringIncludes(error.hint!, "'%d/%m/%Y %H:%M:%S'");
});

// An export with `--time-as ns` has the paths of streams beside `time`. The values of one called
// `Time (ns)` were taken for the times of all rows, or made the times ambiguous.
Deno.test("importFile: the unit in the name of a stream beside `time` is not that of the times", async () => {
  const early = "time,p/Time (ns)\n1000000000,5\n2000000000,6\n";
  const { points } = await importedText(early, { timeFormat: "ns" });
  assertEquals(timesOf(points), ["1970-01-01T00:00:01Z", "1970-01-01T00:00:02Z"]);
  await assertRejects(() => importedText(early), ImportError, "times in column time are relative");
  const late = "time,p/Time (ns)\n1772323200000000000,1772323200000000000\n" +
    "1772323201000000000,1772323201000000000\n";
  const { points: now } = await importedText(late);
  assertEquals(timesOf(now), ["2026-03-01T00:00:00Z", "2026-03-01T00:00:01Z"]);
});
