/**
 * Comparing an answer with a recorded one. The rules are those of the recordings' README; bugs of
 * the real server are masked by name, and only in the steps that carry the name.
 */

import type { RawColumns, StatColumns } from "../../src/core/columns.ts";
import type { Answer, GoldenDescriptor, GoldenStep } from "./golden.ts";
import { goldenDouble } from "./golden.ts";
import { Fnv1a } from "./golden_checksum.ts";

/** Why each bug is masked, and what is asked of the answer instead. */
export const QUIRKS: Readonly<Record<string, string>> = {
  "windows-last-empty-missing": "ours sends the last window; it must be empty",
  "windows-last-data-missing": "ours sends the last window, with its points",
  "windows-buffer-minmax": "recorded min and max are mixed with 0; ours are the true ones",
  "windows-depth": "ours are exact to the nanosecond; the number of windows is checked",
  "nearest-backward-bucket0": "ours must be the value computed from the points",
  "nearest-buffer-equals": "ours must be the value computed from the points",
  "buffer-not-sorted": "ours are in order of time, equal times in order of arrival",
  "stale-major-after-delete": "ours report the true major",
  "stale-version-after-obliterate": "ours answer 404",
  "aligned-pw61": "ours are multiples of 2^61 from the epoch; out of range is 413",
  "duplicates-truncated-1024": "ours keep every point",
  "uint8-wrap": "ours answer 415",
  "lookup-exact-subcollections": "ours are those of the collection itself",
  "lookup-prefix-into-tags": "ours are those whose collection has the prefix",
  "metadata-usage-annotations": "ours count annotations as tags are counted",
  "mean-overflow": "recorded mean is the overflow of the server's own sum",
};

/** Everything that differs, in words; empty when nothing does. */
export function compareAnswer(step: GoldenStep, answer: Answer): string[] {
  const quirks = new Set(step.quirks ?? []);
  for (const quirk of quirks) {
    if (!(quirk in QUIRKS)) return [`unknown quirk ${quirk}`];
  }
  const { out } = step;
  if (quirks.has("uint8-wrap")) return expectStat(answer, 415);
  if (quirks.has("stale-version-after-obliterate")) return expectStat(answer, 404);
  if (quirks.has("aligned-pw61")) return alignedPw61(step, answer);
  if (step.fixed !== undefined) {
    const value = Array.isArray(step.fixed) ? step.fixed : step.fixed.value;
    return compareValue(answer.value, value);
  }
  const failed = out.stat !== undefined || out.grpc !== undefined;
  const status = [
    ...expectSame("stat", answer.stat, out.stat),
    ...expectSame("grpc", answer.grpc, out.grpc),
  ];
  if (status.length > 0) return status;
  if (failed) return answer.header === undefined ? [] : compareFields(answer, out, ["header"]);
  return [...compareVersions(answer, out, quirks), ...compareContent(step, answer, quirks)];
}

function expectSame(what: string, actual: unknown, wanted: unknown): string[] {
  return same(actual, wanted) ? [] : [`${what}: ${show(actual)}, recorded ${show(wanted)}`];
}

function compareVersions(answer: Answer, out: Recorded, quirks: ReadonlySet<string>): string[] {
  const minor = expectSame("versionMinor", answer.versionMinor, out.versionMinor);
  if (!quirks.has("stale-major-after-delete")) {
    return [...expectSame("versionMajor", answer.versionMajor, out.versionMajor), ...minor];
  }
  return BigInt(answer.versionMajor ?? 0) >= BigInt(out.versionMajor)
    ? minor
    : [`versionMajor: ${answer.versionMajor} is below the stale ${out.versionMajor}`, ...minor];
}

