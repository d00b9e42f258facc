/** Files of µPMUs: made ones byte by byte, and samples. */

import { assert, assertEquals, assertRejects } from "@std/assert";
import { gzipSync } from "node:zlib";
import { connect } from "../../../mod.ts";
import { explain, ImportError, importFile, openSource } from "../../../src/ingest/mod.ts";
import { START } from "../../../src/ingest/source.ts";
import { imported, timesOf, valuesOf } from "../../support/imported.ts";
import { madeValue, upmuFile } from "../../support/upmu_file.ts";

const SAMPLES = new URL("../../../../shared/samples/made/", import.meta.url);

const STANDARD = [
  "L1MAG",
  "L1ANG",
  "L2MAG",
  "L2ANG",
  "L3MAG",
  "L3ANG",
  "C1MAG",
  "C1ANG",
  "C2MAG",
  "C2ANG",
  "C3MAG",
  "C3ANG",
  "LSTATE",
];
const EXPANSION = ["FUND_W", "FUND_VAR", "FUND_VA", "FUND_DPF", "FREQ_L1_1S", "FREQ_L1_C37"];
const DAY = [2016, 2, 29, 23, 59, 59];
const NEXT = [2016, 3, 1, 0, 0, 0];
/** Magnitudes of L1 in a block. */
const RAMP = Array.from({ length: 120 }, (_, i) => madeValue(1, i));

/** Time of reading `i` as BTrDB's ingester computed it, of a single precision interval. */
const timeOf = (second: string, i: number, intervalMs = 8.333333): bigint =>
  BigInt(Date.parse(second)) * 1_000_000n +
  BigInt(Math.floor(i * (Math.fround(intervalMs) * 1e6) + 0.5));

Deno.test("openUpmuSource: every series by the name that BTrDB's ingester gave it", async () => {
  const { points } = await imported(upmuFile([
    { date: DAY, isExpanded: true },
    { date: NEXT, isExpanded: true },
  ]));
  assertEquals(Object.keys(points), [...STANDARD, ...EXPANSION].map((name) => `f/${name}`));
  const wanted = (k: number): number[] =>
    Array.from({ length: 240 }, (_, i) => madeValue(k, i % 120));
  for (let phase = 0; phase < 6; phase++) {
    assertEquals(valuesOf(points, `f/${STANDARD[2 * phase]}`), wanted(2 * phase + 1));
    assertEquals(valuesOf(points, `f/${STANDARD[2 * phase + 1]}`), wanted(2 * phase));
  }
  for (const [i, name] of EXPANSION.entries()) {
    assertEquals(valuesOf(points, `f/${name}`), wanted(12 + i));
  }
  assertEquals(
    valuesOf(points, "f/LSTATE"),
    Array.from({ length: 240 }, (_, i) => 0x20 + i % 120 % 16),
  );
  const times = timesOf(points).map((text) => Temporal.Instant.from(text).epochNanoseconds);
  assertEquals(
    times,
    ["2016-02-29T23:59:59Z", "2016-03-01T00:00:00Z"].flatMap((second) =>
      Array.from({ length: 120 }, (_, i) => timeOf(second, i))
    ),
  );
});

Deno.test("openUpmuSource: other rates have fewer readings, NaN gives no point", async () => {
  const bytes = upmuFile([{
    date: [2031, 12, 31, 0, 0, 1],
    intervalMs: 20,
    value: (k, i) => k === 1 && i === 3 ? NaN : i,
  }]);
  const { points } = await imported(bytes);
  assertEquals(valuesOf(points, "f/L2MAG"), Array.from({ length: 50 }, (_, i) => i));
  assertEquals(timesOf(points, "f/L2MAG")[49], "2031-12-31T00:00:01.98Z");
  assertEquals(timesOf(points, "f/L1MAG")[3], "2031-12-31T00:00:01.08Z");
  assertEquals(valuesOf(points, "f/L1MAG").slice(2, 5), [2, 4, 5]);
});

