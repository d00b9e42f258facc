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
