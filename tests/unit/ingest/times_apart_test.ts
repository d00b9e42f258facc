/** Times that are told in two columns: all of them is read, or nothing. */

import { assertEquals, assertRejects } from "@std/assert";
import { importedText } from "../../support/imported.ts";

Deno.test("checkTimesApart: dates beside hours are no midnights", async () => {
  // Twenty-four rows a day were stored at midnight, and their hours as a stream.
  const tables = [
    "Date,Hour,v\n2026-03-01,1,10\n2026-03-01,24,20\n2026-03-02,1,30\n",
    "Date,Hour,v\n2026-03-01,0100,10\n2026-03-01,2400,20\n",
    "Date,Time,v\n20260301,0015,10\n20260301,0030,20\n",
    "Datum;Uhrzeit;v\n01.03.2026;0015;10\n01.03.2026;0030;20\n",
    "DATE,HE,v\n01-Mar-2026,1,10\n01-Mar-2026,2,20\n",
  ];
  for (const table of tables) {
    await assertRejects(() => importedText(table), Error, "may be the clock", table);
  }
  const { points } = await importedText(tables[0]!, { time: "Date", columns: ["v"] });
  assertEquals(points["f/v"]!.map(([, value]) => value), [10, 20, 30]);
  const both = await importedText("Date,Time,v\n20260301,0015,10\n20260301,0030,20\n", {
    time: "Date+Time",
    timeFormat: "%Y%m%d %H%M",
  });
  assertEquals(both.points, {
    "f/v": [["2026-03-01T00:15:00Z", 10], ["2026-03-01T00:30:00Z", 20]],
  });
});

Deno.test("checkTimesApart: a date a row, and a duration beside it, are what they are", async () => {
  const { points } = await importedText("date,hours,v\n2026-03-01,7,1\n2026-03-02,8,2\n");
  assertEquals(points["f/v"], [["2026-03-01T00:00:00Z", 1], ["2026-03-02T00:00:00Z", 2]]);
});

Deno.test("checkTimesApart: a column of zones is not passed over", async () => {
  const table = "time,tz,v\n2026-03-01 00:00:00,CET,1\n2026-07-01 00:00:00,CEST,2\n";
  await assertRejects(() => importedText(table), Error, 'column "tz" says zones, such as "CET"');
  const offset = "time,utc_offset,v\n2026-03-01 00:00:00,+01:00,1\n2026-07-01 00:00:00,+02:00,2\n";
  await assertRejects(() => importedText(offset), Error, "says zones");
  const { points } = await importedText(table, { tz: "Europe/Berlin" });
  assertEquals(points["f/v"], [["2026-02-28T23:00:00Z", 1], ["2026-06-30T22:00:00Z", 2]]);
  const utc = await importedText("time,zone,v\n2026-03-01 00:00:00,UTC,1\n");
  assertEquals(utc.points["f/v"], [["2026-03-01T00:00:00Z", 1]]);
  const ids = await importedText("time,zone,v\n2026-03-01T00:00:00Z,EAST,1\n");
  assertEquals(ids.points["f/v"], [["2026-03-01T00:00:00Z", 1]]);
});
