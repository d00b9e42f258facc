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

/** The first seconds of the day, as most of the files have them. */
const SECONDS = [0, 1, 2, 3].map((i) => `2020-03-01T00:00:0${i}Z`);

/** The same, each a nanosecond later: what columnar files with exact timestamps have. */
const NANOS = SECONDS.map((time) => time.replace("Z", ".000000001Z"));

/** Points of times and values in their order. */
function points(times: readonly string[], values: readonly number[]): [string, number][] {
  return values.map((value, i) => [times[i]!, value]);
}

const FOUR = [1.5, 2.5, 3.5, 4.5];
const A01 = [
  "2022-08-29T10:00:00Z",
  "2022-08-29T10:00:00.02Z",
  "2022-08-29T10:00:00.04Z",
  "2022-08-29T10:00:01Z",
];
/** Rows of A02: the one without a zone is an hour before the others. */
const A02: Points = { "f/V": points(["2020-02-29T23:00:00Z", DAY, DAY], [3, 1, 2]) };
const A08B: Points = { "f/V": points([DAY, "2020-03-01T00:00:00.0166667Z"], [1, 2]) };
const B05: Points = { "f/V": points(SECONDS, [1.5, 1.6]) };
const B07: Points = {
  "f/V": points([DAY, "2020-03-01T00:00:00.02Z", "2020-03-01T00:00:00.04Z"], [1, 2, 3]),
};
/** Good rows of B02. */
const B02 = points([SECONDS[0]!, SECONDS[1]!, SECONDS[3]!], [1, 2, 3]);

