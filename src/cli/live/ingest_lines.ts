/**
 * Reports of a live ingest as lines for people.
 *
 * @module
 */

import type { IngestReport, SourceReport } from "../../ingest/c37118/mod.ts";
import { bytesText, plural } from "../terminal/format.ts";

const DIFFERENCES = [
  "dataFrames",
  "lost",
  "badCrc",
  "late",
  "repeated",
  "conflicts",
  "unconfigured",
  "mismatched",
  "outdated",
  "malformed",
  "overrun",
  "foreign",
  "skippedBytes",
] as const;

/** Names of counters that are shown only if they are not 0. */
const NAMES = {
  repeated: "repeated",
  conflicts: "of the time of another",
  unconfigured: "without configuration",
  mismatched: "of another size",
  outdated: "read by an outdated configuration",
  malformed: "malformed",
  overrun: "too fast or too many",
  foreign: "datagrams of others",
  skippedBytes: "bytes skipped",
} as const;

/** Counts of a source less those of an earlier report. */
function since(now: SourceReport, before: SourceReport | undefined): SourceReport {
  const result = { ...now };
  if (before !== undefined) { for (const key of DIFFERENCES) result[key] -= before[key]; }
  return result;
}

/**
 * One line about the time between two reports.
 *
 * @param now Counts now.
 * @param before Counts at the last line; without it, all of the run.
 */
export function ingestLine(now: IngestReport, before: IngestReport | undefined): string {
  const isLast = before === undefined;
  const sources = now.sources.map((source, i) =>
    sourceText(since(source, before?.sources[i]), isLast)
  );
  const stored = now.stored - (before?.stored ?? 0);
  const parts = [`${plural(stored, "point")} stored`];
  if (now.spooled > 0) {
    parts.push(`${plural(now.spooled, "point")} in the spool (${bytesText(now.spoolBytes)})`);
  }
  const dropped = now.dropped - (before?.dropped ?? 0);
  if (dropped > 0) parts.push(`${plural(dropped, "point")} dropped`);
  const refused = now.refused - (before?.refused ?? 0);
  if (refused > 0) parts.push(`${plural(refused, "point")} refused`);
  if (now.databaseAway) parts.push("the database does not answer");
  return `${parts.join(", ")}; ${sources.join("; ")}`;
}

function sourceText(source: SourceReport, isLast: boolean): string {
  const { dataFrames, lost, badCrc, late, connected, clockOffsetMs } = source;
  const parts = [
    `${plural(dataFrames, "frame")}`,
    `${lost} lost`,
    `${badCrc} bad CRC`,
    `${late} late`,
  ];
  for (const [key, name] of Object.entries(NAMES)) {
    const count = source[key as keyof typeof NAMES];
    if (count > 0) parts.push(`${count} ${name}`);
  }
  if (isLast) return `${source.source}: ${parts.join(", ")}`;
  if (!connected) parts.push("not connected");
  else if (clockOffsetMs !== undefined) parts.push(`clock ${offsetText(clockOffsetMs)}`);
  return `${source.source}: ${parts.join(", ")}`;
}

function offsetText(ms: number): string {
  const text = Math.abs(ms) < 10_000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(0)} s`;
  return ms >= 0 ? `+${text}` : text;
}
