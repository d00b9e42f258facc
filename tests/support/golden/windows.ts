/** Comparing windows with recorded ones. */

import type { StatColumns } from "../../../src/core/columns.ts";
import { MAX_TIME } from "../../../src/core/range.ts";
import type { Answer, GoldenStep } from "./recording.ts";
import { goldenDouble } from "./recording.ts";
import { Fnv1a } from "./checksum.ts";
import { countOf, expectSame, expectStat, type Quirks, type Recorded, show } from "./diff.ts";

/** Beginning of the last bucket of the tree's root. */
const LAST_BUCKET = MAX_TIME - 2n ** 56n;

/** A window by row, as recorded. */
type Row = [time: bigint, min: number, mean: number, max: number, count: bigint];

function rowOf(stats: StatColumns, i: number): Row {
  return [stats.times[i]!, stats.min[i]!, stats.mean[i]!, stats.max[i]!, stats.count[i]!];
}

function recordedRow([time, min, mean, max, count]: Recorded): Row {
  return [BigInt(time), goldenDouble(min), goldenDouble(mean), goldenDouble(max), BigInt(count)];
}

/** Differences of windows. */
export function compareStats(step: GoldenStep, stats: StatColumns, quirks: Quirks): string[] {
  const recorded = step.out.values;
  const n = stats.times.length;
  if (quirks.has("windows-depth")) {
    const { start = 0, end = 0, width } = step.in;
    const wanted = (BigInt(end) - BigInt(start)) / BigInt(width);
    return BigInt(n) === wanted ? [] : [`${n} windows, expected ${wanted}`];
  }
  let wanted = countOf(recorded);
  const lost = quirks.has("windows-last-empty-missing") || quirks.has("windows-last-data-missing");
  if (lost) {
    const wrong = compareMissing(step, stats, quirks);
    if (wrong.length > 0) return wrong;
    // The last window was sent, but only with what of it was in the buffer.
    if (n === wanted) wanted--;
  }
  if (quirks.has("duplicates-truncated-1024")) return containsWindows(stats, recorded, quirks);
  if (!lost && n !== wanted) return [`${n} windows, recorded ${wanted}`];
  if (Array.isArray(recorded)) {
    return firstDifference(wanted, (i) => compareRow(rowOf(stats, i), recorded[i], quirks));
  }
  return compareSummary(stats, recorded, wanted, quirks);
}

/**
 * Checks that the windows that were not recorded are those that the real server leaves out: the
 * last one; in the last bucket of the root also all others behind the last point of its last leaf.
 * And, as far as the name says it, whether they are empty.
 */
function compareMissing({ in: input, out }: GoldenStep, stats: StatColumns, quirks: Quirks) {
  const n = stats.times.length;
  const wanted = countOf(out.values);
  const missing = n - wanted;
  const partial = missing === 0 && n > 0 && Array.isArray(out.values) && out.versionMinor !== "0";
  if (partial) {
    const [time, , , , count] = recordedRow(out.values[n - 1]);
    return time === stats.times[n - 1] && count <= stats.count[n - 1]!
      ? []
      : [`the last window is ${show(rowOf(stats, n - 1))}, recorded ${show(out.values[n - 1])}`];
  }
  if (missing !== 1 && !(missing > 1 && BigInt(input.end) > LAST_BUCKET)) {
    return [`${n} windows, expected ${wanted} and the missing one`];
  }
  const named = quirks.has("windows-last-data-missing") || quirks.has("duplicates-truncated-1024");
  const full = named ? -1 : stats.count.subarray(wanted).findIndex((count) => count !== 0n);
  return full < 0 ? [] : [`a window left out has ${stats.count[wanted + full]} points`];
}

function compareSummary(
  stats: StatColumns,
  recorded: Recorded,
  n: number,
  quirks: Quirks,
): string[] {
  const differences = firstDifference(
    recorded.sample.length,
    (i) => compareRow(rowOf(stats, i * recorded.every), recorded.sample[i], quirks),
  );
  if (differences.length > 0) return differences;
  if (quirks.has("windows-buffer-minmax") || n !== recorded.count) return [];
  const sum = new Fnv1a().column(stats.times.subarray(0, n)).column(noZeroSign(stats.min, n))
    .column(noZeroSign(stats.max, n)).column(stats.count.subarray(0, n)).hex();
  return sum === recorded.checksum ? [] : [`checksum ${sum}, recorded ${recorded.checksum}`];
}

/** Checks that every known window is there, with at least its points. */
function containsWindows(stats: StatColumns, recorded: Recorded, quirks: Quirks): string[] {
  const known: Recorded[] = Array.isArray(recorded)
    ? recorded
    : [recorded.first, ...recorded.sample, recorded.last];
  const index = new Map(Array.from(stats.times, (time, i) => [time, i]));
  const missing = known.filter((row) => {
    const [time, min, , max, count] = recordedRow(row);
    const i = index.get(time);
    if (i === undefined || stats.count[i]! < count) return true;
    if (count === 0n || quirks.has("windows-buffer-minmax")) return false;
    return stats.min[i]! > min || stats.max[i]! < max;
  });
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

function compareRow(mine: Row, recorded: Recorded, quirks: Quirks): string | undefined {
  const [time, min, mean, max, count] = mine;
  const wanted = recordedRow(recorded);
  const mixed = quirks.has("windows-buffer-minmax");
  const fine = time === wanted[0] &&
    count === wanted[4] &&
    (min === wanted[1] || (mixed && wanted[1] === Math.min(min, 0))) &&
    (max === wanted[3] || (mixed && wanted[3] === Math.max(max, 0))) &&
    (sameMean(mean, wanted) || quirks.has("mean-overflow"));
  return fine ? undefined : `${show(mine)}, recorded ${show(recorded)}`;
}

function sameMean(mean: number, [, min, wanted, max]: Row): boolean {
  if (!Number.isFinite(wanted) || !Number.isFinite(mean)) return Object.is(mean, wanted);
  return Math.abs(mean - wanted) <= 1e-9 * Math.max(Math.abs(min), Math.abs(max));
}

/** Differences where the real server's grid is another: ours is that of multiples of 2^61. */
export function compareAlignedPw61(step: GoldenStep, answer: Answer): string[] {
  if (BigInt(step.in.start ?? 0) < 0n) return expectStat(answer, 413);
  const times = [...answer.stats?.times ?? []];
  return times.every((time) => time % (1n << 61n) === 0n)
    ? expectSame("stat", answer.stat, step.out.stat)
    : [`times ${times} are not multiples of 2^61`];
}
