/** Inputs from the field, which failed once: what must come of each. */

import { assertEquals, assertRejects } from "@std/assert";
import { connect } from "../../../mod.ts";
import { importFile, type ImportOptions } from "../../../src/ingest/mod.ts";

const FIELD = new URL("../../../../shared/field/", import.meta.url);

/** Streams and their points: time and value. */
type Points = Record<string, [string, number][]>;

/** Imports a file into a database in memory and reads everything. */
async function imported(file: string, options: ImportOptions): Promise<Points> {
  await using db = await connect("memory:");
  const stateFolder = await Deno.makeTempDir();
  try {
    const summary = await importFile(db, new URL(file, FIELD), {
      into: "f",
      stateFolder,
      ...options,
    });
    const found: Points = {};
    for (const { uuid, path } of summary.streams) {
      const { times, values } = await db.streamFromUUID(uuid).rawValues(-(1n << 60n), 3n << 60n)
        .collect();
      found[path] = [...times].map((time, i) => [at(time), values[i]!]);
    }
    return found;
  } finally {
    await Deno.remove(stateFolder, { recursive: true });
  }
}

function at(ns: bigint): string {
  return Temporal.Instant.fromEpochNanoseconds(ns).toString();
}

const START = BigInt(Date.UTC(2020, 2, 1)) * 1_000_000n;
const DAY = "2020-03-01T00:00:00Z";

const RIGHT: [string, ImportOptions, (points: Points) => unknown, unknown][] = [
  ["A01-date-and-time-columns.csv", {}, times, [
    "2022-08-29T10:00:00Z",
    "2022-08-29T10:00:00.02Z",
    "2022-08-29T10:00:00.04Z",
    "2022-08-29T10:00:01Z",
  ]],
  ["A02-zone-in-cell.csv", { tz: "Europe/Berlin" }, times, ["2020-02-29T23:00:00Z", DAY, DAY]],
  ["A07a-pmu1.csv", { into: "pmu1" }, (p) => Object.keys(p).includes("pmu1/df/dt"), true],
  ["A08b-filetime.csv", { timeFormat: "filetime" }, (p) => times(p)[0], DAY],
  ["A08b-filetime.csv", {}, (p) => times(p)[0], DAY],
  ["A08c-yyyymmddhh.csv", {}, times, [DAY, "2020-03-01T01:00:00Z", "2020-03-01T02:00:00Z"]],
  ["A08e-yymmddhhmmss.csv", {}, times, [DAY, "2020-03-01T00:00:01Z"]],
  ["A10-clock-set-back.csv", { tz: "Europe/Berlin" }, (p) => Object.values(p)[0], [
    ["2020-10-24T23:30:00Z", 0],
    ["2020-10-25T00:00:00Z", 1],
    ["2020-10-25T00:30:00Z", 2],
    ["2020-10-25T01:00:00Z", 3],
    ["2020-10-25T01:30:00Z", 4],
    ["2020-10-25T02:00:00Z", 5],
  ]],
  ["A12-being-written.csv", {}, (p) => Object.values(p)[0]!.at(-1)![1], 13999.5],
  ["A15a-uptime-first.csv", {}, (p) => times(p)[0], DAY],
  ["B01-question-marks.txt", {}, (p) => Object.values(p).flat().length, 4],
  ["B02-bad-words.csv", { badCells: "skip" }, (p) => Object.keys(p).length > 0, true],
  ["B03-row-of-units.csv", {}, (p) => Object.values(p).flat().length > 0, true],
  ["B04-comment-lines.csv", { comment: "#" }, (p) => Object.values(p).flat().length > 0, true],
  ["B05a-pandas-index.csv", {}, (p) => [Object.keys(p), p["f/V"]!.length], [["f/V"], 2]],
  ["B05b-trailing-comma.csv", {}, (p) => [Object.keys(p), p["f/V"]!.length], [["f/V"], 2]],
  [
    "B07-fraction-sometimes.csv",
    { timeFormat: "%d.%m.%Y %H:%M:%S.%f" },
    (p) => times(p).map((time) => time.slice(17)),
    ["00Z", "00.02Z", "00.04Z"],
  ],
  [
    "B07-fraction-sometimes.csv",
    { timeFormat: "%d.%m.%Y %H:%M:%S" },
    (p) => times(p).map((time) => time.slice(17)),
    ["00Z", "00.02Z", "00.04Z"],
  ],
  ["B08-zone-names.csv", {}, times, ["2020-10-25T00:00:00Z", "2020-10-25T01:00:00Z"]],
  ["B10-leap-second-and-24h.csv", {}, (p) => times(p).length, 3],
  ["B11-line-ends-in-quotes.csv", {}, (p) => Object.values(p).flat().length > 0, true],
  ["B12-columns-by-blanks.dat", {}, (p) => [
    Object.keys(p).length,
    Object.values(p)[0]!.length,
  ], [2, 2]],
  ["B15-header-of-280-kB.csv.gz", {}, (p) => Object.keys(p).length, 7000],
  ["A02-zone-in-cell.csv", { tz: "+01:00" }, times, ["2020-02-29T23:00:00Z", DAY, DAY]],
  ["A03-two-frames.csv.zst", {}, (p) => times(p).length, 3],
  ["A03b-skippable-frame-first.csv.zst", {}, (p) => times(p).length, 1],
  ["A06-int64-s.parquet", {}, (p) => times(p)[0], DAY],
  ["A06-int64-ms.parquet", {}, (p) => times(p)[0], DAY],
  ["A06b-time-of-day-us.parquet", {}, (p) => times(p)[0], "2020-03-01T00:00:00.000000001Z"],
  ["A06d-duration.parquet", { start: START }, (p) => times(p)[0], DAY],
  ["A13-decimal-bool-half-struct.parquet", {}, values, {
    "f/V": [1.5, 2.5, 3.5, 4.5],
    "f/D": [1.25, 1.25, 1.25, 1.25],
    "f/B": [1, 0, 1],
    "f/H": [1, 2, 3, 4],
  }],
  ["A13b-only-decimal.parquet", {}, values, { "f/D": [1.25, 1.25, 1.25, 1.25] }],
  ["A14-local-time.parquet", { tz: "Europe/Berlin" }, (p) => times(p)[0], "2020-02-29T23:00:00Z"],
  ["B20-lz4-all-null-column.parquet", {}, values, { "f/V": [1.5, 2.5, 3.5, 4.5], "f/N": [] }],
  ["B21-string-times.parquet", {}, (p) => times(p)[0], DAY],
  ["B21c-date32.parquet", {}, times, [
    DAY,
    "2020-03-02T00:00:00Z",
    "2020-03-03T00:00:00Z",
    "2020-03-04T00:00:00Z",
  ]],
  ["B21d-infinity.parquet", { badCells: "skip" }, (p) => times(p).length, 3],
  ["B22-pyarrow-default-lz4.feather", {}, values, { "f/V": [1.5, 2.5, 3.5, 4.5] }],
  ["B22c-nulls.arrows", {}, values, { "f/V": [1.5, 3.5, 4.5] }],
];

