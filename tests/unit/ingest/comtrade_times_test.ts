/** Times of records of COMTRADE: by rates and stamps, dates, and zones. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { type ComtradeOptions, ImportError } from "@btrdb/btrdb/comtrade";
import { isConfiguration, parseConfiguration } from "../../../src/ingest/comtrade/configuration.ts";
import { parseStamp } from "../../../src/ingest/comtrade/stamp.ts";
import { type MadeRecord, makeComtrade, makeConfiguration } from "../../support/comtrade.ts";
import { cpuMs } from "../../support/cpu_ms.ts";
import { readComtrade, secondsOf } from "../../support/read_comtrade.ts";

Deno.test("openComtrade: times beyond 64 bits are errors, they came round to others", async () => {
  const stamps = [0, 1000, 2000];
  const samples = [[1, 2, 3]];
  for (const rate of ["1e-12", "1e-300"]) {
    const slow = makeComtrade({ rates: [[rate, 3]], stamps, samples });
    const error = await assertRejects(() => readComtrade(slow), ImportError, "beyond 64 bits");
    assertStringIncludes(error.message, "record 3 ");
  }
  const rest = ["1e300"];
  const stamped: MadeRecord = { nrates: "0", rates: [["0", 3]], stamps, samples, rest };
  await assertRejects(() => readComtrade(makeComtrade(stamped)), ImportError, "beyond 64 bits");
  const { points } = await readComtrade(makeComtrade({ rates: [["1e-8", 3]], stamps, samples }));
  assertEquals(Object.values(points)[0]![2]![0].slice(0, 4), "2026");
});

// Samples of a rate of 1e999 had all the time of the first one, so that one of them was stored and the
// others were lost; a rate of 200,000 digits took seconds of each sample.
Deno.test("openComtrade: a rate is 0 to 1e9 samples a second, of at most 64 characters", async () => {
  const stamps = [0, 1000, 2000];
  const samples = [[1, 2, 3]];
  for (const rate of ["1e999", "1000000000.1", "-1", `100.${"0".repeat(200_000)}`]) {
    const record = makeComtrade({ rates: [[rate, 3]], stamps, samples });
    const text = "expected 0 to 1e9 samples a second";
    await assertRejects(() => readComtrade(record), ImportError, text);
  }
  const { points } = await readComtrade(makeComtrade({ rates: [["1e9", 3]], stamps, samples }));
  assertEquals(new Set(Object.values(points)[0]!.map(([time]) => time)).size, 3);
});

Deno.test("openComtrade: times by the rate are counted, never added up", async () => {
  const rows = 100_001;
  const stamps = Array.from({ length: rows }, () => undefined);
  const seconds = await secondsOf({ rates: [["30707.244140625", rows]], type: "BINARY", stamps });
  const wanted = Math.round(100_000 * 1e9 / 30707.244140625) / 1e9;
  assertEquals(seconds[100_000], wanted);
  assertEquals(seconds[1], 0.000032566);
});

Deno.test("openComtrade: stretches follow one another without rounding", async () => {
  // 83 rates that follow the frequency; stamps are truncated to the µs.
  let [end, exact, stamp] = [0, 0n, 0];
  const rates: [string, number][] = [];
  const stamps: number[] = [];
  for (let i = 0; i < 83; i++) {
    const rate = 2400 + i / 8;
    for (let k = 0; k < 64; k++) stamps.push(stamp), stamp += Math.floor(1e6 / rate);
    rates.push([rate.toFixed(6), end += 64]);
    if (i < 82) exact += 64n * 10n ** 21n / BigInt(Math.round(rate * 1e6));
  }
  const seconds = await secondsOf({ rates, stamps, type: "BINARY", revision: "1999" });
  const border = Number(exact / 1_000_000n) / 1e9;
  assert(Math.abs(seconds[82 * 64]! - border) < 2e-9, `${seconds[82 * 64]} and ${border}`);
});

Deno.test("openComtrade: trusted stamps tell how far stretches are apart", async () => {
  const stamps = [-2000, -1000, 0, 1000, 3_283_000, 3_284_000, 3_285_000, 3_286_000];
  const record: MadeRecord = { rates: [["1000", 4], ["1000", 8]], stamps };
  assertEquals(await secondsOf(record), [0, 0.001, 0.002, 0.003, 3.285, 3.286, 3.287, 3.288]);
  const byRate = await secondsOf(record, { times: "rate" });
  assertEquals(byRate.at(-1), 0.007);
  // A step elsewhere is a remark, not a jump.
  const odd = [...stamps.slice(0, 4), 4000, 5000, 3_285_000, 3_286_000];
  assertEquals((await secondsOf({ ...record, stamps: odd })).at(-1), 0.007);
});

Deno.test("openComtrade: stamps that begin again at 2^32 and 2^16, first ones that are not 0", async () => {
  const rates: [string, number][] = [["0", 4]];
  const base: MadeRecord = { nrates: "0", rates, type: "BINARY" };
  const wraps = [4_294_967_000, 4_294_967_200, 104, 304];
  assertEquals(await secondsOf({ ...base, stamps: wraps }), [0, 0.0002, 0.0004, 0.0006]);
  // Nine digits: ns.
  const ns = { ...base, stamps: wraps, first: "01/02/2020,03:04:05.000000000" };
  assertEquals(await secondsOf(ns), [0, 2e-7, 4e-7, 6e-7]);
  assertEquals(await secondsOf({ ...base, stamps: [65_000, 65_400, 264, 664] }), [
    0,
    0.0004,
    0.0008,
    0.0012,
  ]);
  assertEquals(await secondsOf({ ...base, stamps: [72_500, 73_333, 74_167, 75_000] }), [
    0,
    0.000833,
    0.001667,
    0.0025,
  ]);
  const factor = { ...base, stamps: [0, 1, 2, 3], rest: ["250", "0,0", "0,0"] };
  assertEquals(await secondsOf(factor), [0, 0.00025, 0.0005, 0.00075]);
});

Deno.test("openComtrade: times that cannot be known are errors", async () => {
  const record: MadeRecord = { nrates: "0", rates: [["0", 2]], samples: [[1, 2]] };
  const refused = (made: MadeRecord, text: string, options?: ComtradeOptions) =>
    assertRejects(() => readComtrade(makeComtrade(made), options), ImportError, text);
  await refused({ ...record, stamps: [0, undefined] }, "record 2 has no stamp");
  await refused({ ...record, stamps: [5000, 1000] }, "record 2 has an earlier stamp");
  await refused(record, "has no rate", { times: "rate" });
  await refused({ samples: [[1]], first: "," }, "does not say the time of the first sample");
});

Deno.test("openComtrade: dates as they are found", async () => {
  const first = async (revision: string, text: string, options: ComtradeOptions = {}) => {
    const made = makeComtrade({ revision, first: text, trigger: text, samples: [[1]] });
    return (await readComtrade(made, options)).points.A1![0]![0];
  };
  const cases: [string, string, string][] = [
    ["1991", "01/02/98,01:02:03.5", "1998-01-02T01:02:03.500000000Z"],
    ["1991", "01/02/2005,1:56:36", "2005-01-02T01:56:36.000000000Z"],
    ["1999", "13/04/2019,02 : 37:34.349250", "2019-04-13T02:37:34.349250000Z"],
    ["0", "12/26/18,00:00:00.25", "2018-12-26T00:00:00.250000000Z"],
    ["1991", "26/12/2018,00:00:00", "2018-12-26T00:00:00.000000000Z"],
    ["2013", "29/02/2024,23:59:59.123456789", "2024-02-29T23:59:59.123456789Z"],
    ["2013", "01/01/2024,00:00:00.1234567896", "2024-01-01T00:00:00.123456790Z"],
  ];
  for (const [revision, text, wanted] of cases) assertEquals(await first(revision, text), wanted);
  await assertRejects(() => first("2013", "30/02/2024,00:00:00"), ImportError, "first sample");
  // A leap second was taken for the second after it, and all samples behind it shifted by one.
  await assertRejects(() => first("2013", "31/12/2016,23:59:60"), ImportError, "first sample");
});

Deno.test("openComtrade: the zone of the recorder, of the user, or a notice", async () => {
  const time = async (rest: string[], tz?: string, revision = "2013") => {
    const stamp = "01/07/2020,12:00:00.000";
    const made = makeComtrade({ samples: [[1]], rest, revision, first: stamp, trigger: stamp });
    const { points, notices } = await readComtrade(made, { tz });
    return [points.A1![0]![0].slice(11, 16), notices.length] as const;
  };
  assertEquals(await time(["1", "-5h30,-5h30", "B,3"]), ["17:30", 0]);
  assertEquals(await time(["1", "+9,+9", "0,0"], "America/Chicago"), ["03:00", 0]);
  assertEquals(await time(["1"], "America/Chicago", "1999"), ["17:00", 1]);
  assertEquals(await time(["1"], undefined, "1999"), ["12:00", 1]);
  const twice = makeComtrade({
    samples: [[1]],
    revision: "1999",
    first: "01/11/2020,01:30:00.000",
    trigger: "01/11/2020,03:30:00.000",
  });
  const tz = "America/Chicago";
  await assertRejects(() => readComtrade(twice, { tz }), ImportError, "show 2020-11-01T01:30");
  assertEquals(
    (await readComtrade(twice, { tz: "-05:00" })).points.A1![0]![0].slice(11, 16),
    "06:30",
  );
});

// A line of the configuration with 64 MiB of blanks or commas took hours: each one was tried as the
// beginning of the rest.
Deno.test("parseStamp, isConfiguration, parseConfiguration: blanks and commas are looked at once", () => {
  const blanks = " ".repeat(60_000);
  const stamp = "01/02/2020,03:04:05.5";
  assert(
    cpuMs(() => assertEquals(parseStamp(`${stamp}${blanks}x`, "day first"), undefined)) < 2_000,
  );
  assertEquals(
    parseStamp(` ${stamp} , `, "day first"),
    parseStamp(stamp, "day first"),
  );
  const counts = "a,b,1999\r\n 2,1A,1D";
  assert(cpuMs(() => assert(!isConfiguration(`${counts}${blanks}x`))) < 2_000);
  assert(isConfiguration(`${counts} , \r\n`));
  const commas = ",".repeat(60_000);
  const cfg = makeConfiguration({ rates: [["100", 1]], samples: [[1]], stamps: [0], rest: [] })
    .trimEnd();
  const ms = cpuMs(() =>
    assertThrows(
      () => parseConfiguration(`${cfg}\r\n1${commas}x`, "a.cfg"),
      ImportError,
      "factor of the",
    )
  );
  assert(ms < 2_000);
});
