/**
 * Comparing CSV with recorded CSV. Its steps were recorded without the names of the bugs that show
 * in them, so two are known here by what they look like: a depth taken modulo 256, and the last window
 * of a stream that is not sent. Those that a step does name are masked as everywhere.
 */

import type { Answer, GoldenStep } from "./recording.ts";
import { Fnv1a } from "./checksum.ts";
import { countOf, expectSame, type Quirks, type Recorded, same, show } from "./diff.ts";

/** Cells before those of the first stream. */
const TIME_CELLS = 2;

/** Streams of a CSV of which every choice is tried. */
const MOST_STREAMS = 10;

/** Tells whether the real server took the depth of this step for another one. */
export function isWrappedDepth({ rpc, in: input }: GoldenStep): boolean {
  return rpc === "GenerateCSV" && input.queryType === "WINDOWS_QUERY" &&
    (input.depth ?? 0) > 255 && (input.streams ?? []).length > 0;
}

/** Differences in the header, in which a stale version is a smaller number. */
export function compareHeader(answer: Answer, recorded: Recorded, quirks: Quirks): string[] {
  if (recorded === undefined) return [];
  const mine = answer.header ?? [];
  if (!quirks.has("stale-major-after-delete")) return expectSame("header", mine, recorded);
  const split = (cells: string[]) =>
    cells.map((cell) => {
      const [, label, version, rest] = /^(.*, ver\. )(\d+)(.*?)$/s.exec(cell) ??
        ["", cell, "0", ""];
      return { text: `${label}${rest}`, version: Number(version) };
    });
  const ours = split(mine), theirs = split(recorded);
  const texts = (parts: typeof ours) => parts.map(({ text }) => text);
  const older = ours.findIndex(({ version }, i) => version < (theirs[i]?.version ?? 0));
  return older >= 0
    ? [`header: ${show(mine[older])} is below the stale ${show(recorded[older])}`]
    : expectSame("header", texts(ours), texts(theirs));
}

/** Differences in the rows. */
export function compareRows(step: GoldenStep, rows: string[][], quirks: Quirks): string[] {
  const recorded = step.out.rows;
  const windows = step.in.queryType === "WINDOWS_QUERY" && (step.in.streams ?? []).length > 0;
  if (windows && quirks.has("windows-depth")) {
    const wanted = windowsOf(step);
    return BigInt(rows.length) === wanted ? [] : [`${rows.length} rows, expected ${wanted}`];
  }
  if (quirks.has("duplicates-truncated-1024")) {
    const missing = known(recorded).filter(([time]) => !rows.some((row) => row[0] === time));
    return missing.length === 0 ? [] : [`rows ${show(missing)} are missing`];
  }
  if (quirks.has("buffer-not-sorted")) return compareCells(step, rows, recorded);
  const mixed = quirks.has("windows-buffer-minmax");
  const first = compareAsSent(rows, recorded, mixed);
  if (first.length === 0 || !windows) return first;
  for (const candidate of withoutLastWindows(step, rows)) {
    if (compareAsSent(candidate, recorded, mixed).length === 0) return [];
  }
  return first;
}

/** The recorded rows, or those that are left of them. */
function known(recorded: Recorded): string[][] {
  if (Array.isArray(recorded)) return recorded;
  return [recorded.first, recorded.last].filter((row) => Array.isArray(row));
}

/** @param mixed True if the recorded min and max of a window may be 0 instead of the true ones. */
function compareAsSent(rows: string[][], recorded: Recorded, mixed: boolean): string[] {
  const wanted = countOf(recorded);
  if (rows.length !== wanted) return [`${rows.length} rows, recorded ${wanted}`];
  if (Array.isArray(recorded)) {
    const wrong = rows.findIndex((row, i) =>
      !same(row, mixed ? unmixed(row, recorded[i]) : recorded[i])
    );
    return wrong < 0 ? [] : [`row ${show(rows[wrong])}, recorded ${show(recorded[wrong])}`];
  }
  if (mixed) return [];
  const encoder = new TextEncoder();
  const fnv = new Fnv1a();
  for (const row of rows) fnv.update(encoder.encode(`${row.join(",")}\n`));
  return fnv.hex() === recorded.checksum
    ? []
    : [`checksum ${fnv.hex()}, recorded ${recorded.checksum}`];
}

/** A recorded row of windows, with our min and max where the recorded ones are 0. */
function unmixed(mine: string[], recorded: string[]): string[] {
  return recorded.map((cell, i) => {
    const isExtreme = i >= TIME_CELLS && (i - TIME_CELLS) % 2 === 0;
    return isExtreme && /^-?0\.0*$/.test(cell) ? mine[i] ?? cell : cell;
  });
}

/** The points or windows of each stream, whatever the order. */
function compareCells(step: GoldenStep, rows: string[][], recorded: Recorded): string[] {
  if (!Array.isArray(recorded)) return [];
  const width = step.in.queryType === "RAW_QUERY" ? 1 : 4;
  const cells = (list: string[][]) =>
    list.flatMap((row) => {
      const found: string[] = [];
      for (let at = TIME_CELLS; at < row.length; at += width) {
        const cell = row.slice(at, at + width).join();
        if (/[^,]/.test(cell)) found.push(`${row[0]} ${row[1]} ${at}: ${cell}`);
      }
      return found;
    }).sort();
  return expectSame("cells", cells(rows), cells(recorded));
}

function windowsOf({ in: input }: GoldenStep): bigint {
  return (BigInt(input.endTime ?? 0) - BigInt(input.startTime ?? 0)) / BigInt(input.windowSize);
}

/** Our rows without the last window of some of the streams, for every choice of streams. */
function* withoutLastWindows(step: GoldenStep, rows: string[][]): Generator<string[][]> {
  const { startTime = 0, windowSize, streams } = step.in;
  const last = String(BigInt(startTime) + (windowsOf(step) - 1n) * BigInt(windowSize));
  const row = rows.at(-1);
  if (row === undefined || row[0] !== last || streams.length > MOST_STREAMS) return;
  for (let choice = 1; choice < 2 ** streams.length; choice++) {
    const left = row.map((cell, i) => {
      const stream = Math.floor((i - TIME_CELLS) / 4);
      return i >= TIME_CELLS && (choice & (1 << stream)) !== 0 ? "" : cell;
    });
    const empty = left.slice(TIME_CELLS).every((cell) => cell === "");
    yield empty ? rows.slice(0, -1) : [...rows.slice(0, -1), left];
  }
}
