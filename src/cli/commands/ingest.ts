/** `btrdb ingest`: stores live measurements as streams. @module */

import { delay } from "../../core/call.ts";
import type { ChannelNames, FrequencyForm, LiveIngestOptions } from "../../ingest/c37118/mod.ts";
import { stateFolder } from "../../ingest/mod.ts";
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { usageError } from "../errors.ts";
import { lineErr } from "../terminal/escape.ts";
import { ingestLine } from "../live/ingest_lines.ts";
import { serveMetrics } from "../live/metrics_server.ts";
import { parseByteCount } from "../live/byte_count.ts";
import { parseDuration } from "../words/durations.ts";
import type { Args } from "../words/parse_args.ts";
import { formatTime } from "../words/times.ts";

const command: Command = {
  name: "ingest",
  args: "ADDRESS…",
  arity: [1, Infinity],
  summary: "Store live measurements of PMUs and PDCs (C37.118)",
  about: [
    "An address is c37118://HOST:4712?id=N (TCP; &data=PORT: commands by TCP, data by UDP to that port " +
    "here), c37118+udp://HOST:4713?id=N (UDP both ways), or c37118+udp://0.0.0.0:4713, which " +
    "listens for data sent unrequested. &cfg=3 requests CFG-3. Several addresses run in one process.",
    "Streams go to PREFIX/IDCODE_STATION, with the names used by BTrDB's own ingress: PH0MAG VA, " +
    "PH0ANG VA in degrees, FREQ in Hz, DFREQ, STAT, TIMEQUAL, AN0, DG0. Values that the status " +
    "of their station marks as absent, as test data, or as not to be used are left out and " +
    "counted.",
    "A broken connection is opened again, after growing delays. While the database is " +
    "unreachable, points wait in a spool on disk, which survives a crash of this command; points " +
    "that do not fit are dropped, with a message. Points count as stored once the database has " +
    "acknowledged them. Interrupt to stop.",
  ],
  options: {
    prefix: { short: "i", value: "PREFIX", about: "Beginning of the collections; pmu by default" },
    id: { value: "N", about: "Number of the data stream, for addresses without one" },
    cfg: { value: "N", choices: ["2", "3"], about: "Configuration to request; 2 by default" },
    names: {
      value: "WAY",
      choices: ["btrdb", "plain"],
      about: "Names of streams: as BTrDB's ingress (default), or plain: VA magnitude, frequency",
    },
    freq: {
      value: "FORM",
      choices: ["auto", "actual", "deviation"],
      about: "Reading of the frequency; auto takes a float below 10 as deviation from nominal",
    },
    "exact-times": {
      about: "Keep the times of the frames; do not move them to the grid of the data rate",
    },
    every: { value: "DURATION", about: "Time between two batches; 1s by default" },
    merge: {
      value: "POLICY",
      choices: ["never", "equal", "retain", "replace"],
      about: "Points at a time that already has one; by default replace, on protocol v4 never",
    },
    spool: { value: "SIZE", about: "Most bytes on disk; 1GiB by default, 0 for no spool" },
    "spool-dir": { value: "FOLDER", about: "Folder of the spool; by default in $BTRDB_STATE_DIR" },
    report: { value: "DURATION", about: "Time between two lines of counts; 1m by default" },
    "metrics-port": { value: "PORT", about: "Serve /metrics and /healthz over HTTP" },
  },
  examples: [
    {
      line: "btrdb -d file:grid.btrdb ingest 'c37118://10.0.0.5:4712?id=60'",
      about: "One PMU into a file",
    },
    {
      line: "btrdb -d grid.example:4410 ingest c37118+udp://0.0.0.0:4713 " +
        "'c37118://pdc.example:4712?id=7' -i wams --metrics-port 9100",
      about: "Two sources into a cluster",
    },
  ],
  json:
    "a line { time, event } for each change, a line { time, stored, pending, spooled, spoolBytes, " +
    "dropped, refused, absent, databaseAway, problem, sources: [{ source, connected, connections, frames, " +
    "dataFrames, lost, late, repeated, conflicts, badCrc, skippedBytes, unconfigured, mismatched, outdated, malformed, foreign, " +
    "overrun, configurations, clockOffsetMs, problem }] } every minute and at the end, totals since the " +
    "start",
  async run(context, args) {
    const { LiveIngest } = await import("../../ingest/c37118/mod.ts");
    const reportMs = milliseconds(args, "report", "1m", 100);
    const options = await ingestOptions(context, args);
    const ingest = new LiveIngest(() => context.db("create"), args.positionals, options);
    const port = args.integer("metrics-port", 0, 65_535);
    const metrics = port === undefined ? undefined : await serveMetrics(
      port,
      () => ingest.report,
      (error) => say(context, `Metrics: ${String(error)}`),
    );
    if (metrics !== undefined) say(context, `Metrics on http://localhost:${metrics.port}/metrics`);
    const startMs = Date.now();
    const ended = new AbortController();
    const reporting = reportUntil(context, ingest, reportMs, ended.signal);
    try {
      const report = await ingest.run(context.signal);
      if (context.json) context.reportJson({ time: timeText(), ...report });
      const seconds = ((Date.now() - startMs) / 1000).toFixed(1);
      context.talk(`Stopped after ${seconds} s: ${ingestLine(report, undefined)}`);
    } finally {
      ended.abort();
      await reporting;
      await metrics?.stop();
    }
  },
};

