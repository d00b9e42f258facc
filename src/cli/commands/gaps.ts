/** `btrdb gaps`: finds missing and doubtful points. @module */

import {
  type Finding,
  type Findings,
  type GapOptions,
  type GapReport,
  gaps,
} from "../../../mod.ts";
import type { Args } from "../words/parse_args.ts";
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { parseDuration, roughDuration } from "../words/durations.ts";
import { usageError } from "../errors.ts";
import { RANGE_OPTIONS, resolveRange } from "../ranges.ts";
import { type NamedStream, resolveStreams } from "../words/stream_names.ts";
import { grouped, plural } from "../terminal/format.ts";
import { type Column, table } from "../terminal/print_table.ts";
import { formatTime, fractionDigits } from "../words/times.ts";

/** Kinds of findings, by what they are called. */
const KINDS = [
  ["gaps", "gap"],
  ["duplicates", "duplicate"],
  ["repeats", "repeat"],
  ["zeros", "zero"],
  ["outOfRange", "out of range"],
] as const;

const command: Command = {
  name: "gaps",
  args: "STREAM…",
  arity: [1, Infinity],
  summary: "Find missing and doubtful points",
  about: [
    "Gaps are found from the counts of windows. Points are read, and duplicates found, only if " +
    "a count does not fit the rate. --exact reads every point, and so also finds a missing point " +
    "and a duplicate in the same window.",
    "With --start or --end, a gap may extend to that edge; by default the range is from the " +
    "first point to the last.",
  ],
  options: {
    ...RANGE_OPTIONS,
    rate: {
      value: "HZ",
      about: "Expected points per second; detected by default",
    },
    over: {
      value: "DURATION",
      about: "Longest distance that is not a gap; one and a half periods by default",
    },
    exact: { about: "Read every point" },
    zeros: { about: "Find points of value 0 too" },
    repeats: { value: "N", about: "Find N or more equal values in a row too" },
    low: { value: "VALUE", about: "Find values below this too" },
    high: { value: "VALUE", about: "Find values above this too" },
    list: { short: "l", about: "List each gap and each other finding" },
    limit: {
      short: "n",
      value: "N",
      about: "Most findings of each kind per stream; 10000 by default",
    },
  },
  examples: [
    {
      line: "btrdb -d file:grid.btrdb gaps 'pmu/*' -s 2024-03-01 -e +1d",
      about: "A table of the availability of each stream on a day",
    },
    {
      line: "btrdb -d file:grid.btrdb gaps pmu/L1MAG --rate 120 --list",
      about: "Each gap with its start and end",
    },
    {
      line: "btrdb -d grid.example:4410 gaps pmu/L1MAG --over 1s --zeros --low 6000 --high 8000",
      about: "Gaps of more than a second, and doubtful values",
    },
  ],
  json:
    "{ streams: [{ uuid, path, start, end, rate, over, points, expected, availability, gaps: { points, " +
    "runs, list: [{ start, end, points }] }, duplicates, repeats?, zeros?, outOfRange?, cost: { requests, windows, " +
    "points } }] }; start, end, rate and over are null if they cannot be determined",
  async run(context, args) {
    const options = optionsOf(context, args);
    const db = await context.db("read");
    const reports: [NamedStream, GapReport][] = [];
    for (const named of await resolveStreams(db, args.positionals)) {
      const range = await rangeOf(context, args, named);
      reports.push([named, await gaps(named.stream, { ...options, ...range })]);
    }
    if (context.json) {
      context.printJson({
        streams: reports.map(([{ path }, { uuid, ...rest }]) => ({ uuid, path, ...rest })),
      });
    } else if (args.has("list")) printFindings(context, reports);
    else printTable(context, reports);
    sayCost(context, reports);
  },
};

function optionsOf(context: Context, args: Args): GapOptions {
  const over = args.text("over");
  const [low, high] = [numberOf(args, "low"), numberOf(args, "high")];
  if (low !== undefined && high !== undefined && low > high) {
    throw usageError(`Cannot use --low ${low}: expected at most --high, which is ${high}`);
  }
  const rate = numberOf(args, "rate");
  if (rate !== undefined && !(rate >= 1e-6 && rate <= 1e9)) {
    throw usageError(
      `Cannot use --rate ${rate}: expected points a second, from 0.000001 to 1000000000`,
    );
  }
  return {
    signal: context.signal,
    rate,
    over: over === undefined ? undefined : parseDuration(over, "--over"),
    exact: args.has("exact"),
    zeros: args.has("zeros"),
    repeats: args.integer("repeats", 2, Number.MAX_SAFE_INTEGER),
    low,
    high,
    limit: args.integer("limit", 0, Number.MAX_SAFE_INTEGER),
  };
}