/** The values of every stream. */
function values(points: Points): Record<string, number[]> {
  return Object.fromEntries(
    Object.entries(points).map(([path, pairs]) => [path, pairs.map(([, value]) => value)]),
  );
}

/** Times of the first stream. */
function times(points: Points): string[] {
  return Object.values(points)[0]!.map(([time]) => time);
}

const REFUSED: [string, ImportOptions, string][] = [
  ["A09-thousands-dot.csv", { decimal: ",", timeFormat: "%d.%m.%Y %H:%M" }, "has a point"],
  ["A16-relative-seconds.csv", {}, "relative"],
  ["B02-bad-words.csv", {}, "line"],
  ["A06d-duration.parquet", {}, "how long"],
  ["A14-local-time.parquet", { start: START }, "--start"],
  ["A14-local-time.parquet", { delimiter: ";" }, "--delimiter"],
  ["B21d-infinity.parquet", {}, "Infinity is no finite number"],
];

const ignore = await Deno.stat(FIELD).then(() => false, () => true);
if (ignore) console.warn("skipped, there are no inputs from the field");

for (const [file, options, of, expected] of RIGHT) {
  Deno.test({
    name: `importFile: ${file} ${describe(options)}`,
    ignore,
    fn: async () => assertEquals(of(await imported(file, options)), expected),
  });
}

for (const [file, options, message] of REFUSED) {
  Deno.test({
    name: `importFile: ${file} is refused, ${message}`,
    ignore,
    fn: async () => {
      await assertRejects(() => imported(file, options), Error, message);
    },
  });
}

Deno.test({
  name: "importFile: thousands marks are read where the user says them",
  ignore,
  fn: async () => {
    const points = await imported("A09-thousands-dot.csv", {
      decimal: ",",
      thousands: ".",
      timeFormat: "%d.%m.%Y %H:%M",
    });
    assertEquals(Object.values(points)[0]!.map(([, value]) => value), [987.25, 1234, 12345]);
  },
});

Deno.test({
  name: "importFile: relative seconds count from the start, and snap to a rate",
  ignore,
  fn: async () => {
    const start = BigInt(Date.UTC(2020, 2, 1)) * 1_000_000n;
    const points = await imported("A16-relative-seconds.csv", { start });
    assertEquals(times(points)[0], DAY);
  },
});

/** Options as text for the name of a test. */
function describe(options: ImportOptions): string {
  return JSON.stringify(options, (_, value) => typeof value === "bigint" ? String(value) : value);
}
