import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import type { RawColumns } from "../../../src/core/columns.ts";
import { type CsvStream, formatCsv, mergeTimes, parseCsv } from "../../../src/kernel/mod.ts";
import { referenceRows } from "../../support/csv_reference.ts";
import { toRaw } from "../../support/columns_arbitrary.ts";

const decoder = new TextDecoder();
const text = (csv: Uint8Array) => decoder.decode(csv);
const at = (time: bigint, value: number): RawColumns => toRaw([[time, value]]);
const HEADER = "Timestamp (ns),Human-Readable Time (UTC)";

Deno.test("formatCsv without streams is the header of the two times", () => {
  assertEquals(text(formatCsv([])), `${HEADER}\n`);
  assertEquals(text(formatCsv([], { header: false })), "");
  assertEquals(text(formatCsv([{ label: "a", columns: toRaw([]) }])), `${HEADER},a\n`);
});

Deno.test("formatCsv quotes labels as RFC 4180 says", () => {
  const labels = ["with, comma", 'with "quotes"', "line\nbreak", "", "ünï ✓", " space ", "\r"];
  const streams = labels.map((label) => ({ label, columns: toRaw([]) }));
  const header = `${HEADER},"with, comma","with ""quotes""","line\nbreak",,ünï ✓, space ,"\r"\n`;
  assertEquals(text(formatCsv(streams)), header);
  assertEquals(parseCsv(formatCsv(streams)).map(({ label }) => label), labels);
});

Deno.test("formatCsv names four columns for windows", () => {
  const columns = {
    times: BigInt64Array.of(5n, 9n),
    min: Float64Array.of(-1, 0),
    mean: Float64Array.of(0.5, Infinity),
    max: Float64Array.of(2, 0),
    count: BigUint64Array.of(3n, (1n << 64n) - 1n),
  };
  assertEquals(
    text(formatCsv([{ label: "a", columns }, { label: "b", columns: sliceFirst(columns) }])),
    `${HEADER},a (Min),a (Mean),a (Max),a (Count),b (Min),b (Mean),b (Max),b (Count)\n` +
      "5,1970-01-01T00:00:00Z,-1,0.5,2,3,-1,0.5,2,3\n" +
      "9,1970-01-01T00:00:00Z,0,Infinity,0,18446744073709551615,,,,\n",
  );
});

function sliceFirst<T extends Record<string, { slice(a: number, b: number): unknown }>>(c: T): T {
  return Object.fromEntries(Object.entries(c).map(([k, v]) => [k, v.slice(0, 1)])) as T;
}

Deno.test("formatCsv writes what a server writes for numbers without six decimals", () => {
  const values = [1e300, 5e-324, 1 / 128, 3 / 128, -0, NaN, Infinity, -Infinity, 2 ** 63, 1e-10];
  const columns = { times: new BigInt64Array(values.length), values: Float64Array.from(values) };
  const lines = text(formatCsv([{ label: "", columns }], { numbers: "fixed6" })).split("\n");
  assertEquals(lines.slice(2, -1).map((line) => line.split(",")[2]), [
    "0.000000",
    "0.007812",
    "0.023438",
    "-0.000000",
    "NaN",
    "+Inf",
    "-Inf",
    "9223372036854775808.000000",
    "0.000000",
  ]);
  assertEquals(lines[1]!.split(",")[2], `${BigInt(1e300)}.000000`);
});

Deno.test("formatCsv: inputs of any length, in pieces, give the rows of the whole", () => {
  const streams: CsvStream[] = [9_000, 20_001, 1, 0].map((n, s) => {
    const times = BigInt64Array.from(
      { length: n },
      (_, i) => BigInt(i * (s + 1) + (i % 7 ? 0 : 1)),
    );
    return {
      label: "x",
      columns: { times: times.sort(), values: new Float64Array(n).fill(s / 3) },
    };
  });
  const csv = text(formatCsv(streams, { header: false, numbers: "fixed6" }));
  const expected = referenceRows(streams.map(({ columns }) => columns), "fixed6", 0);
  assertStrictEquals(csv === expected, true);
});