function milliseconds(args: Args, name: string, normal: string, least: number): number {
  const text = args.text(name) ?? normal;
  const ms = Number(parseDuration(text, `--${name}`) / 1_000_000n);
  if (ms < least || ms > 86_400_000) {
    throw usageError(`Cannot use --${name} ${text}: expected ${least}ms to 24h`);
  }
  return ms;
}

async function ingestOptions(context: Context, args: Args): Promise<LiveIngestOptions> {
  const spoolBytes = parseByteCount(args.text("spool") ?? "1GiB", "--spool");
  return {
    prefix: (args.text("prefix") ?? "pmu").replace(/\/+$/, ""),
    id: args.integer("id", 1, 65_534),
    cfg: args.integer("cfg", 2, 3) as 2 | 3 | undefined,
    names: args.text("names") as ChannelNames | undefined,
    frequency: args.text("freq") as FrequencyForm | undefined,
    exactTimes: args.has("exact-times"),
    everyMs: milliseconds(args, "every", "1s", 10),
    mergePolicy: args.text("merge") as LiveIngestOptions["mergePolicy"],
    spoolBytes,
    spoolFolder: spoolBytes === 0
      ? undefined
      : args.text("spool-dir") ?? await spoolFolder(context.target ?? "", args.positionals),
    onEvent: (text) => say(context, text),
  };
}

/** A folder of its own for each pair of database and sources. */
async function spoolFolder(target: string, sources: readonly string[]): Promise<string> {
  const key = new TextEncoder().encode([target, ...[...sources].sort()].join("\n"));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", key)).toHex();
  return `${stateFolder()}/ingest-${digest.slice(0, 24)}`;
}

function timeText(): string {
  return new Date().toISOString();
}

/** Says what changed, with the time. */
function say(context: Context, event: string): void {
  if (context.json) context.reportJson({ time: timeText(), event });
  else context.talk(`${clock(context)}  ${lineErr(event)}`);
}

function clock(context: Context): string {
  const now = BigInt(Date.now()) * 1_000_000n;
  return context.errorStyle.dim(formatTime(now, context.frame.tz, 0));
}

async function reportUntil(
  context: Context,
  ingest: { readonly report: import("../../ingest/c37118/mod.ts").IngestReport },
  ms: number,
  signal: AbortSignal,
): Promise<void> {
  let before = ingest.report;
  while (await delay(ms, { signal }).then(() => true, () => false)) {
    const now = ingest.report;
    if (context.json) context.reportJson({ time: timeText(), ...now });
    else context.talk(`${clock(context)}  ${ingestLine(now, before)}`);
    before = now;
  }
}

export default command;
