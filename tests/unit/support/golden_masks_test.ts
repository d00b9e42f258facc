/**
 * The masks of the real server's bugs, in answers like those that were recorded: what a masked step
 * must let pass, and what it still must notice.
 */

import { assert, assertEquals } from "@std/assert";
import type { StatColumns } from "../../../src/core/columns.ts";
import { type Answer, goldenDouble, type GoldenStep } from "../../support/golden/recording.ts";
import { Fnv1a } from "../../support/golden/checksum.ts";
import { compareAnswer } from "../../support/golden/compare.ts";

type Row = [time: number, min: number, mean: number, max: number, count: number];

const version = { versionMajor: "12", versionMinor: "0" };

function passes(step: Partial<GoldenStep>, answer: Answer): void {
  assertEquals(compareAnswer({ rpc: "", in: {}, out: {}, ...step }, answer), []);
}

function fails(step: Partial<GoldenStep>, answer: Answer): void {
  assert(compareAnswer({ rpc: "", in: {}, out: {}, ...step }, answer).length > 0);
}

function windows(rows: Row[]): Answer {
  const column = (i: number) => Float64Array.from(rows, (row) => row[i]!);
  const stats: StatColumns = {
    times: BigInt64Array.from(rows, ([time]) => BigInt(time)),
    min: column(1),
    mean: column(2),
    max: column(3),
    count: BigUint64Array.from(rows, ([, , , , count]) => BigInt(count)),
  };
  return { ...version, stats };
}

function recorded(rows: Row[]): unknown[] {
  return rows.map(([time, min, mean, max, count]) => [`${time}`, min, mean, max, `${count}`]);
}

/** A recorded answer that is only summed up. */
function summed(rows: Row[]): unknown {
  const { times, min, max, count } = windows(rows).stats!;
  const sum = new Fnv1a().column(times).column(min).column(max).column(count);
  const list = recorded(rows);
  return {
    count: rows.length,
    first: list[0],
    last: list.at(-1),
    checksum: sum.hex(),
    meanChecksum: "0",
    every: 2,
    sample: list.filter((_, i) => i % 2 === 0),
  };
}

const in50 = { start: "0", end: "50", width: "10" };
const full: Row[] = [[0, 1, 1, 1, 1], [10, 2, 3, 4, 2], [20, 0, 0, 0, 0], [30, 5, 5, 5, 1]];
const empty: Row = [40, 0, 0, 0, 0];
const data: Row = [40, 7, 7, 7, 1];

function windowsStep(quirks: string[], values: unknown, more = {}): Partial<GoldenStep> {
  return { rpc: "Windows", in: in50, out: { ...version, values, ...more }, quirks };
}

for (const [how, values] of [["in full", recorded(full)], ["summed up", summed(full)]] as const) {
  Deno.test(`compareAnswer: the last window that is missing, the others ${how}`, () => {
    const lastEmpty = windowsStep(["windows-last-empty-missing"], values);
    passes(lastEmpty, windows([...full, empty]));
    fails(lastEmpty, windows([...full, data]));
    fails(lastEmpty, windows(full));
    fails(lastEmpty, windows([...full.with(1, [10, 2, 3, 4, 3]), empty]));
    const lastData = windowsStep(["windows-last-data-missing"], values);
    passes(lastData, windows([...full, data]));
    fails(lastData, windows([...full, empty, [50, 0, 0, 0, 0]]));
    const stale = windowsStep(["stale-major-after-delete", "windows-last-empty-missing"], values, {
      versionMajor: "11",
    });
    passes(stale, windows([...full, empty]));
    fails(windowsStep(["windows-last-empty-missing"], values, { versionMajor: "11" }), {
      ...windows([...full, empty]),
    });
  });
}

Deno.test("compareAnswer: behind the last leaf of the tree more than one window is missing", () => {
  const end = String(3n * 2n ** 60n - 1n);
  const start = String(3n * 2n ** 60n - 51n);
  const step = windowsStep(["windows-last-data-missing"], recorded(full));
  const three: Row[] = [...full, data, [50, 0, 0, 0, 0]];
  passes({ ...step, in: { start, end, width: "10" } }, windows(three));
  fails(step, windows(three));
});

Deno.test("compareAnswer: the last window may be there with its buffered points only", () => {
  const partial: Row = [40, 3, 3, 3, 1], whole: Row = [40, 3, 5, 7, 2];
  const values = recorded([...full, partial]);
  const step = windowsStep(["windows-last-data-missing"], values, { versionMinor: "1" });
  passes(step, { ...windows([...full, whole]), versionMinor: "1" });
  fails(step, { ...windows([...full, [40, 0, 0, 0, 0]]), versionMinor: "1" });
  fails(windowsStep(["windows-last-data-missing"], values), windows([...full, whole]));
});