Deno.test("formatCsv: as many streams as a file may have columns", () => {
  const n = 4096;
  const all = Array.from({ length: n }, (_, s) => toRaw([[BigInt(s % 100), s], [200n, 2 * s]]));
  const { times, rows } = mergeTimes(all.map(({ times }) => times));
  assertEquals(times.length, 101);
  assertEquals([rows[4095]![95], rows[4095]![96], rows[4095]![100]], [0, -1, 1]);
  const streams = all.map((columns) => ({ label: "x", columns }));
  const csv = text(formatCsv(streams, { header: false }));
  assertStrictEquals(csv === referenceRows(all, "shortest", 0), true);
});

Deno.test("formatCsv: a row longer than a piece comes in one piece", () => {
  const streams = Array.from({ length: 4000 }, () => ({ label: "x", columns: at(1n, -1e308) }));
  const csv = text(formatCsv(streams, { header: false, numbers: "fixed6" }));
  const cell = `,-${BigInt(1e308)}.000000`;
  assertStrictEquals(csv === `1,1970-01-01T00:00:00Z${cell.repeat(4000)}\n`, true);
});

Deno.test("formatCsv: results belong to the caller and stay as they are", () => {
  const first = formatCsv([{ label: "a", columns: at(1n, 1) }]);
  const copy = first.slice();
  const merged = mergeTimes([BigInt64Array.of(1n)]);
  formatCsv([{ label: "b", columns: at(2n, 2) }]);
  mergeTimes([new BigInt64Array(300_000)]);
  assertEquals(first, copy);
  assertEquals(merged, { times: BigInt64Array.of(1n), rows: [Int32Array.of(0)] });
});

Deno.test("formatCsv: columns may be views into larger buffers", () => {
  const times = BigInt64Array.of(9n, 1n, 2n, 9n).subarray(1, 3);
  const values = Float64Array.of(9, 0.5, 1.5, 9).subarray(1, 3);
  assertEquals(
    text(formatCsv([{ label: "a", columns: { times, values } }], { header: false })),
    "1,1970-01-01T00:00:00Z,0.5\n2,1970-01-01T00:00:00Z,1.5\n",
  );
  assertEquals(mergeTimes([times]).times, times.slice());
});

Deno.test("formatCsv: mistakes in arguments name argument, value and what is expected", () => {
  const columns = at(1n, 1);
  const stat = {
    times: columns.times,
    min: columns.values,
    mean: columns.values,
    max: columns.values,
    count: BigUint64Array.of(1n),
  };
  const cases: [() => unknown, typeof TypeError | typeof RangeError, string][] = [
    [() => formatCsv([{ label: "a", columns }], { numbers: "e" as "fixed6" }), RangeError, '"e"'],
    [() => formatCsv([], { timeDigits: 3 as 9 }), RangeError, "timeDigits is 3, expected 0 or 9"],
    [() => formatCsv({} as []), TypeError, "expected an array"],
    [() => formatCsv([{ label: 5 as unknown as string, columns }]), TypeError, "label is 5"],
    [() => formatCsv([{ label: "a", columns }, { label: "b", columns: stat }]), TypeError, "mixed"],
    [
      () => formatCsv([{ label: "a", columns: { ...columns, values: new Float64Array(2) } }]),
      RangeError,
      "values has 2 elements, expected 1",
    ],
    [() => mergeTimes([[1n]] as unknown as BigInt64Array[]), TypeError, "streams[0]"],
    [() => mergeTimes(5 as unknown as []), TypeError, "streams is 5"],
    [() => mergeTimes(new Array(65_537).fill(columns.times)), RangeError, "65537 streams"],
  ];
  for (const [call, error, message] of cases) assertThrows(call, error, message);
  const detached = BigInt64Array.of(1n);
  structuredClone(detached, { transfer: [detached.buffer] });
  assertThrows(() => mergeTimes([detached]), TypeError, "detached");
});