Deno.test("openUpmuSource: years that BTrDB's ingester refused, and leap seconds, are read", async () => {
  for (
    const [date, first] of [
      [[1980, 1, 6, 0, 0, 0], "1980-01-06T00:00:00Z"],
      [[2009, 12, 31, 23, 59, 59], "2009-12-31T23:59:59Z"],
      [[2026, 11, 28, 9, 8, 7], "2026-11-28T09:08:07Z"],
      [[2016, 12, 31, 23, 59, 60], "2017-01-01T00:00:00Z"],
    ] as const
  ) {
    const { points } = await imported(upmuFile([{ date }]));
    assertEquals(timesOf(points)[0], first);
  }
  await using source = await openSource(upmuFile([{ date: [2016, 12, 31, 23, 59, 60] }]));
  assertEquals(source.notices, ["1 leap second in - has the time of the second after it"]);
});

Deno.test("openUpmuSource: blocks with and without expansion in one file", async () => {
  const { points } = await imported(upmuFile([
    { date: DAY },
    { date: NEXT, isExpanded: true },
  ]));
  assertEquals(valuesOf(points, "f/L1MAG").length, 240);
  assertEquals(valuesOf(points, "f/FUND_W").length, 120);
  assertEquals(timesOf(points, "f/FUND_W")[0], "2016-03-01T00:00:00Z");
});

Deno.test("openUpmuSource: a cut block at the end is left out, and named", async () => {
  const bytes = upmuFile([{ date: DAY }, { date: NEXT, isExpanded: true }]);
  // Within the second block, within its expansion, and one byte too many.
  for (const [end, rows] of [[6313, 120], [12_623, 120], [15_503, 120], [15_504, 240]] as const) {
    await using source = await openSource(bytes.subarray(0, end));
    let found = 0;
    for await (const { columns } of source.batches(START)) found += columns[0]!.times.length;
    assertEquals(found, rows);
    assertEquals(
      source.notices,
      rows === 240 ? [] : [`Left out a cut block of ${end - 6312} bytes at the end of -`],
    );
  }
  const error = await assertRejects(
    () => openSource(bytes.subarray(0, 6311)),
    ImportError,
    "there is no whole block of a µPMU in it",
  );
  assertEquals(error.fault, "data");
});

Deno.test("openUpmuSource: a broken block is an error with its place, or is skipped and counted", async () => {
  for (
    const [date, intervalMs, message] of [
      [[2016, 2, 30, 0, 0, 0], 8.333333, "its date is 2016 2 30 0 0 0"],
      [[2016, 13, 1, 0, 0, 0], 8.333333, "its date is 2016 13 1 0 0 0"],
      [[2016, 1, 1, 24, 0, 0], 8.333333, "its date is 2016 1 1 24 0 0"],
      [[2016, 1, 1, 0, -1, 0], 8.333333, "its date is 2016 1 1 0 -1 0"],
      [[-1, 1, 1, 0, 0, 0], 8.333333, "its date is -1 1 1 0 0 0"],
      [[2026, 2, 3, 12, 59, 60], 8.333333, "its date is 2026 2 3 12 59 60"],
      [[0, 0, 0, 0, 0, 0], 8.333333, "its date is 0 0 0 0 0 0"],
      [DAY, 0, "its interval is 0 ms, expected 8.333 to 2000 ms"],
      [DAY, -20, "its interval is -20 ms"],
      [DAY, 1, "its interval is 1 ms"],
      [DAY, NaN, "its interval is NaN ms"],
      [DAY, Infinity, "its interval is Infinity ms"],
    ] as const
  ) {
    const bytes = upmuFile([{ date: DAY }, { date, intervalMs }, { date: NEXT }]);
    await assertRejects(
      () => imported(bytes),
      ImportError,
      `the block at byte 6312 is broken, ${message}`,
    );
    const { points, skipped } = await imported(bytes, { badRows: "skip" });
    assertEquals(valuesOf(points).length, 240);
    assertEquals(skipped, { rows: 120, cells: 0 });
  }
});

