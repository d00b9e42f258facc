/**
 * Makes the pictures of docs/analysis.md: `deno task gen:pictures`.
 *
 * @module
 */

import { align, connect, MILLISECOND, type RawColumns, SECOND } from "@btrdb/btrdb";
import { rewindow } from "@btrdb/btrdb/kernel";
import { angleDifference, frequencyOf } from "@btrdb/btrdb/phasor";
import { DAY_START, storeEventDay } from "../examples/notebooks/event_day.ts";
import { plotSvg } from "../src/plot/svg.ts";

const FOLDER = new URL("../docs/images/", import.meta.url);
const FROM = DAY_START + 51_780n * SECOND;
const TO = FROM + 30n * SECOND;

/** Windows of the frames, one each. */
function windowsOf(columns: RawColumns) {
  return rewindow(columns, { start: FROM, end: TO, width: SECOND / 30n });
}

async function write(name: string, text: string): Promise<void> {
  await Deno.writeTextFile(new URL(name, FOLDER), text);
  console.log(`docs/images/${name}: ${text.length} bytes`);
}

await using db = await connect("memory:");
await storeEventDay(db);
const angles = await Promise.all(["east", "west"].map(async (place) => {
  const found = db.lookupStreams(`pmu/${place}`, { tags: { name: "VA ANG" } });
  const [stream] = await Array.fromAsync(found);
  return stream!;
}));
const tolerance = MILLISECOND / 2n;
const rows = align(angles, { start: FROM, end: TO, rate: 30, tolerance });
const [{ times, values: [east, west] }] = await Array.fromAsync(rows) as [
  { times: BigInt64Array; values: Float64Array[] },
];
const range = { start: FROM, end: TO, width: 900, density: false };
const frequency = (label: string, values: Float64Array) => ({
  label,
  unit: "Hz",
  columns: windowsOf(frequencyOf({ times, values }, { nominal: 60 })),
});
await Deno.mkdir(FOLDER, { recursive: true });
await write(
  "event-frequency.svg",
  plotSvg([frequency("east", east!), frequency("west", west!)], { ...range, overlay: true }),
);
const difference = { times, values: angleDifference(east!, west!) };
await write(
  "event-angle.svg",
  plotSvg([{ label: "east less west", unit: "deg", columns: windowsOf(difference) }], range),
);
