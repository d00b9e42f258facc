/**
 * Comparing an answer with a recorded one. The rules are those of the recordings' README; bugs of
 * the real server are masked by name, and only in the steps that carry the name.
 */

import { uuidBytes } from "../../../src/core/uuid.ts";
import type { Answer, FixedValue, GoldenDescriptor, GoldenStep } from "./recording.ts";
import { goldenDouble } from "./recording.ts";
import { Fnv1a } from "./checksum.ts";
import { compareHeader, compareRows, isWrappedDepth } from "./csv.ts";
import { expectSame, expectStat, type Quirks, type Recorded, same, show } from "./diff.ts";
import { compareRaw } from "./points.ts";
import { compareAlignedPw61, compareStats } from "./windows.ts";

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
  if (isWrappedDepth(step)) {
    return [...expectStat(answer, 415), ...compareHeader(answer, out.header, quirks)];
  }
  if (quirks.has("stale-version-after-obliterate")) return expectStat(answer, 404);
  if (quirks.has("aligned-pw61")) return compareAlignedPw61(step, answer);
  if (step.fixed !== undefined) return compareFixed(step, answer, quirks);
  if (step.rpc === "Nearest" && quirks.has("duplicates-truncated-1024")) {
    return compareNearer(step, answer);
  }
  const failed = out.stat !== undefined || out.grpc !== undefined;
  const status = [
    ...expectSame("stat", answer.stat, out.stat),
    ...expectSame("grpc", answer.grpc, out.grpc),
  ];
  if (status.length > 0) return status;
  if (failed) return compareHeader(answer, out.header, quirks);
  return [...compareVersions(answer, out, quirks), ...compareContent(step, answer, quirks)];
}

/** The answer a server without the bug would give to `Nearest`, where the recording says it. */
function compareFixed({ fixed, out }: GoldenStep, answer: Answer, quirks: Quirks): string[] {
  const whole = fixed !== null && fixed !== undefined && !Array.isArray(fixed) ? fixed : undefined;
  const value = whole === undefined ? fixed as FixedValue | null : whole.value;
  if (value === null || value === undefined) {
    return whole?.stat === undefined
      ? expectStat(answer, 401)
      : expectSame("stat", answer.stat, whole.stat);
  }
  const versions = out.versionMajor === undefined ? [] : compareVersions(answer, out, quirks);
  return [...versions, ...compareValue(answer.value, value)];
}

/**
 * `Nearest` where the real server has lost points: ours may be nearer than the recorded one, or the
 * only one.
 */
function compareNearer({ in: input, out }: GoldenStep, answer: Answer): string[] {
  const mine = answer.value;
  if (mine === undefined) return expectSame("stat", answer.stat, out.stat);
  const time = BigInt(input.time ?? 0);
  const between = input.backward
    ? mine[0] < time && (out.value === undefined || mine[0] >= BigInt(out.value[0]))
    : mine[0] >= time && (out.value === undefined || mine[0] <= BigInt(out.value[0]));
  return between ? [] : [`${show(mine)} is further away than the recorded ${show(out.value)}`];
}

function compareVersions(answer: Answer, out: Recorded, quirks: Quirks): string[] {
  const minor = expectSame("versionMinor", answer.versionMinor, out.versionMinor);
  if (!quirks.has("stale-major-after-delete") || out.versionMajor === undefined) {
    return [...expectSame("versionMajor", answer.versionMajor, out.versionMajor), ...minor];
  }
  return BigInt(answer.versionMajor ?? 0) >= BigInt(out.versionMajor)
    ? minor
    : [`versionMajor: ${answer.versionMajor} is below the stale ${out.versionMajor}`, ...minor];
}

/** Differences in the content of an answer, versions left out. */
function compareContent(step: GoldenStep, answer: Answer, quirks: Quirks): string[] {
  const { out } = step;
  const differences = compareFields(answer, out, [
    "descriptor",
    "collections",
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
  differences.push(...compareHeader(answer, out.header, quirks));
  if (out.rows !== undefined) differences.push(...compareRows(step, answer.rows ?? [], quirks));
  return differences;
}

function compareFields(answer: Answer, out: Recorded, fields: (keyof Answer)[]): string[] {
  return fields.flatMap((field) =>
    out[field] === undefined ? [] : expectSame(field, answer[field], out[field])
  );
}

function compareValues(step: GoldenStep, answer: Answer, quirks: Quirks): string[] {
  if (step.rpc === "RawValues") {
    return answer.raw === undefined
      ? ["no raw values"]
      : compareRaw(answer.raw, step.out.values, quirks);
  }
  return answer.stats === undefined ? ["no windows"] : compareStats(step, answer.stats, quirks);
}

function compareValue(
  actual: Answer["value"],
  [time, value]: [string, number | string],
): string[] {
  const times = expectSame("time", String(actual?.[0]), time);
  return [...times, ...expectSame("value", actual?.[1], goldenDouble(value))];
}

/** Tells whether the recorded number of items is the true one. */
function keepsLength(quirks: Quirks): boolean {
  return ![
    "windows-last-empty-missing",
    "windows-last-data-missing",
    "windows-depth",
    "duplicates-truncated-1024",
    "lookup-exact-subcollections",
    "lookup-prefix-into-tags",
  ].some((quirk) => quirks.has(quirk));
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

/** Tells whether a real server without its bugs would have found a stream. */
function isAskedFor({ in: input }: GoldenStep, found: GoldenDescriptor, quirks: Quirks): boolean {
  const collection: string = input.collection ?? "";
  if (quirks.has("lookup-exact-subcollections") && found.collection !== collection) return false;
  return !quirks.has("lookup-prefix-into-tags") || `${found.collection}/`.startsWith(collection);
}

function compareResults(step: GoldenStep, results: GoldenDescriptor[], quirks: Quirks): string[] {
  const recorded: Recorded = step.out.results;
  if (Array.isArray(recorded)) {
    const wanted = recorded.filter((found) => isAskedFor(step, found, quirks));
    return same(results, wanted) ? [] : [`results ${show(results)}, recorded ${show(wanted)}`];
  }
  if (results.every((found) => isAskedFor(step, found, quirks)) && !keepsLength(quirks)) {
    const ends = [recorded.first, recorded.last].filter((found) =>
      found?.collection !== undefined && isAskedFor(step, found, quirks)
    );
    const missing = ends.filter((end) => !results.some((found) => same(found, end)));
    if (missing.length > 0) return [`results ${show(missing)} are missing`];
    return results.length <= recorded.count
      ? []
      : [`${results.length} results, recorded ${recorded.count}`];
  }
  if (results.length !== recorded.count) {
    return [`${results.length} results, recorded ${recorded.count}`];
  }
  const uuids = results.map((result) => uuidBytes(result.uuid));
  const sum = uuids.reduce((fnv, bytes) => fnv.update(bytes), new Fnv1a()).hex();
  return sum === recorded.checksum ? [] : [`checksum ${sum}, recorded ${recorded.checksum}`];
}
