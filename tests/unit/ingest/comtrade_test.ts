/** Records of COMTRADE: made ones with the oddities of real ones, and real ones where they are. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  type ComtradeBytes,
  type ComtradeOptions,
  ImportError,
  openComtrade,
} from "@btrdb/btrdb/comtrade";
import { formatTime } from "@btrdb/btrdb";
import {
  type MadeRecord,
  makeComtrade,
  makeConfiguration,
  makeSingleFile,
} from "../../support/comtrade.ts";

/** Points of every column by its name, and what was said. */
async function read(
  input: string | ComtradeBytes,
  options: ComtradeOptions = {},
): Promise<{
  points: Record<string, [string, number][]>;
  notices: readonly string[];
  warnings: readonly string[];
}> {
  await using record = await openComtrade(input, options);
  const points: Record<string, [string, number][]> = {};
  for (const { name } of record.columns) points[name] = [];
  for await (const { columns } of record.batches()) {
    for (const [i, { times, values }] of columns.entries()) {
      for (const [k, time] of times.entries()) {
        points[record.columns[i]!.name]!.push([formatTime(time), values[k]!]);
      }
    }
  }
  return { points, notices: record.notices, warnings: record.warnings };
}

/** Seconds of the points of the first column after the first one. */
async function secondsOf(record: MadeRecord, options?: ComtradeOptions): Promise<number[]> {
  const made = {
    samples: [Array.from({ length: record.stamps?.length ?? 4 }, (_, i) => i % 100)],
    ...record,
  };
  const { points } = await read(makeComtrade(made), options);
  const ns = Object.values(points)[0]!.map(([time]) =>
    Temporal.Instant.from(time).epochNanoseconds
  );
  return ns.map((time) => Number(time - ns[0]!) / 1e9);
}

const TYPES = ["ASCII", "BINARY", "BINARY32", "FLOAT32"];

for (const type of TYPES) {
  for (const revision of ["1991", "1999", "2013"]) {
    Deno.test(`openComtrade: ${type} of ${revision}, missing samples and stamps, states`, async () => {
      const record: MadeRecord = {
        type,
        revision,
        samples: [[1, -2, undefined, 4], [5, 6, 7, undefined]],
        states: Array.from({ length: 17 }, (_, i) => i === 16 ? [0, 1, 1, 0] : [1, 1, 1, 1]),
        stamps: [0, undefined, undefined, 3000],
      };
      const { points, notices } = await read(makeComtrade(record));
      const day = revision === "1991" ? "2020-01-02" : "2020-02-01";
      const at = (ms: number) => `${day}T03:04:05.00${ms}000000Z`;
      assertEquals(points.A1, [[at(0), 1], [at(1), -2], [at(3), 4]]);
      assertEquals(points.A2, [[at(0), 5], [at(1), 6], [at(2), 7]]);
      assertEquals(points.D1, [[at(0), 1], [at(3), 1]]);
      assertEquals(points.D17, [[at(0), 0], [at(1), 1], [at(3), 0]]);
      assertStringIncludes(notices.join("\n"), "2 samples are missing");
      assertEquals(notices.some((text) => text.includes("read as UTC")), revision !== "2013");
    });
  }
}

Deno.test("openComtrade: which states become points", async () => {
  const record = { states: [[1, 1, 0, 0]], samples: [[0, 0, 0, 0]] };
  const all = await read(makeComtrade(record), { status: "all" });
  assertEquals(all.points.D1!.map(([, value]) => value), [1, 1, 0, 0]);
  const none = await read(makeComtrade(record), { status: "none" });
  assertEquals(Object.keys(none.points), ["A1"]);
});

