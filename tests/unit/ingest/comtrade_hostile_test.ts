/** Records of COMTRADE that lie: right numbers, or errors that name what is wrong and what is allowed. */

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type ComtradeOptions, ImportError } from "@btrdb/btrdb/comtrade";
import { concatBytes } from "../../../src/core/bytes.ts";
import {
  type MadeRecord,
  makeComtrade,
  makeConfiguration,
  makeSingleFile,
} from "../../support/comtrade.ts";
import { readComtrade } from "../../support/read_comtrade.ts";

const samples = [[1, 2, 3]];

async function problemOf(
  record: MadeRecord | Uint8Array,
  options: ComtradeOptions = {},
): Promise<string> {
  const bytes = record instanceof Uint8Array ? record : makeComtrade({ samples, ...record });
  return (await assertRejects(() => readComtrade(bytes, options), ImportError)).message;
}

async function noticesOf(record: MadeRecord): Promise<readonly string[]> {
  return (await readComtrade(makeComtrade({ samples, ...record }))).notices;
}

// A day that there is not, or an hour 25, was reported as if the file said no time at all. People
// looked for a missing line.
Deno.test("openComtrade: a start that is no time is shown, with what is allowed", async () => {
  for (
    const first of [
      "31/02/2024,10:00:00.000000",
      "01/02/2024,25:00:00",
      "01/02/3000,10:00:00",
      "31/12/2016,23:59:60",
      "yesterday",
    ]
  ) {
    const problem = await problemOf({ first });
    assertStringIncludes(problem, `the time of its first sample is "${first}"`);
    assertStringIncludes(problem, "expected dd/mm/yyyy,hh:mm:ss.ssssss with a day of 1678 to 2261");
  }
  assertStringIncludes(
    await problemOf({ revision: "1991", first: "13/13/99,10:00:00" }),
    "expected mm/dd/yy,",
  );
  assertStringIncludes(await problemOf({ first: " , " }), "it does not say the time of the first");
});

Deno.test("openComtrade: a time of the trigger that is none is a notice", async () => {
  // It was left out without a word.
  const trigger = "01/02/2024,25:00:00";
  const [notice] = await noticesOf({ trigger });
  assertStringIncludes(notice!, `was triggered at "${trigger}", which is no time; left out`);
  assertEquals(await noticesOf({ trigger: "," }), []);
});

// Stamps of text may have 13 digits. A step of 2^32 and more lost that many ticks: samples that were two
// hours apart came 50 minutes apart.
Deno.test("openComtrade: stamps of text beyond 2^32 are not taken for ones that began again", async () => {
  const stamped: MadeRecord = { nrates: "0", rates: [["0", 3]] };
  const secondsOf = async (stamps: number[]) => {
    const { points } = await readComtrade(makeComtrade({ ...stamped, samples, stamps }));
    const [first, ...rest] = points.A1!.map(([time]) => Date.parse(time));
    return rest.map((time) => (time - first!) / 1000);
  };
  assertEquals(await secondsOf([0, 7_200_000_000, 14_400_000_000]), [7200, 14_400]);
  assertEquals(await secondsOf([2 ** 32 - 1_000_000, 0, 1_000_000]), [1, 2]);
  const back = { ...stamped, stamps: [7_200_000_000, 0, 1000] };
  assertStringIncludes(await problemOf(back), "record 2 has an earlier stamp");
  const huge = await problemOf({ ...stamped, stamps: [0, 1e20, 2e20] });
  assertStringIncludes(huge, "line 2 of the samples: the stamp is 100000000000000000000");
  assertStringIncludes(huge, "expected -9999999999999 to 9999999999999");
});

Deno.test("openComtrade: fractions of stamps are errors where the stamps say the times", async () => {
  // They were rounded to whole microseconds.
  const stamps = [0, 1.5, 3];
  assertStringIncludes(
    await problemOf({ nrates: "0", rates: [["0", 3]], stamps }),
    "record 2 has the stamp 1.5, expected a whole number",
  );
});

Deno.test("openComtrade: values beyond a double name their channel and their record", async () => {
  // The error was that of an insert, behind which empty streams were left.
  const analogs = ["1,VA,A,,kV,1e308,0,0,-9,9,1,1,P"];
  assertEquals(
    await problemOf({ analogs, samples: [[0, 1, 10]] }),
    'Cannot read the configuration: channel "VA": the value of record 3, (1e+308 × 10 + 0), is ' +
      "beyond the range of a double",
  );
});

Deno.test("openComtrade: a skew beyond an hour is an error where it is applied", async () => {
  // 1e300 µs came round 64 bits, to any other time.
  const analogs = ["1,VA,A,,kV,1,0,-1e300,-9,9,1,1,P"];
  const problem = await problemOf({ analogs }, { skew: "apply" });
  assertStringIncludes(problem, 'channel "VA": its skew is -1e+300 µs');
  assertStringIncludes(problem, "expected -3600000000 to 3600000000");
});