/** What the answer holds beside versions. */
function compareContent(step: GoldenStep, answer: Answer, quirks: ReadonlySet<string>): string[] {
  const { out } = step;
  const differences = compareFields(answer, out, [
    "descriptor",
    "collections",
    "header",
    "tags",
    "majorVersion",
    "minorVersion",
    "build",
    ...quirks.has("metadata-usage-annotations") ? [] : ["annotations" as const],
  ]);
  if (answer.batches !== undefined && keepsLength(quirks)) {
    differences.push(...expectSame("batches", answer.batches, out.batches));
  }
  if (out.values !== undefined) differences.push(...compareValues(step, answer, quirks));
  if (out.ranges !== undefined) differences.push(...compareRanges(answer.ranges ?? [], out.ranges));
  if (out.value !== undefined) {
    differences.push(...compareValue(answer.value, out.value));
  }
  if (out.results !== undefined) {
    differences.push(...compareResults(step, answer.results ?? [], quirks));
  }
  if (out.rows !== undefined) differences.push(...compareRows(answer.rows ?? [], out.rows));
  return differences;
}

function compareFields(answer: Answer, out: Recorded, fields: (keyof Answer)[]): string[] {
  return fields.flatMap((field) =>
    out[field] === undefined ? [] : expectSame(field, answer[field], out[field])
  );
}

function compareValues(step: GoldenStep, answer: Answer, quirks: ReadonlySet<string>): string[] {
  if (step.rpc === "RawValues") {
    return answer.raw === undefined
      ? ["no raw values"]
      : compareRaw(answer.raw, step.out.values, quirks);
  }
  return answer.stats === undefined
    ? ["no windows"]
    : compareStats(step, answer.stats, step.out.values, quirks);
}

function compareValue(
  actual: Answer["value"],
  [time, value]: [string, number | string],
): string[] {
  const times = expectSame("time", String(actual?.[0]), time);
  return [...times, ...expectSame("value", actual?.[1], goldenDouble(value))];
}

/** Whether the recorded number of items is the true one. */
function keepsLength(quirks: ReadonlySet<string>): boolean {
  return ![
    "windows-last-empty-missing",
    "windows-last-data-missing",
    "windows-depth",
    "duplicates-truncated-1024",
    "lookup-exact-subcollections",
    "lookup-prefix-into-tags",
  ].some((quirk) => quirks.has(quirk));
}

function expectStat(answer: Answer, code: number): string[] {
  return answer.stat?.code === code ? [] : [`stat: ${show(answer.stat)}, expected code ${code}`];
}

function alignedPw61(step: GoldenStep, answer: Answer): string[] {
  if (BigInt(step.in.start) < 0n) return expectStat(answer, 413);
  const times = [...answer.stats?.times ?? []];
  return times.every((time) => time % (1n << 61n) === 0n)
    ? []
    : [`times ${times} are not multiples of 2^61`];
}

function show(value: unknown): string {
  const text = JSON.stringify(value, (_, v) => typeof v === "bigint" ? String(v) : v) ?? "nothing";
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}

function same(a: unknown, b: unknown): boolean {
  if (typeof a === "number" && typeof b === "number") return Object.is(a, b);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const keysA = Object.keys(a), keysB = Object.keys(b);
  return keysA.length === keysB.length &&
    keysA.every((key) =>
      same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])
    );
}

// deno-lint-ignore no-explicit-any
type Recorded = any;

function compareRaw(
  raw: RawColumns,
  recorded: Recorded,
  quirks: ReadonlySet<string>,
): string[] {
  const n = raw.times.length;
  if (!Array.isArray(recorded)) {
    const sum = new Fnv1a().column(raw.times).column(raw.values).hex();
    if (quirks.has("duplicates-truncated-1024")) {
      return n >= recorded.count ? [] : [`${n} points, recorded ${recorded.count}`];
    }
    if (n !== recorded.count) return [`${n} points, recorded ${recorded.count}`];
    return sum === recorded.checksum ? [] : [`checksum ${sum}, recorded ${recorded.checksum}`];
  }
  let rows = recorded.map(([time, value]: [string, number | string]) =>
    [BigInt(time), goldenDouble(value)] as [bigint, number]
  );
  if (quirks.has("duplicates-truncated-1024")) {
    const mine = new Set(Array.from(raw.times, (time, i) => `${time} ${raw.values[i]}`));
    const missing = rows.filter(([time, value]) => !mine.has(`${time} ${value}`));
    return missing.length === 0 ? [] : [`${missing.length} recorded points are missing`];
  }
  if (n !== rows.length) return [`${n} points, recorded ${rows.length}`];
  const mine = Array.from(raw.times, (time, i) => [time, raw.values[i]!] as [bigint, number]);
  for (let i = 1; i < n; i++) {
    if (mine[i]![0] < mine[i - 1]![0]) return [`point ${i} is not in order of time`];
  }
  if (!quirks.has("buffer-not-sorted")) {
    const wrong = rows.findIndex(([time], i) => time !== mine[i]![0]);
    if (wrong >= 0) return [`point ${wrong}: time ${mine[wrong]![0]}, recorded ${rows[wrong]![0]}`];
  }
  rows = sorted(rows);
  const ours = sorted(mine);
  const wrong = rows.findIndex(([time, value], i) =>
    time !== ours[i]![0] || !Object.is(value, ours[i]![1])
  );
  return wrong < 0 ? [] : [`point ${show(ours[wrong])}, recorded ${show(rows[wrong])}`];
}

