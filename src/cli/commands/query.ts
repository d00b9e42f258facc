/** `btrdb query`: prints points or windows as a table. @module */

import type { RawColumns, Stream } from "../../../mod.ts";
import { statPointAt } from "../../core/columns.ts";
import type { Args } from "../words/parse_args.ts";
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { describePointwidth, formatDuration } from "../words/durations.ts";
import { notFound } from "../errors.ts";
import { noPoints, RANGE_OPTIONS, resolveRange, type TimeRange } from "../ranges.ts";
import { chooseKind, KIND_OPTIONS, type QueryKind, wholeWindows } from "../query_kind.ts";
import { type NamedStream, resolveStream } from "../words/stream_names.ts";
import { grouped, plural } from "../terminal/format.ts";
import { type Column, table } from "../terminal/print_table.ts";
import { formatTime, fractionDigits } from "../words/times.ts";

const LIMIT = 1000;

const command: Command = {
  name: "query",
  args: "STREAM",
  arity: [1, 1],
  summary: "Print points or windows of a stream as a table",
  options: {
    ...RANGE_OPTIONS,
    ...KIND_OPTIONS,
    version: { value: "N", about: "Version to read; 0, the latest, by default" },
    limit: {
      short: "n",
      value: "N",
      about: `Most rows; ${LIMIT} by default (JSON: all), 0 for all`,
    },
  },
  examples: [
    {
      line: "btrdb -d file:grid.btrdb query pmu/L1MAG --start last-1s",
      about: "The points of the last second",
    },
    {
      line: "btrdb -d file:grid.btrdb query pmu/L1MAG -s 2024-03-01 -e +1d --windows 24",
      about: "A day in 24 windows",
    },
    {
      line: "btrdb -d grid.example:4410 query pmu/L1MAG -s now-1h -e now --pointwidth 1min",
      about: "Aligned windows of 2^35 ns, the power of two below a minute",
    },
  ],
  json:
    "{ uuid, start, end, version, kind: raw | aligned | windows, pointwidth?, width?, points: [{ time, " +
    "value }] or [{ time, min, mean, max, count, stddev? }], more }; statistics null in a window without points; more: whether --limit cut it short",
  async run(context, args) {
    const db = await context.db("read");
    const named = await resolveStream(db, args.positionals[0]!);
    const { stream, uuid, path } = named;
    const version = await knownVersion(args, named);
    const given = await resolveRange(context, args, [stream], version);
    const limit = args.integer("limit", 0, Number.MAX_SAFE_INTEGER) ?? (context.json ? 0 : LIMIT);
    const kind = chooseKind(args, given);
    const range = given === undefined ? undefined : wholeWindows(args, given, kind);
    const empty = {
      rows: [],
      version: version || await stream.version(),
      more: false,
      stats: kind.kind !== "raw",
    };
    const answer = range === undefined
      ? empty
      : await read(context, stream, range, kind, version, limit || Infinity);
    if (context.json) {
      const { more } = answer;
      const points = answer.rows.map(withoutEmpty);
      const shown = { start: null, end: null, ...range, version: answer.version, ...kind };
      context.printJson({ uuid, ...shown, points, more });
      return;
    }
    if (range === undefined) {
      context.talk(noPoints(args, path));
      return;
    }
    printTable(context, answer);
    sayWhat(context, kind, answer);
  },
};

/** The version asked for; servers answer for later ones as if the stream did not exist. */
async function knownVersion(args: Args, { stream, path }: NamedStream): Promise<bigint> {
  const version = BigInt(args.integer("version", 0, Number.MAX_SAFE_INTEGER) ?? 0);
  if (version === 0n) return version;
  const { major, minor } = await stream.fullVersion();
  if (version <= major) return version;
  throw notFound(
    `There is no version ${version} of ${path}: the latest is ${major}`,
    minor > 0n ? "`btrdb flush` makes a version of what is buffered" : undefined,
  );
}

interface Row {
  time: bigint;
  value?: number;
  min?: number;
  mean?: number;
  max?: number;
  count?: bigint;
  stddev?: number;
}

/** A row for programs: a window without points has no statistics. */
function withoutEmpty(row: Row): unknown {
  if (row.count !== 0n) return row;
  const { time, count, stddev } = row;
  const none = { time, min: null, mean: null, max: null, count };
  return stddev === undefined ? none : { ...none, stddev: null };
}

interface Answer {
  rows: Row[];
  version: bigint;
  more: boolean;
  stats: boolean;
}

async function read(
  context: Context,
  stream: Stream,
  { start, end }: TimeRange,
  kind: QueryKind,
  version: bigint,
  limit: number,
): Promise<Answer> {
  const options = { version, signal: context.signal };
  const query = kind.kind === "raw"
    ? stream.rawValues(start, end, options)
    : kind.kind === "aligned"
    ? stream.alignedWindows(start, end, kind.pointwidth, options)
    : stream.windows(start, end, kind.width, options);
  const answer: Answer = { rows: [], version, more: false, stats: kind.kind !== "raw" };
  for await (const batch of query) {
    answer.version = batch.version;
    const n = Math.min(batch.times.length, limit - answer.rows.length);
    for (let i = 0; i < n; i++) {
      answer.rows.push("values" in batch ? rawRow(batch, i) : statPointAt(batch, i));
    }
    answer.more = n < batch.times.length;
    if (answer.more) break;
  }
  return answer;
}

function rawRow({ times, values }: RawColumns, i: number): Row {
  return { time: times[i]!, value: values[i]! };
}

function printTable(context: Context, { rows, stats }: Answer): void {
  const { tz } = context.frame;
  const digits = fractionDigits(rows.map(({ time }) => time));
  const time = (row: Row): string => formatTime(row.time, tz, digits);
  const right = (title: string): Column => ({ title, right: true });
  if (!stats) {
    const cells = rows.map((row) => [time(row), String(row.value)]);
    context.print(table([{ title: "time" }, right("value")], cells, context.style));
    return;
  }
  const stddev = rows.some((row) => row.stddev !== undefined);
  const titles = ["min", "mean", "max", "count", ...(stddev ? ["stddev"] : [])];
  const cells = rows.map((row) =>
    row.count === 0n ? [time(row), "-", "-", "-", "0"] : [
      time(row),
      String(row.min),
      String(row.mean),
      String(row.max),
      grouped(row.count!),
      ...(stddev ? [String(row.stddev ?? "")] : []),
    ]
  );
  context.print(table([{ title: "time" }, ...titles.map(right)], cells, context.style));
}

function sayWhat(context: Context, kind: QueryKind, { rows, version, more, stats }: Answer): void {
  const what = plural(rows.length, stats ? "window" : "point");
  const width = kind.kind === "aligned"
    ? ` of ${describePointwidth(kind.pointwidth)}`
    : kind.kind === "windows"
    ? ` of ${formatDuration(kind.width)}`
    : "";
  const rest = more ? "; there are more, see --limit" : "";
  context.talk(`${what}${width}, version ${version}${rest}`);
}

export default command;