Deno.test("compareAnswer: min and max mixed with 0 beside a missing window", () => {
  const quirks = ["windows-last-empty-missing", "windows-buffer-minmax"];
  const values = recorded(full.with(1, [10, 0, 3, 4, 2]));
  passes(windowsStep(quirks, values), windows([...full, empty]));
  fails(windowsStep(quirks, values), windows([...full.with(1, [10, -2, 3, 4, 2]), empty]));
});

Deno.test("compareAnswer: points lost above 1024 in 4 ns, in windows", () => {
  const more: Row[] = [...full.with(1, [10, 2, 3, 9, 3]), data];
  for (const values of [recorded(full), summed(full)]) {
    const quirks = ["duplicates-truncated-1024", "windows-last-empty-missing"];
    passes(windowsStep(quirks, values), windows(more));
    fails(windowsStep(quirks, values), windows([...full.with(0, [0, 0, 0, 0, 0]), data]));
    fails(windowsStep(quirks, values), windows([...full.with(0, [0, 2, 2, 2, 1]), data]));
  }
});

Deno.test("compareAnswer: points lost above 1024 in 4 ns, for the nearest one", () => {
  const quirks = ["duplicates-truncated-1024"];
  const out = { ...version, value: ["100", 1] };
  const back = { rpc: "Nearest", in: { time: "120", backward: true }, out, quirks };
  passes(back, { ...version, value: [110n, 5] });
  passes(back, { ...version, value: [100n, 7] });
  fails(back, { ...version, value: [99n, 1] });
  fails(back, { ...version, value: [120n, 1] });
  const stat = { code: 401, msg: "no such point" };
  const none = { rpc: "Nearest", in: { time: "90" }, out: { stat }, quirks };
  passes(none, { stat });
  passes(none, { ...version, value: [90n, 1] });
  fails(none, { ...version, value: [89n, 1] });
  fails(none, { stat: { code: 404, msg: "stream not found" } });
});

Deno.test("compareAnswer: what nearest would answer without the bug, also nothing", () => {
  const stat = { code: 401, msg: "no such point" };
  const point = { rpc: "Nearest", out: { ...version, value: ["1", 1] } };
  const quirks = ["nearest-backward-bucket0"];
  for (const fixed of [["5", "-0"] as ["5", "-0"], { value: ["5", "-0"] as ["5", "-0"] }]) {
    passes({ ...point, quirks, fixed }, { ...version, value: [5n, -0] });
    fails({ ...point, quirks, fixed }, { ...version, value: [5n, 0] });
    fails({ ...point, quirks, fixed }, { ...version, versionMajor: "13", value: [5n, -0] });
    fails({ ...point, quirks, fixed }, { stat });
    passes({ ...point, out: { stat }, quirks, fixed }, { ...version, value: [5n, -0] });
    const stale = [...quirks, "stale-major-after-delete"];
    passes({ ...point, quirks: stale, fixed }, {
      ...version,
      versionMajor: "13",
      value: [5n, -0],
    });
  }
  for (const fixed of [null, { value: null }, { stat }]) {
    passes({ ...point, quirks, fixed }, { stat });
    fails({ ...point, quirks, fixed }, { ...version, value: [1n, 1] });
  }
});

Deno.test("compareAnswer: raw values in order of arrival, in full and summed up", () => {
  const quirks = ["buffer-not-sorted"];
  const raw = (times: bigint[]) => ({
    ...version,
    raw: { times: BigInt64Array.from(times), values: Float64Array.from(times, Number) },
  });
  const values = [["3", 3], ["1", 1], ["2", 2]];
  const step = { rpc: "RawValues", out: { ...version, values }, quirks };
  passes(step, raw([1n, 2n, 3n]));
  fails(step, raw([3n, 1n, 2n]));
  fails(step, raw([1n, 2n, 4n]));
  const sum = { count: 3, first: values[0], last: values[2], checksum: "0" };
  passes({ ...step, out: { ...version, values: sum } }, raw([1n, 2n, 3n]));
  fails({ ...step, out: { ...version, values: sum } }, raw([1n, 2n, 4n]));
  fails({ ...step, out: { ...version, values: sum } }, raw([1n, 2n]));
});