Deno.test("openComtrade: a clock that failed and leap seconds within a record are notices", async () => {
  // The times were stored as if the file had said nothing.
  const cases: [codes: string, notice: string | undefined][] = [
    ["0,0", undefined],
    ["b,3", undefined],
    ["F,0", "says that its clock had failed"],
    ["Z,0", 'the clock\'s quality "Z", expected 0 to F'],
    ["0,1", "says that a leap second was added during the record"],
    ["0,2", "says that a leap second was removed during the record"],
    ["0,9", 'the leap second "9", expected 0 to 3'],
  ];
  for (const [codes, notice] of cases) {
    const found = await noticesOf({ rest: ["1", "0,0", codes] });
    assertEquals(found.length, notice === undefined ? 0 : 1, codes);
    if (notice !== undefined) assertStringIncludes(found[0]!, notice);
  }
});

Deno.test("openComtrade: parts of a single file that come twice or in another order are errors", async () => {
  // Of two configurations the first one counted, and samples behind the first ones were left out.
  const encode = (text: string) => new TextEncoder().encode(text);
  const cfg = concatBytes([
    encode("--- file type: CFG ---\r\n"),
    encode(makeConfiguration({ samples })),
  ]);
  const dat = makeSingleFile({ samples }).subarray(cfg.length);
  const single = (...parts: Uint8Array[]) => concatBytes(parts);
  const inf = encode("--- file type: INF ---\r\n[Private]\r\n");
  const { points } = await readComtrade(single(cfg, inf, dat, inf));
  assertEquals(points.A1!.map(([, value]) => value), [1, 2, 3]);
  const refused: [bytes: Uint8Array, problem: string][] = [
    [single(cfg, cfg, dat), "it has two parts CFG, expected one"],
    [single(cfg, dat, dat), "line 4 of the samples: another part DAT begins, expected one CFG"],
    [single(cfg, dat, cfg), "line 4 of the samples: another part CFG begins, expected one CFG"],
    [single(dat, cfg), "it has no part CFG with the configuration before the samples"],
    [single(cfg, inf), "it has no part DAT with the samples"],
  ];
  for (const [bytes, problem] of refused) assertStringIncludes(await problemOf(bytes), problem);
});

// One byte that became 0x1A hid every record behind it, as if the file ended there.
Deno.test("openComtrade: what stands behind the mark of the end is counted, padding is not", async () => {
  const made = makeComtrade({ samples });
  const behind = (bytes: Uint8Array, text: string) =>
    concatBytes([bytes, Uint8Array.of(0x1a), new TextEncoder().encode(text)]);
  const notices = async (configuration: Uint8Array, samples: Uint8Array) => {
    const read = await readComtrade({ configuration, samples });
    assertEquals(Object.values(read.points)[0]!.length, 3);
    return read.notices.filter((text) => text.includes("0x1A"));
  };
  assertEquals(await notices(made.configuration, behind(made.samples, "\r\n4,3000,7\r\n")), [
    "13 bytes of the samples of the configuration are left out: they are behind 0x1A, which ends a text",
  ]);
  assertEquals(await notices(behind(made.configuration, "250\r\n"), made.samples), [
    "the configuration goes on behind 0x1A, which ends a text: that is left out",
  ]);
  const padding = "\r\n \0\x1a\r\n";
  assertEquals(
    await notices(behind(made.configuration, padding), behind(made.samples, padding)),
    [],
  );
});

// A year that lost its last digits was one of the years 2000 to 2009.
Deno.test("openComtrade: a year has two digits or four", async () => {
  for (const first of ["01/02/2,03:04:05", "01/02/202,03:04:05", "001/02/2020,03:04:05"]) {
    assertStringIncludes(await problemOf({ first }), "the time of its first sample is");
  }
});

// A wrong digit in the date moves the whole record; the trigger still has the right one.
Deno.test("openComtrade: a trigger on another day than the samples is a notice", async () => {
  const of = async (trigger: string) =>
    (await noticesOf({ trigger })).filter((text) => text.includes("triggered"));
  assertEquals(await of("01/02/2020,03:04:05.500000"), []);
  assertEquals(await of("01/02/2021,03:04:05.500000"), [
    "the configuration was triggered at 2021-02-01T03:04:05.500000000Z, more than a day away from " +
    "its samples: one of the two dates may be wrong",
  ]);
  assertEquals((await of("01/01/2020,03:04:05.500000")).length, 1);
});

// The clock of a recorder stood still: all samples were stored at one time, and nothing was said.
Deno.test("openComtrade: stamps that repeat are a warning where they say the times", async () => {
  const of = async (stamps: number[], rates: [string, number][]) =>
    (await readComtrade(makeComtrade({ samples, stamps, rates }))).warnings;
  assertEquals(await of([0, 1000, 1000], [["0", 3]]), [
    "1 record has the stamp of the one before, and so its time",
  ]);
  assertEquals(await of([5, 5, 5], [["0", 3]]), [
    "2 records have the stamp of the one before, and so its time",
  ]);
  assertEquals(await of([0, 1000, 2000], [["0", 3]]), []);
  assertEquals(await of([5, 5, 5], [["1000", 3]]), []);
});