Deno.test("openUpmuSource: a damaged status does not make readings of the next block", async () => {
  // The next block was stored as power and frequency, and the file ended with a cut one.
  const bytes = upmuFile([{ date: DAY }, { date: NEXT }, { date: [2020, 1, 1, 0, 0, 0] }]);
  bytes[6312 + 28] = 0x20;
  await assertRejects(
    () => imported(bytes),
    ImportError,
    "its status says that power and frequency",
  );
  const { points, skipped } = await imported(bytes, { badRows: "skip" });
  assertEquals(Object.keys(points).length, 13);
  assertEquals(valuesOf(points).length, 240);
  assertEquals(skipped, { rows: 120, cells: 0 });
});

// A status that lost its bits cost the rest of the file: 46 of 50 blocks, because what was read next was
// never again where a block begins.
Deno.test("openUpmuSource: behind a broken block the next one is found, wherever it begins", async () => {
  const blocks = Array.from({ length: 9 }, (_, i) => {
    return { date: [2024, 1, 1, 0, 0, i], isExpanded: true };
  });
  const bytes = upmuFile(blocks);
  const lost = bytes.slice();
  lost.fill(0, 2 * 9192 + 28, 2 * 9192 + 28 + 480);
  const cases: [Uint8Array<ArrayBuffer>, [number, number, number, number]][] = [
    [lost, [9, 8, 120, 2880]],
    [bytes.slice().fill(0, 9192, 2 * 9192), [8, 8, 120, 9192]],
    [Uint8Array.from([...bytes.slice(0, 9192), 1, 2, 3, ...bytes.slice(9192)]), [9, 9, 120, 3]],
    [bytes.slice().fill(0, 8 * 9192), [8, 8, 120, 9192]],
  ];
  for (const [content, [volts, watts, rows, badBytes]] of cases) {
    await assertRejects(() => imported(content), ImportError, "is broken");
    for (const input of [content, pieces(content, 997)]) {
      const notices: string[] = [];
      const onNotice = (text: string) => void notices.push(text);
      const { points, skipped } = await imported(input, { badRows: "skip", onNotice });
      assertEquals(valuesOf(points, "f/L1MAG"), Array(volts).fill(RAMP).flat());
      assertEquals(valuesOf(points, "f/FUND_W").length, 120 * watts);
      assertEquals(skipped, { rows, cells: 0 });
      assertEquals(notices, [`Left out ${badBytes} bytes of - in 1 broken blocks`]);
    }
  }
});

// A wrong interval gives all readings of its second wrong times; nothing was said.
Deno.test("openUpmuSource: a block of another interval than the first is a warning", async () => {
  const { warnings } = await imported(upmuFile([{ date: DAY }, { date: NEXT, intervalMs: 8.4 }]));
  assertEquals(warnings, [
    "1 of 2 blocks in - have another interval than the first, are they damaged?",
  ]);
});

Deno.test("openUpmuSource: an infinite value is an error with its place, or is skipped and counted", async () => {
  const bytes = upmuFile([{ date: DAY }, {
    date: NEXT,
    value: (k, i) => k === 7 && i === 4 ? -Infinity : i,
  }]);
  await assertRejects(
    () => imported(bytes),
    ImportError,
    "in the block at byte 6312, C1MAG is -Infinity",
  );
  const { points, skipped } = await imported(bytes, { badCells: "skip" });
  assertEquals(skipped, { rows: 0, cells: 1 });
  assertEquals([valuesOf(points).length, valuesOf(points, "f/C1MAG").length], [240, 239]);
});

Deno.test("openUpmuSource: a second that comes twice is a warning", async () => {
  const { points, warnings } = await imported(upmuFile([{ date: DAY }, { date: DAY }]));
  assertEquals(valuesOf(points).length, 240);
  assertEquals(warnings, [
    "1 of 2 blocks in - are of a second that is not after that of the block before",
  ]);
});