Deno.test("openComtrade: the scale, and values of either side of the transformer", async () => {
  const line = (side: string, ratio = "100,1") => `1,IA,A,CB1,A,0.5,10,0,-9,9,${ratio},${side}`;
  const value = async (analog: string, values: ComtradeOptions["values"]) =>
    (await read(makeComtrade({ analogs: [analog], samples: [[4]] }), { values })).points.IA![0]![1];
  assertEquals(await value(line("s"), "as-is"), 12);
  assertEquals(await value(line("s"), "primary"), 1200);
  assertEquals(await value(line("S"), "secondary"), 12);
  assertEquals(await value(line("p"), "primary"), 12);
  assertEquals(await value(line("P"), "secondary"), 0.12);
  assertEquals(await value(line("S", "0,0"), "primary"), 12);
  const { notices } = await read(
    makeComtrade({ analogs: [line("S", ",")], samples: [[4]] }),
    { values: "primary" },
  );
  assertStringIncludes(notices.join("\n"), "No ratio is known of IA");
});

Deno.test("openComtrade: times beyond 64 bits are errors, they came round to others", async () => {
  const stamps = [0, 1000, 2000];
  const samples = [[1, 2, 3]];
  for (const rate of ["1e-12", "1e-300"]) {
    const slow = makeComtrade({ rates: [[rate, 3]], stamps, samples });
    const error = await assertRejects(() => read(slow), ImportError, "beyond 64 bits");
    assertStringIncludes(error.message, "record 3 ");
  }
  const rest = ["1e300"];
  const stamped: MadeRecord = { nrates: "0", rates: [["0", 3]], stamps, samples, rest };
  await assertRejects(() => read(makeComtrade(stamped)), ImportError, "beyond 64 bits");
  const { points } = await read(makeComtrade({ rates: [["1e-8", 3]], stamps, samples }));
  assertEquals(Object.values(points)[0]![2]![0].slice(0, 4), "2026");
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
    assertRejects(() => read(makeComtrade(made), options), ImportError, text);
  await refused({ ...record, stamps: [0, undefined] }, "record 2 has no stamp");
  await refused({ ...record, stamps: [5000, 1000] }, "record 2 has an earlier stamp");
  await refused(record, "has no rate", { times: "rate" });
  await refused({ samples: [[1]], first: "," }, "does not say the time of the first sample");
});

