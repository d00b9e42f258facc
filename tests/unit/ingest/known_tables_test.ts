/** Tables that say by themselves what they are: JSIS-CSV, annotated CSV of InfluxDB. */

import { assertEquals, assertRejects } from "@std/assert";
import { imported, importedText, timesOf, valuesOf } from "../../support/imported.ts";

const JSIS = `Time,S7 Freq,S7 500kV VPM,S7 500kV VPA
Type,F,VPM,VPA
s,Hz,V,DEG
seconds,Frequency,Bus voltage,Angle
0.000000,59.984,205290.9374,-22.9794
0.033333,59.985,,-23.1799
0.066667,59.986,205310.1133,-23.3801
`;

Deno.test("importFile: JSIS-CSV starts when its name says, on the grid of its rate", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/SUB7_20190111_030000.csv`;
    await Deno.writeTextFile(path, JSIS);
    const { points } = await imported(path);
    assertEquals(timesOf(points, "f/S7 Freq"), [
      "2019-01-11T03:00:00Z",
      "2019-01-11T03:00:00.033333333Z",
      "2019-01-11T03:00:00.066666667Z",
    ]);
    assertEquals(valuesOf(points, "f/S7 500kV VPM"), [205290.9374, 205310.1133]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  await assertRejects(() => importedText(JSIS), Error, "relative");
});

/** JSIS-CSV of some times, as a file of a name. */
async function jsis(times: readonly (string | number)[], name = "SUB7_20190111_030000.csv") {
  const folder = await Deno.makeTempDir();
  try {
    const path = `${folder}/${name}`;
    const rows = times.map((time, i) => `${time},60,${i},0\n`);
    await Deno.writeTextFile(path, JSIS.split("\n").slice(0, 4).join("\n") + "\n" + rows.join(""));
    return await imported(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

// The rate was that of the first two rows, as a multiple of ten: files of 25 rows a second were moved to a
// grid of 30, and a first row that came late moved all others, without a word.
Deno.test("importFile: the rate of JSIS-CSV is that of most rows, or none", async () => {
  const ms = async (times: readonly number[]) => {
    const { points, warnings } = await jsis(times);
    const list = timesOf(points).map((time) => Temporal.Instant.from(time).epochMilliseconds);
    return { ms: list.map((time) => time - list[0]!), far: warnings.length };
  };
  const grid = (rate: number) => Array.from({ length: 8 }, (_, i) => i / rate);
  assertEquals(await ms(grid(25)), { ms: [0, 40, 80, 120, 160, 200, 240, 280], far: 0 });
  assertEquals(await ms(grid(12.5)), { ms: [0, 80, 160, 240, 320, 400, 480, 560], far: 0 });
  assertEquals(await ms([0, 0.0167, 0.0333, 0.05, 0.0667]), { ms: [0, 16, 33, 50, 66], far: 0 });
  assertEquals(await ms([0, 0.05, 0.0667, 0.1, 0.1333, 0.1667]), {
    ms: [0, 66, 66, 100, 133, 166],
    far: 1,
  });
});

// The 30th of February was the second of March.
Deno.test("importFile: a name of JSIS-CSV without such a day or hour says no start", async () => {
  for (const start of ["20190230_030000", "20190111_250000", "20190111_036000"]) {
    await assertRejects(() => jsis([0, 0.1], `SUB7_${start}.csv`), Error, "relative");
  }
});

// A wrong --rate moved all times, two rows to one of them, and nothing was said.
Deno.test("importFile: times that the rate moves far are a warning", async () => {
  const rows = (step: number) => Array.from({ length: 8 }, (_, i) => `${i * step},${i}\n`).join("");
  const options = { start: 0n, rate: 30, complete: true };
  const warnings = async (step: number) =>
    (await importedText(`time,v\n${rows(step)}`, options)).warnings
      .filter((text) => text.includes("rate"));
  assertEquals(await warnings(0.03333), []);
  assertEquals(await warnings(0.04), [
    "3 times, the first in line 5, are moved to the rate by more than a quarter of the time between " +
    "two rows, is it the right one?",
  ]);
});

const INFLUX = `#group,false,false,true,true,false,false,true,true,true
#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string
#default,_result,,,,,,,,
,result,table,_start,_stop,_time,_value,_field,_measurement,host
,,0,2020-03-01T00:00:00Z,2020-03-02T00:00:00Z,2020-03-01T00:00:00.000000001Z,1.5,usage,cpu,h1
,,0,2020-03-01T00:00:00Z,2020-03-02T00:00:00Z,2020-03-01T00:00:10Z,2.5,usage,cpu,h1
,,1,2020-03-01T00:00:00Z,2020-03-02T00:00:00Z,2020-03-01T00:00:00Z,7,usage,cpu,"h,2"

#group,false,false,true,true,false,false,true,true,true
#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string
#default,_result,,,,,,,,
,result,table,_start,_stop,_time,_value,_field,_measurement,host
,,2,2020-03-01T00:00:00Z,2020-03-02T00:00:00Z,2020-03-01T00:00:20Z,9,idle,cpu,h1
`;

Deno.test("importFile: annotated CSV makes a stream of each group key, over several tables", async () => {
  for (const text of [INFLUX, INFLUX.replaceAll("\n", "\r\n")]) {
    const { points } = await importedText(text);
    assertEquals(points, {
      "f/cpu/h1/usage": [["2020-03-01T00:00:00.000000001Z", 1.5], ["2020-03-01T00:00:10Z", 2.5]],
      "f/cpu/h,2/usage": [["2020-03-01T00:00:00Z", 7]],
      "f/cpu/h1/idle": [["2020-03-01T00:00:20Z", 9]],
    });
  }
});

Deno.test("importFile: annotated CSV of text, or of tables of several forms, is refused", async () => {
  const text = INFLUX.replaceAll("double", "string");
  await assertRejects(() => importedText(text), Error, "_value is string, no number");
  const changed = INFLUX.slice(0, INFLUX.lastIndexOf(",result")) +
    ",result,table,_start,_stop,_time,_value,_field,_measurement,room\n" +
    ",,2,2020-03-01T00:00:00Z,2020-03-02T00:00:00Z,2020-03-01T00:00:20Z,9,idle,cpu,r\n";
  await assertRejects(() => importedText(changed), Error, '"_time"');
});

Deno.test("importFile: names in BTrDB's own table keep the blanks around them", async () => {
  // The points of "a/x " went to "a/x".
  const { points } = await importedText(
    'Timestamp (ns),Human-Readable Time (UTC),a/x,a/x ,"a/""y, "\n' +
      "1600000000000000000,2020-09-13 12:26:40,1,2,3\n",
    { into: "f" },
  );
  assertEquals(["f/a/x", "f/a/x ", 'f/a/"y, '].map((name) => valuesOf(points, name)), [[1], [2], [
    3,
  ]]);
});