/** By time, then value: points of equal time are a multiset. */
function sorted(points: [bigint, number][]): [bigint, number][] {
  return points.slice().sort(([ta, va], [tb, vb]) =>
    ta !== tb ? (ta < tb ? -1 : 1) : va !== vb ? va - vb : (Object.is(va, -0) ? 0 : 1) -
      (Object.is(vb, -0) ? 0 : 1)
  );
}

/** Windows by row, as recorded. */
function statRow(stats: StatColumns, i: number): [bigint, number, number, number, bigint] {
  return [stats.times[i]!, stats.min[i]!, stats.mean[i]!, stats.max[i]!, stats.count[i]!];
}

function compareStats(
  step: GoldenStep,
  stats: StatColumns,
  recorded: Recorded,
  quirks: ReadonlySet<string>,
): string[] {
  if (quirks.has("windows-depth")) {
    const { start, end, width } = step.in;
    const n = (BigInt(end) - BigInt(start)) / BigInt(width);
    return BigInt(stats.times.length) === n ? [] : [`${stats.times.length} windows, expected ${n}`];
  }
  const summary = !Array.isArray(recorded);
  const wanted: number = summary ? recorded.count : recorded.length;
  let n = stats.times.length;
  const lost = quirks.has("windows-last-empty-missing") || quirks.has("windows-last-data-missing");
  if (lost) {
    if (n !== wanted + 1) return [`${n} windows, expected ${wanted} and the missing one`];
    n--;
    if (quirks.has("windows-last-empty-missing") && stats.count[n] !== 0n) {
      return [`the last window has ${stats.count[n]} points, expected none`];
    }
  }
  if (quirks.has("duplicates-truncated-1024")) return containsWindows(stats, recorded);
  if (n !== wanted) return [`${n} windows, recorded ${wanted}`];
  if (!summary) {
    return firstDifference(n, (i) => compareRow(statRow(stats, i), recorded[i], quirks));
  }
  const differences = firstDifference(
    recorded.sample.length,
    (i) => compareRow(statRow(stats, i * recorded.every), recorded.sample[i], quirks),
  );
  if (differences.length > 0 || quirks.has("windows-buffer-minmax")) return differences;
  const sum = new Fnv1a().column(stats.times.subarray(0, n)).column(noZeroSign(stats.min, n))
    .column(noZeroSign(stats.max, n)).column(stats.count.subarray(0, n)).hex();
  return sum === recorded.checksum ? [] : [`checksum ${sum}, recorded ${recorded.checksum}`];
}

/** Whether every recorded window is there and has at least as many points. */
function containsWindows(stats: StatColumns, recorded: Recorded): string[] {
  const counts = new Map(Array.from(stats.times, (time, i) => [String(time), stats.count[i]!]));
  const missing = recorded.filter((row: Recorded) => (counts.get(row[0]) ?? -1n) < BigInt(row[4]));
  return missing.length === 0 ? [] : [`windows ${show(missing)} are missing or too small`];
}

function noZeroSign(column: Float64Array, n: number): Float64Array {
  return column.subarray(0, n).map((value) => value + 0);
}

