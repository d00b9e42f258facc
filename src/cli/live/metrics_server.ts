/**
 * Counts of a live ingest over HTTP, in the text format of Prometheus.
 *
 * @module
 */

import type { IngestReport, SourceReport } from "../../ingest/c37118/mod.ts";
import { MetricsListener } from "../../server/metrics_http.ts";

/** Counters of a source, and what they count. */
const SOURCE_METRICS: readonly [keyof SourceReport & string, string, string][] = [
  ["frames", "counter", "Frames with a good checksum"],
  ["dataFrames", "counter", "Data frames that were read"],
  ["lost", "counter", "Data frames that did not come"],
  ["late", "counter", "Data frames older than the newest one before them"],
  ["repeated", "counter", "Data frames with the time of the newest one"],
  ["conflicts", "counter", "Data frames with the time of an earlier one and other values"],
  ["badCrc", "counter", "Frames with a bad checksum"],
  ["skippedBytes", "counter", "Bytes that belong to no good frame"],
  ["unconfigured", "counter", "Data frames before their configuration"],
  ["mismatched", "counter", "Data frames that do not fit their configuration"],
  ["outdated", "counter", "Data frames read by a configuration that was announced to change"],
  ["malformed", "counter", "Frames whose content cannot be"],
  [
    "overrun",
    "counter",
    "Data frames dropped because they came too fast, or are of too many streams",
  ],
  ["foreign", "counter", "Datagrams of other devices, left out"],
  ["connections", "counter", "Connections made"],
  ["configurations", "counter", "Changes of a configuration"],
  ["connected", "gauge", "Whether the source is connected"],
  ["clockOffsetMs", "gauge", "Arrival less measurement of the last frame, ms"],
];

/** Counts of the run, and what they count. */
const RUN_METRICS: readonly [keyof IngestReport & string, string, string][] = [
  ["stored", "counter", "Points that the database acknowledged"],
  ["dropped", "counter", "Points dropped because the spool was full"],
  ["refused", "counter", "Points that the database refuses"],
  ["absent", "counter", "Values that gave no point"],
  ["pending", "gauge", "Values received that are neither stored nor in the spool"],
  ["spooled", "gauge", "Points in the spool"],
  ["spoolBytes", "gauge", "Bytes of the spool"],
  ["databaseAway", "gauge", "Whether the database does not answer"],
];

/** The counts as Prometheus reads them. */
function metricsText(report: IngestReport): string {
  const lines: string[] = [];
  for (const [key, type, help] of RUN_METRICS) {
    const name = metricName(key, type);
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    lines.push(`${name} ${Number(report[key])}`);
  }
  for (const [key, type, help] of SOURCE_METRICS) {
    const name = metricName(key, type);
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const source of report.sources) {
      const value = source[key];
      if (value === undefined) continue;
      const label = source.source.replace(
        /[\\"\n]/g,
        (char) => char === "\n" ? "\\n" : `\\${char}`,
      );
      lines.push(`${name}{source="${label}"} ${Number(value)}`);
    }
  }
  return lines.join("\n") + "\n";
}

function metricName(key: string, type: string): string {
  const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return `btrdb_ingest_${snake}${type === "counter" ? "_total" : ""}`;
}

/** Address of every network, of IPv6 and IPv4, and the one where IPv6 is off. */
const EVERYWHERE = ["::", "0.0.0.0"] as const;

/**
 * Serves `/metrics` and `/healthz` on all addresses of this machine.
 *
 * @param port 0 for any that is free.
 * @param report Gives the counts.
 * @param onStrangeError Told of errors that no request has caught.
 * @returns The port, and what stops it.
 */
export async function serveMetrics(
  port: number,
  report: () => IngestReport,
  onStrangeError: (error: unknown) => void = () => {},
): Promise<{ port: number; stop: () => Promise<void> }> {
  const obstacle = (): string | undefined =>
    report().databaseAway ? "the database does not answer" : undefined;
  const pages = {
    metrics: () => metricsText(report()),
    obstacle,
    illness: obstacle,
    onStrangeError,
  };
  const [first, second] = EVERYWHERE;
  const listener = await MetricsListener.open(first, port, pages).catch((error) => {
    if ((error as { code?: unknown }).code === "EADDRINUSE") throw error;
    return MetricsListener.open(second, port, pages);
  });
  return { port: listener.port, stop: () => listener.close() };
}