/** Files, how they are imported, and all of what is stored then. */
const RIGHT: [string, ImportOptions, Points][] = [
  ["A01-date-and-time-columns.csv", {}, {
    "f/Frame": points(A01, [0, 1, 2, 50]),
    "f/Freq0": points(A01, [50.01, 50.02, 50.03, 50.03]),
    "f/Mag0": points(A01, [230.1, 230.2, 230.3, 230.3]),
  }],
  ["A02-zone-in-cell.csv", { tz: "Europe/Berlin" }, A02],
  ["A02-zone-in-cell.csv", { tz: "+01:00" }, A02],
  ["A03-two-frames.csv.zst", {}, { "f/V": points(SECONDS, [1, 2, 3]) }],
  ["A03b-skippable-frame-first.csv.zst", {}, { "f/V": points(SECONDS, [1]) }],
  ["A05-gap.csv", {}, { "f/V": points([SECONDS[0]!, SECONDS[3]!], [230, 231]) }],
  ["A06-int64-s.parquet", {}, { "f/V": points(SECONDS, FOUR) }],
  ["A06-int64-ms.parquet", {}, { "f/V": points(SECONDS, FOUR) }],
  ["A06b-time-of-day-us.parquet", {}, { "f/V": points(NANOS, FOUR) }],
  ["A06d-duration.parquet", { start: START }, { "f/V": points(SECONDS, FOUR) }],
  ["A07a-pmu1.csv", { into: "pmu1" }, {
    "pmu1/Freq": points(SECONDS, [60.01, 60.11]),
    "pmu1/df/dt": points(SECONDS, [0.01, 0.11]),
  }],
  ["A08b-filetime.csv", { timeFormat: "filetime" }, A08B],
  ["A08b-filetime.csv", {}, A08B],
  ["A08c-yyyymmddhh.csv", {}, {
    "f/load": points([DAY, "2020-03-01T01:00:00Z", "2020-03-01T02:00:00Z"], [500, 510, 520]),
  }],
  ["A08e-yymmddhhmmss.csv", {}, { "f/load": points(SECONDS, [500, 510]) }],
  [
    "A09-thousands-dot.csv",
    { decimal: ",", thousands: ".", timeFormat: "%d.%m.%Y %H:%M" },
    {
      "f/Netzlast [MWh]": points(
        [DAY, "2020-03-01T00:15:00Z", "2020-03-01T00:30:00Z"],
        [987.25, 1234, 12345],
      ),
    },
  ],
  ["A10-clock-set-back.csv", { tz: "Europe/Berlin" }, {
    "f/V": points([
      "2020-10-24T23:30:00Z",
      "2020-10-25T00:00:00Z",
      "2020-10-25T00:30:00Z",
      "2020-10-25T01:00:00Z",
      "2020-10-25T01:30:00Z",
      "2020-10-25T02:00:00Z",
    ], [0, 1, 2, 3, 4, 5]),
  }],
  ["A12-being-written.csv", {}, {
    "f/V": Array.from({ length: 14_000 }, (_, i) => [at(START + BigInt(i) * 10n ** 9n), i + 0.5]),
  }],
  ["A13-decimal-bool-half-struct.parquet", {}, {
    "f/V": points(NANOS, FOUR),
    "f/D": points(NANOS, [1.25, 1.25, 1.25, 1.25]),
    "f/B": points([NANOS[0]!, NANOS[1]!, NANOS[3]!], [1, 0, 1]),
    "f/H": points(NANOS, [1, 2, 3, 4]),
  }],
  ["A13b-only-decimal.parquet", {}, { "f/D": points(NANOS, [1.25, 1.25, 1.25, 1.25]) }],
  ["A14-local-time.parquet", { tz: "Europe/Berlin" }, {
    "f/V": points(SECONDS.map((time) => time.replace("03-01T00", "02-29T23")), FOUR),
  }],
  ["A15a-uptime-first.csv", {}, {
    "f/Uptime_ms": points(SECONDS, [100, 101]),
    "f/V": points(SECONDS, [1, 2]),
  }],
  ["A16-relative-seconds.csv", { start: START }, {
    "f/V": points([DAY, "2020-03-01T00:00:00.0083Z", "2020-03-01T00:00:00.0167Z"], [1, 2, 3]),
  }],
  ["B01-question-marks.txt", {}, {
    "f/Global_active_power": points(
      ["2006-12-16T17:24:00Z", "2006-12-16T17:25:00Z"],
      [4.216, 5.36],
    ),
    "f/Voltage": points(["2006-12-16T17:24:00Z", "2006-12-16T17:25:00Z"], [234.84, 233.63]),
  }],
  [
    "B02-bad-words.csv",
    { badCells: "skip" },
    Object.fromEntries([..."ABCDEFGH"].map((name) => [`f/${name}`, B02])),
  ],
  ["B03-row-of-units.csv", {}, {
    "f/VA": points(SECONDS, [1.5, 1.6]),
    "f/FA": points(SECONDS, [60, 60]),
  }],
  ["B04-comment-lines.csv", { comment: "#" }, { "f/V": points(SECONDS, [1.5, 1.6]) }],
  ["B05a-pandas-index.csv", {}, B05],
  ["B05b-trailing-comma.csv", {}, B05],
  ["B07-fraction-sometimes.csv", { timeFormat: "%d.%m.%Y %H:%M:%S.%f" }, B07],
  ["B07-fraction-sometimes.csv", { timeFormat: "%d.%m.%Y %H:%M:%S" }, B07],
  ["B08-zone-names.csv", {}, {
    "f/V": points(["2020-10-25T00:00:00Z", "2020-10-25T01:00:00Z"], [1, 2]),
  }],
  ["B10-leap-second-and-24h.csv", {}, {
    "f/V": points(
      ["2016-12-31T23:59:59Z", "2017-01-01T00:00:00Z", "2017-01-01T00:00:00Z"],
      [1, 2, 3],
    ),
  }],
  ["B11-line-ends-in-quotes.csv", {}, { "f/V\n(kV)": points(SECONDS, [1, 2]) }],
  ["B12-columns-by-blanks.dat", {}, {
    "f/column2": points(["2012-11-09T22:28:18Z", "2012-11-09T22:28:24Z"], [599, 582]),
    "f/column3": points(["2012-11-09T22:28:18Z", "2012-11-09T22:28:24Z"], [230.1, 230.2]),
  }],
  [
    "B15-header-of-280-kB.csv.gz",
    {},
    Object.fromEntries(Array.from({ length: 7000 }, (_, i) => [
      `f/PMU${String(i).padStart(5, "0")}_${"X".repeat(30)}`,
      points(SECONDS, [i, i + 1]),
    ])),
  ],
  ["B20-lz4-all-null-column.parquet", {}, { "f/V": points(NANOS, FOUR), "f/N": [] }],
  ["B21-string-times.parquet", {}, { "f/V": points(SECONDS, FOUR) }],
  ["B21c-date32.parquet", {}, {
    "f/V": points([1, 2, 3, 4].map((day) => `2020-03-0${day}T00:00:00Z`), FOUR),
  }],
  ["B21d-infinity.parquet", { badCells: "skip" }, {
    "f/V": points([NANOS[0]!, NANOS[2]!, NANOS[3]!], [1.5, 2.5, 3.5]),
  }],
  ["B22-pyarrow-default-lz4.feather", {}, { "f/V": points(NANOS, FOUR) }],
  ["B22c-nulls.arrows", {}, {
    "f/V": points([NANOS[0]!, NANOS[2]!, NANOS[3]!], [1.5, 3.5, 4.5]),
  }],
];

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