Deno.test("openComtrade: dates as they are found", async () => {
  const first = async (revision: string, text: string, options: ComtradeOptions = {}) => {
    const made = makeComtrade({ revision, first: text, trigger: text, samples: [[1]] });
    return (await read(made, options)).points.A1![0]![0];
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
    const made = makeComtrade({ samples: [[1]], rest, revision, first: "01/07/2020,12:00:00.000" });
    const { points, notices } = await read(made, { tz });
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
  await assertRejects(() => read(twice, { tz }), ImportError, "show 2020-11-01T01:30");
  assertEquals((await read(twice, { tz: "-05:00" })).points.A1![0]![0].slice(11, 16), "06:30");
});

Deno.test("openComtrade: counts that are off, stray bytes, blank lines, signs", async () => {
  const samples = [[1, 2, 3]];
  const said = async (made: MadeRecord) => {
    const { points, notices, warnings } = await read(makeComtrade(made));
    return [points.A1!.map(([, value]) => value), [...notices, ...warnings].join("\n")] as const;
  };
  const [more, text] = await said({ samples, rates: [["1000", 2]], from: 0 });
  assertEquals(more, [1, 2, 3]);
  assertStringIncludes(text, "says 2 samples, there are 3: all are read");
  const [fewer, cut] = await said({ samples, rates: [["1000", 5]], type: "BINARY", tail: [7, 7] });
  assertEquals(fewer, [1, 2, 3]);
  assertStringIncludes(cut, "says 5 samples, there are only 3: was it cut?");
  assertStringIncludes(cut, "2 bytes at the end are no whole record of 10 bytes");
  for (const type of ["ASCII", "BINARY"]) {
    const [values, quiet] = await said({ samples, type, tail: [0x1a] });
    assertEquals([values, quiet], [[1, 2, 3], ""]);
  }
  const configuration = new TextEncoder().encode(
    makeConfiguration({ analogs: 1, rates: [["1", 3]] }),
  );
  const rows = new TextEncoder().encode("\r\n1, 0 ,+000025\n\n2,,-3.5e1 \r\n 3,2000000, 7,");
  const { points } = await read({ configuration, samples: rows });
  assertEquals(points.A1!.map(([, value]) => value), [25, -35, 7]);
});

Deno.test("openComtrade: a last line that was cut is left out, one without an end is a remark", async () => {
  const configuration = new TextEncoder().encode(
    makeConfiguration({ analogs: 2, rates: [["1", 3]] }),
  );
  const said = async (text: string) => {
    const samples = new TextEncoder().encode(text);
    const { points, notices, warnings } = await read({ configuration, samples });
    return [points.A1!.length, [...notices, ...warnings].join("; ")] as const;
  };
  const [whole, remark] = await said("1,0,1,2\n2,0,3,4\n3,0,5,6");
  assertEquals(whole, 3);
  assertStringIncludes(remark, "has no line end: was it cut?");
  const [fewer, cut] = await said("1,0,1,2\n2,0,3,4\n3,0,5");
  assertEquals(fewer, 2);
  assertStringIncludes(cut, "5 bytes at the end of the samples are no whole record, left out");
  assertStringIncludes(cut, "says 3 samples, there are only 2");
});

Deno.test("openComtrade: 0xFFFF of 1991 is a missing sample where -1 cannot be one", async () => {
  const analogs = ["1,A,A,,V,1,0,0,0,4095", "2,B,A,,V,1,0,0,-2048,2047"];
  const record: MadeRecord = {
    revision: "1991",
    type: "BINARY",
    analogs,
    samples: [[-1, 5], [-1, 5]],
  };
  const { points } = await read(makeComtrade(record));
  assertEquals([points.A!.length, points.B!.length], [1, 2]);
});

Deno.test("openComtrade: -0 stays what it is, and a time_code that is none is an error", async () => {
  const { points } = await read(makeComtrade({ type: "FLOAT32", samples: [[-0, 0]] }));
  assert(Object.is(points.A1![0]![1], -0) && Object.is(points.A1![1]![1], 0));
  const made = makeComtrade({ samples: [[1]], rest: ["1", "5.5,0", "0,0"] });
  await assertRejects(() => read(made), ImportError, 'its time_code is "5.5"');
  assertEquals((await read(made, { tz: "UTC" })).points.A1!.length, 1);
  assertEquals(
    (await read(makeComtrade({ samples: [[1]], rest: ["1", "x,x"] }))).points.A1!.length,
    1,
  );
});

Deno.test("openComtrade: names of channels differ, whatever the file says", async () => {
  const analogs = [
    "1,VA,,,V,1,0,0,0,1,1,1,P",
    "2,VA,,,V,1,0,0,0,1,1,1,P",
    "3,,,,V,1,0,0,0,1,1,1,P",
  ];
  const made = makeComtrade({
    analogs,
    samples: [[1], [2], [3]],
    states: [[0]],
    statuses: ["1,VA,0"],
  });
  assertEquals(Object.keys((await read(made)).points), ["VA", "VA#2", "A3", "VA#3"]);
});

Deno.test("openComtrade: skew is a remark, or shifts the times", async () => {
  const analogs = ["1,VA,,,V,1,0,-0.712256580,0,1,1,1,P"];
  const made = makeComtrade({ analogs, samples: [[1]], first: "01/02/2020,03:04:05.000010" });
  const plain = await read(made);
  assertEquals(plain.points.VA![0]![0], "2020-02-01T03:04:05.000010000Z");
  assertStringIncludes(plain.notices.join("\n"), "1 channel has a skew of up to 0.71225658 µs");
  const shifted = await read(made, { skew: "apply" });
  assertEquals(shifted.points.VA![0]![0], "2020-02-01T03:04:05.000009288Z");
});

Deno.test("openComtrade: encodings of names", async () => {
  const made = makeComtrade({ station: "S", samples: [[1]], analogs: ["1,X,,,V,1,0,0,0,1,1,1,P"] });
  const withName = (name: number[]) => {
    const text = new TextDecoder("latin1").decode(made.configuration);
    const bytes = text.replace("1,X,", `1,${String.fromCharCode(...name)},`);
    return { ...made, configuration: Uint8Array.from(bytes, (c) => c.charCodeAt(0)) };
  };
  const names = async (name: number[], encoding?: string) => {
    const { points, notices } = await read(withName(name), { encoding });
    return [Object.keys(points)[0], notices.length] as const;
  };
  assertEquals(await names([0xc3, 0xa9]), ["é", 0]);
  assertEquals(await names([0xe9]), ["é", 1]);
  assertEquals(await names([0xd2, 0xee, 0xea], "windows-1251"), ["Ток", 0]);
  assertEquals(await names([0xb5, 0xe7], "gb18030"), ["电", 0]);
  await assertRejects(() => names([0xe9], "klingon"), ImportError, "--encoding klingon");
  const bom = { ...made, configuration: Uint8Array.of(0xef, 0xbb, 0xbf, ...made.configuration) };
  assertEquals((await read(bom)).points.X!.length, 1);
});

Deno.test("openComtrade: a single file with every separator that was seen", async () => {
  for (const type of TYPES) {
    const record: MadeRecord = { type, samples: [[1, 2, 3]], states: [[0, 1, 0]] };
    const { length } = makeComtrade(record).samples;
    const dat = type === "ASCII" ? "DAT ASCII" : `DAT ${type}: ${length}`;
    for (
      const [cfg, separator] of [
        ["--- file type: CFG ---", `--- file type: ${dat} ---`],
        ["--- FILE TYPE  CFG ---", `--- File Type ${dat} ---`],
        ["-- file type: CFG --", `-- file type: ${dat} --`],
        ["---file type:CFG---", `---file type:${dat}---`],
      ] as [string, string][]
    ) {
      const { points, notices } = await read(makeSingleFile(record, [cfg, separator]));
      assertEquals(points.A1!.map(([, value]) => value), [1, 2, 3], `${separator}`);
      assertEquals(notices, []);
    }
  }
});

Deno.test("openComtrade: binary samples that look like a separator are samples", async () => {
  const text = "\n--- file type: HDR ---\n\0\0";
  const words = new DataView(new TextEncoder().encode(text.padEnd(26, "\0")).buffer);
  const samples = Array.from({ length: 13 }, (_, i) => [words.getInt16(2 * i, true)]);
  const { points } = await read(makeSingleFile({ type: "BINARY", samples }));
  assertEquals(Object.values(points).map((list) => list[0]![1]), samples.flat());
});

Deno.test("openComtrade: what cannot be read is an error with file and line", async () => {
  const good = makeConfiguration({ samples: [[1]], states: [[0]] });
  const refused = async (configuration: string, text: string, samples = "1,0,1,0\n") => {
    const bytes = { configuration: encode(configuration), samples: encode(samples) };
    const error = await assertRejects(() => read(bytes), ImportError);
    assertStringIncludes(error.message, text);
  };
  const encode = (text: string) => new TextEncoder().encode(text);
  await refused("S,D,2013", "line 2: it ends before the numbers of channels");
  await refused("S,D,2013\r\n2,xA,1D", "line 2: numbers of channels are");
  await refused("S,D,2013\r\n900001,900001A,0D", "at most 100000 are read");
  await refused(
    good.replace("1,A1,A,,V,1,", "1,A1,A,,V,one,"),
    'line 3: field a of a channel is "one"',
  );
  await refused(
    good.replace("1,A1,A,,V,1,", "1,A1,A,,V,,"),
    "line 3: field a of a channel is empty",
  );
  await refused(good.replace("ASCII", "EBCDIC"), 'form of the samples is "EBCDIC"');
  await refused(good.replace("1000,1", "fast,1"), 'a rate is "fast"');
  await refused(good.replace("1000,1", "1000,-1"), 'last sample at a rate is "-1"');
  await refused(good, "line 1 of the samples: 3 cells, expected 4", "1,0,1\n");
  await refused(good, "line 2 of the samples: more than the 4 cells", "1,0,1,0\n2,0,1,0,9\n");
  await refused(good, 'line 1 of the samples: cell 3 is "x", expected a number', "1,0,x,0\n");
  await refused(good, "line 1 of the samples: cell 4 is 2, expected the state 0 or 1", "1,0,1,2\n");
});

Deno.test("openComtrade: files in any case, whichever is named; the other one missing", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const made = makeComtrade({ samples: [[1, 2]] });
    await Deno.writeFile(`${folder}/Fault.CFG`, made.configuration);
    const path = `${folder}/Fault.CFG`;
    await assertRejects(() => openComtrade(path), ImportError, "Fault.dat beside it");
    await Deno.writeFile(`${folder}/fault.dAt`, made.samples);
    for (const name of ["Fault.CFG", "fault.dAt"]) {
      assertEquals((await read(`${folder}/${name}`)).points.A1!.length, 2);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("openComtrade: from any batch on, the rest is the same", async () => {
  for (const type of TYPES) {
    const rows = 3000;
    const made = makeComtrade({
      type,
      nrates: "0",
      rates: [["0", rows]],
      samples: Array.from(
        { length: 700 },
        (_, c) => Array.from({ length: rows }, (_, i) => (i * c) % 97),
      ),
      states: [Array.from({ length: rows }, (_, i) => Number(i % 1500 > 700))],
      stamps: Array.from({ length: rows }, (_, i) => (i * 1_500_000) % 2 ** 32),
    });
    await using record = await openComtrade(made);
    const all = [];
    for await (const batch of record.batches()) all.push(batch);
    assert(all.length > 1);
    for (let from = 0; from < all.length - 1; from++) {
      const rest = [];
      for await (const batch of record.batches(all[from]!.next)) rest.push(batch);
      assertEquals(rest, all.slice(from + 1));
    }
    const last = all.at(-1)!.columns[0]!.times.at(-1)!;
    assertEquals(last - record.first, BigInt(rows - 1) * 1_500_000_000n);
  }
});

const SAMPLES = new URL("../../../../shared/samples/comtrade/", import.meta.url);
const EXPECTED: Record<string, Expected> | undefined = await Deno.readTextFile(
  new URL("expected.json", SAMPLES),
).then(JSON.parse, () => undefined);
if (EXPECTED === undefined) console.warn("skipped, no samples: real records of COMTRADE");

interface Expected {
  revision: string;
  type: string;
  analog: number;
  digital: number;
  records: number;
  first_value: number;
  last_value: number;
  last_seconds_by_rate?: number;
}

for (const [name, wanted] of Object.entries(EXPECTED ?? {})) {
  Deno.test(`openComtrade: the real record ${name} is read as another reader does`, async () => {
    await using record = await openComtrade(new URL(`${name}.cfg`, SAMPLES).pathname);
    const { revision, type, analogs, statuses } = record.configuration;
    let rows = 0;
    const first: number[] = [];
    let last = { time: 0n, value: NaN };
    for await (const { columns, next } of record.batches()) {
      const { times, values } = columns[0]!;
      first.push(values[0]!);
      last = { time: times.at(-1)!, value: values.at(-1)! };
      rows = next.rows;
    }
    assertEquals(
      [String(revision), type, analogs.length, statuses.length, rows, first[0], last.value],
      [
        wanted.revision,
        wanted.type,
        wanted.analog,
        wanted.digital,
        wanted.records,
        wanted.first_value,
        wanted.last_value,
      ],
    );
    if (wanted.last_seconds_by_rate === undefined) return;
    assertEquals(Number(last.time - record.first) / 1e9, wanted.last_seconds_by_rate);
  });
}