function numberOf(args: Args, name: string): number | undefined {
  const text = args.text(name);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) {
    throw usageError(`Cannot use --${name} ${text}: expected a number`);
  }
  return value;
}

/** The edges that were given; the others are the stream's own points. */
async function rangeOf(
  context: Context,
  args: Args,
  { stream }: NamedStream,
): Promise<{ start?: bigint; end?: bigint }> {
  if (!args.has("start") && !args.has("end")) return {};
  const range = await resolveRange(context, args, [stream]);
  if (range === undefined) return {};
  return {
    ...(args.has("start") ? { start: range.start } : {}),
    ...(args.has("end") ? { end: range.end } : {}),
  };
}

function printTable(context: Context, reports: readonly [NamedStream, GapReport][]): void {
  const asked = KINDS.slice(2).filter(([kind]) =>
    reports.some(([, one]) => one[kind] !== undefined)
  );
  const right = (title: string): Column => ({ title, right: true });
  const titles = ["rate", "points", "missing", "gaps", "longest", "duplicates"];
  const columns = [
    { title: "stream" },
    ...titles.map(right),
    ...asked.map(([, word]) => right(word)),
    right("available"),
  ];
  const cells = reports.map(([{ path }, report]) => [
    path,
    report.rate === null ? "-" : String(Number(report.rate.toPrecision(6))),
    grouped(report.points),
    grouped(report.gaps.points),
    grouped(report.gaps.runs),
    longest(report.gaps),
    grouped(report.duplicates.points),
    ...asked.map(([kind]) => grouped(report[kind]?.points ?? 0n)),
    percent(report),
  ]);
  context.print(table(columns, cells, context.style));
}

/** The longest gap; of those that are listed, if not all are. */
function longest({ runs, list }: Findings): string {
  if (list.length === 0) return "-";
  const most = list.reduce((most, { start, end }) => end - start > most ? end - start : most, 0n);
  return `${runs > BigInt(list.length) ? "≥ " : ""}${roughDuration(most)}`;
}

/** Never 100 % unless nothing is missing. */
function percent({ availability, gaps }: GapReport): string {
  if (gaps.points === 0n) return "100 %";
  return `${(Math.floor(availability * 10_000) / 10_000).toFixed(4)} %`;
}

function printFindings(context: Context, reports: readonly [NamedStream, GapReport][]): void {
  const found = reports.flatMap(([{ path }, report]) =>
    KINDS.flatMap(([kind, word]) =>
      (report[kind]?.list ?? []).map((one) => ({ path, word, ...one }))
    )
  );
  const { tz } = context.frame;
  const digits = fractionDigits(found.flatMap(({ start, end }) => [start, end]));
  const time = (ns: bigint): string => formatTime(ns, tz, digits);
  const length = ({ start, end }: Finding): string =>
    start === end ? "-" : roughDuration(end - start);
  const right = (title: string): Column => ({ title, right: true });
  const columns = [
    ...["stream", "what", "from", "to"].map((title) => ({ title })),
    right("length"),
    right("points"),
  ];
  const cells = found.map((one) => [
    one.path,
    one.word,
    time(one.start),
    time(one.end),
    length(one),
    grouped(one.points),
  ]);
  context.print(table(columns, cells, context.style));
  for (const [{ path }, report] of reports) {
    for (const [kind, word] of KINDS) {
      const { runs = 0n, list = [] } = report[kind] ?? {};
      const left = runs - BigInt(list.length);
      if (left > 0n) context.talk(`${path}: ${plural(left, `further ${word}`)}, see --limit`);
    }
  }
}

function sayCost(context: Context, reports: readonly [NamedStream, GapReport][]): void {
  const sum = (of: (report: GapReport) => number): number =>
    reports.reduce((sum, [, report]) => sum + of(report), 0);
  const [windows, points] = [sum(({ cost }) => cost.windows), sum(({ cost }) => cost.points)];
  context.talk(`Looked at ${plural(windows, "window")} and ${plural(points, "point")}`);
}

export default command;