for (const [file, options, expected] of RIGHT) {
  Deno.test({
    name: `importFile: ${file} ${describe(options)}`,
    ignore,
    fn: async () => assertEquals(await imported(file, options), expected),
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
  name: "importFile: a column called df/dt stays in the collection of its own file",
  ignore,
  fn: async () => {
    await using db = await connect("memory:");
    const stateFolder = await Deno.makeTempDir();
    try {
      for (const [file, into] of [["A07a-pmu1.csv", "pmu1"], ["A07b-pmu2.csv", "pmu2"]] as const) {
        await importFile(db, new URL(file, FIELD), { into, stateFolder });
      }
      const found: Points = {};
      for await (const stream of db.lookupStreams("", { isCollectionPrefix: true })) {
        const { times, values } = await stream.rawValues(0n, 2n * START).collect();
        const name = `${await stream.collection()}/${(await stream.tags()).name}`;
        found[name] = [...times].map((time, i) => [at(time), values[i]!]);
      }
      assertEquals(found, {
        "pmu1/Freq": points(SECONDS, [60.01, 60.11]),
        "pmu1/df/dt": points(SECONDS, [0.01, 0.11]),
        "pmu2/Freq": points(SECONDS, [60.02, 60.12]),
        "pmu2/df/dt": points(SECONDS, [0.02, 0.12]),
      });
    } finally {
      await Deno.remove(stateFolder, { recursive: true });
    }
  },
});

Deno.test({
  name: "importFile: a number that was half written is stored once it is whole",
  ignore,
  fn: async () => {
    await using db = await connect("memory:");
    const stateFolder = await Deno.makeTempDir();
    try {
      const file = `${stateFolder}/growing.csv`;
      await Deno.writeFile(file, await Deno.readFile(new URL("A12-being-written.csv", FIELD)));
      const options = { into: "f", stateFolder, resume: true };
      const { streams } = await importFile(db, file, options);
      await Deno.writeTextFile(file, "45.5\n1583034801000000000,7\n", { append: true });
      await importFile(db, file, { ...options, changed: true });
      const { times, values } = await db.streamFromUUID(streams[0]!.uuid)
        .rawValues(1583034799000000000n, 2n * START).collect();
      assertEquals([...times], [1583034799000000000n, 1583034800000000000n, 1583034801000000000n]);
      assertEquals([...values], [13999.5, 12345.5, 7]);
    } finally {
      await Deno.remove(stateFolder, { recursive: true });
    }
  },
});

/** Options as text for the name of a test. */
function describe(options: ImportOptions): string {
  return JSON.stringify(options, (_, value) => typeof value === "bigint" ? String(value) : value);
}