Deno.test("openUpmuSource: some columns, by name or number", async () => {
  const bytes = upmuFile([{ date: DAY, isExpanded: true }]);
  const { points, omitted } = await imported(bytes, { columns: ["FREQ_L1_C37", "1"] });
  assertEquals(Object.keys(points), ["f/L1MAG", "f/FREQ_L1_C37"]);
  assertEquals(omitted.length, 17);
  await assertRejects(
    () => imported(bytes, { columns: ["L1MAX"] }),
    ImportError,
    'Cannot use --column "L1MAX"',
  );
  await assertRejects(
    () => imported(upmuFile([{ date: DAY }]), { columns: ["FUND_W"] }),
    ImportError,
    'Cannot use --column "FUND_W"',
  );
  for (
    const [option, value] of [
      ["time-format", { timeFormat: "s" }],
      ["complete", { complete: true }],
      ["values", { values: "primary" }],
      ["names", { names: "plain" }],
    ] as const
  ) {
    await assertRejects(
      () => imported(bytes, value),
      ImportError,
      `Cannot use --${option} with upmu: it has no meaning there`,
    );
  }
});

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

Deno.test("openUpmuSource: compressed, in pieces of any size, and from a pipe", async () => {
  const bytes = upmuFile([{ date: DAY, isExpanded: true }, { date: NEXT, isExpanded: true }]);
  const { points } = await imported(bytes);
  assertEquals((await imported(gzipSync(bytes))).points, points);
  for (const size of [1, 997, 6312, 9193]) {
    assertEquals((await imported(pieces(bytes, size))).points, points);
  }
});

Deno.test("openUpmuSource: --resume takes the blocks that were added", async () => {
  const folder = await Deno.makeTempDir();
  await using db = await connect("memory:");
  try {
    const path = `${folder}/upmu.dat`;
    const bytes = upmuFile([{ date: DAY }, { date: NEXT }]);
    await Deno.writeFile(path, bytes.subarray(0, 10_000));
    const options = { stateFolder: folder, into: "p" };
    assertEquals((await importFile(db, path, options)).points, 13n * 120n);
    await Deno.writeFile(path, bytes);
    const more = await importFile(db, path, { ...options, resume: true, changed: true });
    assertEquals([more.fresh, more.points], [13 * 120, 2n * 13n * 120n]);
    assertEquals(await db.streamFromUUID(more.streams[0]!.uuid).count(), 240n);
    const grown = upmuFile([{ date: DAY }, { date: NEXT }, { date: NEXT, isExpanded: true }]);
    await Deno.writeFile(path, grown);
    await assertRejects(
      () => importFile(db, path, { ...options, resume: true, changed: true }),
      ImportError,
      "has power and frequency, which the blocks before the interruption did not have",
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("explain: what a µPMU's file holds", async () => {
  const plan = await explain(upmuFile([{ date: DAY }, { date: NEXT, isExpanded: true }]));
  assertEquals(plan.format, "upmu");
  assertEquals(plan.about, [
    ["blocks", "2 of one second, 1 of them expanded"],
    ["readings", "120 a second"],
  ]);
  assertEquals(plan.first, timeOf("2016-02-29T23:59:59Z", 0));
  assertEquals(plan.last, timeOf("2016-03-01T00:00:00Z", 119));
  assertEquals(plan.columns[0]!.unit, "Volt");
  assertEquals(plan.columns[0]!.stream, "stdin/L1MAG");
});

Deno.test("explain: samples of µPMUs", async () => {
  for (
    const [name, columns, seconds] of [
      ["upmu_standard_2s.dat", 13, 2],
      ["upmu_expansion_1s.dat", 19, 1],
    ] as const
  ) {
    const path = new URL(name, SAMPLES).pathname;
    try {
      await Deno.stat(path);
    } catch {
      console.warn("skipped, the samples are absent");
      return;
    }
    const { points } = await imported(path);
    assertEquals(Object.keys(points).length, columns);
    assertEquals(timesOf(points)[0], "2016-02-29T23:59:59Z");
    assertEquals(timesOf(points).length, 120 * seconds);
    // Both blocks of the first one are of the same second.
    assertEquals(new Set(timesOf(points)).size, 120);
    assertEquals(new Set(valuesOf(points, "f/L1ANG").slice(0, 2 * seconds)).size, 2);
    assertEquals(valuesOf(points, "f/L1ANG")[seconds], Math.fround(0.01));
    assert(valuesOf(points, "f/L1MAG").every((value) => Math.abs(value - 7200) < 100));
  }
});