function firstDifference(n: number, compare: (i: number) => string | undefined): string[] {
  for (let i = 0; i < n; i++) {
    const difference = compare(i);
    if (difference !== undefined) return [`window ${i}: ${difference}`];
  }
  return [];
}

function compareRow(
  mine: [bigint, number, number, number, bigint],
  recorded: Recorded,
  quirks: ReadonlySet<string>,
): string | undefined {
  const [time, min, mean, max, count] = mine;
  const wanted = {
    time: BigInt(recorded[0]),
    min: goldenDouble(recorded[1]),
    mean: goldenDouble(recorded[2]),
    max: goldenDouble(recorded[3]),
    count: BigInt(recorded[4]),
  };
  const mixed = quirks.has("windows-buffer-minmax");
  const fine = time === wanted.time &&
    count === wanted.count &&
    (min === wanted.min || (mixed && wanted.min === Math.min(min, 0))) &&
    (max === wanted.max || (mixed && wanted.max === Math.max(max, 0))) &&
    (sameMean(mean, wanted.mean, wanted.min, wanted.max) || quirks.has("mean-overflow"));
  return fine ? undefined : `${show(mine)}, recorded ${show(recorded)}`;
}

function sameMean(mean: number, wanted: number, min: number, max: number): boolean {
  if (!Number.isFinite(wanted) || !Number.isFinite(mean)) return Object.is(mean, wanted);
  return Math.abs(mean - wanted) <= 1e-9 * Math.max(Math.abs(min), Math.abs(max));
}

function compareRanges(ranges: [bigint, bigint][], recorded: Recorded): string[] {
  if (!Array.isArray(recorded)) {
    const sum = new Fnv1a().column(BigInt64Array.from(ranges, ([start]) => start))
      .column(BigInt64Array.from(ranges, ([, end]) => end)).hex();
    if (ranges.length !== recorded.count) {
      return [`${ranges.length} ranges, recorded ${recorded.count}`];
    }
    return sum === recorded.checksum ? [] : [`checksum ${sum}, recorded ${recorded.checksum}`];
  }
  const mine = ranges.map(([start, end]) => [String(start), String(end)]);
  return same(mine, recorded) ? [] : [`ranges ${show(mine)}, recorded ${show(recorded)}`];
}

function compareResults(
  step: GoldenStep,
  results: GoldenDescriptor[],
  quirks: ReadonlySet<string>,
): string[] {
  let wanted: Recorded = step.out.results;
  const { collection } = step.in;
  if (!Array.isArray(wanted)) {
    const uuids = results.map((result) =>
      Uint8Array.from(result.uuid.replaceAll("-", "").match(/../g)!, (hex) => parseInt(hex, 16))
    );
    const sum = uuids.reduce((fnv, bytes) => fnv.update(bytes), new Fnv1a()).hex();
    return sum === wanted.checksum ? [] : [`checksum ${sum}, recorded ${wanted.checksum}`];
  }
  if (quirks.has("lookup-exact-subcollections")) {
    wanted = wanted.filter((result: GoldenDescriptor) => result.collection === collection);
  }
  if (quirks.has("lookup-prefix-into-tags")) {
    wanted = wanted.filter((result: GoldenDescriptor) =>
      `${result.collection}/`.startsWith(collection)
    );
  }
  return same(results, wanted) ? [] : [`results ${show(results)}, recorded ${show(wanted)}`];
}

function compareRows(rows: string[][], recorded: Recorded): string[] {
  if (Array.isArray(recorded)) {
    return same(rows, recorded) ? [] : [`rows ${show(rows)}, recorded ${show(recorded)}`];
  }
  if (rows.length !== recorded.count) return [`${rows.length} rows, recorded ${recorded.count}`];
  const encoder = new TextEncoder();
  const fnv = new Fnv1a();
  for (const row of rows) fnv.update(encoder.encode(`${row.join(",")}\n`));
  return fnv.hex() === recorded.checksum
    ? []
    : [`checksum ${fnv.hex()}, recorded ${recorded.checksum}`];
}
