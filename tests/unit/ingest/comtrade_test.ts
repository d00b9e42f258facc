/** Records of COMTRADE: made ones with the oddities of real ones, and real ones where they are. */

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { type ComtradeOptions, ImportError, openComtrade } from "@btrdb/btrdb/comtrade";
import {
  type MadeRecord,
  makeComtrade,
  makeConfiguration,
  makeSingleFile,
} from "../../support/comtrade.ts";
import { readComtrade } from "../../support/read_comtrade.ts";

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
      const { points, notices } = await readComtrade(makeComtrade(record));
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
  const all = await readComtrade(makeComtrade(record), { status: "all" });
  assertEquals(all.points.D1!.map(([, value]) => value), [1, 1, 0, 0]);
  const none = await readComtrade(makeComtrade(record), { status: "none" });
  assertEquals(Object.keys(none.points), ["A1"]);
});

Deno.test("openComtrade: the scale, and values of either side of the transformer", async () => {
  const line = (side: string, ratio = "100,1") => `1,IA,A,CB1,A,0.5,10,0,-9,9,${ratio},${side}`;
  const value = async (analog: string, values: ComtradeOptions["values"]) =>
    (await readComtrade(makeComtrade({ analogs: [analog], samples: [[4]] }), { values })).points
      .IA![0]![1];
  assertEquals(await value(line("s"), "as-is"), 12);
  assertEquals(await value(line("s"), "primary"), 1200);
  assertEquals(await value(line("S"), "secondary"), 12);
  assertEquals(await value(line("p"), "primary"), 12);
  assertEquals(await value(line("P"), "secondary"), 0.12);
  assertEquals(await value(line("S", "0,0"), "primary"), 12);
  const { notices } = await readComtrade(
    makeComtrade({ analogs: [line("S", ",")], samples: [[4]] }),
    { values: "primary" },
  );
  assertStringIncludes(notices.join("\n"), "No ratio is known of IA");
});

Deno.test("openComtrade: counts that are off, stray bytes, blank lines, signs", async () => {
  const samples = [[1, 2, 3]];
  const said = async (made: MadeRecord) => {
    const { points, notices, warnings } = await readComtrade(makeComtrade(made));
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
  const { points } = await readComtrade({ configuration, samples: rows });
  assertEquals(points.A1!.map(([, value]) => value), [25, -35, 7]);
});

Deno.test("openComtrade: a last line that was cut is left out, one without an end is a remark", async () => {
  const configuration = new TextEncoder().encode(
    makeConfiguration({ analogs: 2, rates: [["1", 3]] }),
  );
  const said = async (text: string) => {
    const samples = new TextEncoder().encode(text);
    const { points, notices, warnings } = await readComtrade({ configuration, samples });
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
  const { points } = await readComtrade(makeComtrade(record));
  assertEquals([points.A!.length, points.B!.length], [1, 2]);
});

Deno.test("openComtrade: -0 stays what it is, and a time_code that is none is an error", async () => {
  const { points } = await readComtrade(makeComtrade({ type: "FLOAT32", samples: [[-0, 0]] }));
  assert(Object.is(points.A1![0]![1], -0) && Object.is(points.A1![1]![1], 0));
  const made = makeComtrade({ samples: [[1]], rest: ["1", "5.5,0", "0,0"] });
  await assertRejects(() => readComtrade(made), ImportError, 'its time_code is "5.5"');
  assertEquals((await readComtrade(made, { tz: "UTC" })).points.A1!.length, 1);
  assertEquals(
    (await readComtrade(makeComtrade({ samples: [[1]], rest: ["1", "x,x"] }))).points.A1!.length,
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
  assertEquals(Object.keys((await readComtrade(made)).points), ["VA", "VA#2", "A3", "VA#3"]);
});

Deno.test("openComtrade: skew is a remark, or shifts the times", async () => {
  const analogs = ["1,VA,,,V,1,0,-0.712256580,0,1,1,1,P"];
  const made = makeComtrade({ analogs, samples: [[1]], first: "01/02/2020,03:04:05.000010" });
  const plain = await readComtrade(made);
  assertEquals(plain.points.VA![0]![0], "2020-02-01T03:04:05.000010000Z");
  assertStringIncludes(plain.notices.join("\n"), "1 channel has a skew of up to 0.71225658 µs");
  const shifted = await readComtrade(made, { skew: "apply" });
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
    const { points, notices } = await readComtrade(withName(name), { encoding });
    return [Object.keys(points)[0], notices.length] as const;
  };
  assertEquals(await names([0xc3, 0xa9]), ["é", 0]);
  assertEquals(await names([0xe9]), ["é", 1]);
  assertEquals(await names([0xd2, 0xee, 0xea], "windows-1251"), ["Ток", 0]);
  assertEquals(await names([0xb5, 0xe7], "gb18030"), ["电", 0]);
  await assertRejects(() => names([0xe9], "klingon"), ImportError, "--encoding klingon");
  const bom = { ...made, configuration: Uint8Array.of(0xef, 0xbb, 0xbf, ...made.configuration) };
  assertEquals((await readComtrade(bom)).points.X!.length, 1);
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
      const { points, notices } = await readComtrade(makeSingleFile(record, [cfg, separator]));
      assertEquals(points.A1!.map(([, value]) => value), [1, 2, 3], `${separator}`);
      assertEquals(notices, []);
    }
  }
});

Deno.test("openComtrade: binary samples that look like a separator are samples", async () => {
  const text = "\n--- file type: HDR ---\n\0\0";
  const words = new DataView(new TextEncoder().encode(text.padEnd(26, "\0")).buffer);
  const samples = Array.from({ length: 13 }, (_, i) => [words.getInt16(2 * i, true)]);
  const { points } = await readComtrade(makeSingleFile({ type: "BINARY", samples }));
  assertEquals(Object.values(points).map((list) => list[0]![1]), samples.flat());
});

Deno.test("openComtrade: what cannot be read is an error with file and line", async () => {
  const good = makeConfiguration({ samples: [[1]], states: [[0]] });
  const refused = async (configuration: string, text: string, samples = "1,0,1,0\n") => {
    const bytes = { configuration: encode(configuration), samples: encode(samples) };
    const error = await assertRejects(() => readComtrade(bytes), ImportError);
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
      assertEquals((await readComtrade(`${folder}/${name}`)).points.A1!.length, 2);
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