Deno.test("compareAnswer: lookups that returned too much, in full and summed up", () => {
  const found = (collection: string, i: number) => ({
    uuid: `00000000-0000-4000-8000-00000000000${i}`,
    collection,
    tags: {},
    annotations: {},
    annotationVersion: "1",
  });
  const own = [found("c", 1), found("c", 2)];
  const below = found("c/d", 3);
  const quirks = ["lookup-exact-subcollections"];
  const input = { collection: "c" };
  const list = { rpc: "LookupStreams", in: input, out: { results: [...own, below] }, quirks };
  passes(list, { results: own });
  fails(list, { results: [...own, below] });
  fails(list, { results: own.toReversed() });
  const results = { count: 3, first: own[0], last: below, checksum: "0" };
  const sum = { ...list, out: { results } };
  passes(sum, { results: own });
  fails(sum, { results: [...own, below] });
  fails(sum, { results: own.slice(1) });
});

const csv = { queryType: "WINDOWS_QUERY", startTime: "0", endTime: "25", windowSize: "10" };
const header = ["Timestamp (ns)", "Human-Readable Time (UTC)"];
const streams = [{ label: "a" }, { label: "b" }];
const rowAt = (time: string, ...cells: string[]) => [time, "1970-01-01T00:00:00Z", ...cells];
const one = ["1.000000", "1.000000", "1.000000", "1"];
const zero = ["0.000000", "0.000000", "0.000000", "0"];
const none = ["", "", "", ""];

Deno.test("compareAnswer: the last window that is missing in a CSV of windows", () => {
  const step = (rows: unknown) => ({
    rpc: "GenerateCSV",
    in: { ...csv, streams },
    out: { header, rows },
  });
  const first = rowAt("0", ...one, ...one);
  const answer = (...last: string[]) => ({ header, rows: [first, rowAt("10", ...last)] });
  passes(step([first]), answer(...zero, ...zero));
  passes(step([first, rowAt("10", ...one, ...none)]), answer(...one, ...zero));
  fails(step([first, rowAt("10", ...one, ...none)]), answer(...zero, ...zero));
  fails(step([]), answer(...zero, ...zero));
  fails(step([rowAt("0", ...one, ...none)]), answer(...zero, ...zero));
  const bytes = new TextEncoder().encode(`${first.join()}\n`);
  const sum = { count: 1, checksum: new Fnv1a().update(bytes).hex() };
  passes(step(sum), answer(...zero, ...zero));
  fails(step({ ...sum, checksum: "0" }), answer(...zero, ...zero));
});

Deno.test("compareAnswer: the other bugs in a CSV", () => {
  const step = (input: unknown, out: unknown, ...quirks: string[]) => ({
    rpc: "GenerateCSV",
    in: { ...csv, streams, ...input as object },
    out: out as GoldenStep["out"],
    quirks,
  });
  const rows = [rowAt("0", ...one, ...one), rowAt("10", ...one, ...one)];
  const wrapped = step({ depth: 256 }, { header, rows });
  passes(wrapped, { stat: { code: 415, msg: "window depth invalid" }, header });
  fails(wrapped, { header, rows });
  fails(wrapped, { stat: { code: 415, msg: "window depth invalid" }, header: ["x"] });
  const deep = step({ depth: 40 }, { header, rows: rows.slice(1) }, "windows-depth");
  passes(deep, { header, rows });
  fails(deep, { header, rows: rows.slice(1) });
  const mixed = rowAt("0", "0.000000", "1.000000", "1.000000", "1", ...one);
  const minmax = step({}, { header, rows: [mixed, rows[1]] }, "windows-buffer-minmax");
  passes(minmax, { header, rows });
  fails(minmax, { header, rows: [rowAt("0", ...one, ...zero), rows[1]!] });
  const named = (n: number) => [...header, `a, ver. ${n} (Min)`];
  const stale = step({}, { header: named(11), rows }, "stale-major-after-delete");
  passes(stale, { header: named(12), rows });
  fails(stale, { header: named(10), rows });
  fails(step({}, { header: named(11), rows }), { header: named(12), rows });
  const arrived = [rowAt("9", "1", "2"), rowAt("3", "", "4"), rowAt("3", "5", "")];
  const raw = step({ queryType: "RAW_QUERY" }, { header, rows: arrived }, "buffer-not-sorted");
  passes(raw, { header, rows: [rowAt("3", "5", "4"), rowAt("9", "1", "2")] });
  fails(raw, { header, rows: [rowAt("3", "5", "6"), rowAt("9", "1", "2")] });
});

Deno.test("compareAnswer: a step without a name is compared as it is", () => {
  const values = recorded(full);
  passes(windowsStep([], values), windows(full));
  fails(windowsStep([], values), windows([...full, empty]));
  fails(windowsStep(["no-such-bug"], values), windows(full));
  assertEquals(goldenDouble("-0"), -0);
});
