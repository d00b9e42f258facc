/** `btrdb diff`: finds the ranges in which two databases differ. @module */

import type { BTrDB, Stream } from "../../../mod.ts";
import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { Exit } from "../errors.ts";
import {
  type NamedStream,
  resolveStreams,
  streamsBelow,
  unknownPrefix,
} from "../words/stream_names.ts";
import { plural } from "../terminal/format.ts";
import { sameEntries } from "../sync/copy.ts";
import { comparePoints } from "../sync/compare_points.ts";
import { type DifferentRange, differentRanges } from "../sync/different_ranges.ts";
import { formatTime } from "../words/times.ts";
import { lineOut } from "../terminal/escape.ts";

const command: Command = {
  name: "diff",
  args: "A B [STREAM…]",
  arity: [2, Infinity],
  summary: "Find the ranges in which two databases differ",
  about: [
    "A and B are targets as after -d; streams are matched by uuid. Exits with 1 if there is any " +
    "difference. Points are compared bit by bit; --quick compares only the statistics of windows " +
    "(count, min, mean and max), and reads no points where they are equal.",
  ],
  options: {
    prefix: { value: "PREFIX", about: "Streams whose collection begins with this" },
    quick: { about: "Compare statistics, not points" },
  },
  examples: [
    { line: "btrdb diff file:grid.btrdb grid.example:4410", about: "Everything" },
    {
      line: "btrdb diff file:a.btrdb file:b.btrdb pmu/L1MAG --quick",
      about: "One stream, by statistics",
    },
  ],
  json:
    "{ same, onlyA: [{ uuid, path }], onlyB: [{ uuid, path }], different: [{ uuid, path, metadata, " +
    "onlyA, onlyB, ranges: [{ start, end, onlyA, onlyB }] }] }; onlyA and onlyB in a stream count points",
  async run(context, args) {
    const [nameA, nameB, ...names] = args.positionals;
    const a = await context.connect(nameA!, "read");
    const b = await context.connect(nameB!, "read");
    const [streamsA, streamsB] = await bothSides(a, b, names, args.text("prefix"));
    const byUuid = new Map(streamsB.map((stream) => [stream.uuid, stream]));
    const onlyA = streamsA.filter(({ uuid }) => !byUuid.has(uuid));
    const uuidsA = new Set(streamsA.map(({ uuid }) => uuid));
    const onlyB = streamsB.filter(({ uuid }) => !uuidsA.has(uuid));
    const different: StreamDifference[] = [];
    for (const one of streamsA) {
      const other = byUuid.get(one.uuid);
      if (other === undefined) continue;
      const found = await compareStreams(context, one, other, !args.has("quick"));
      if (found.metadata || found.ranges.length > 0) different.push(found);
    }
    const same = onlyA.length + onlyB.length + different.length === 0;
    if (context.json) {
      const short = ({ uuid, path }: NamedStream) => ({ uuid, path });
      context.reportJson({ same, onlyA: onlyA.map(short), onlyB: onlyB.map(short), different });
    } else {
      printDifferences(context, onlyA, onlyB, different);
    }
    context.talk(same ? `The same: ${plural(streamsA.length, "stream")}` : "They differ");
    return same ? Exit.Done : Exit.Failed;
  },
};

interface StreamDifference {
  uuid: string;
  path: string;
  metadata: boolean;
  onlyA: bigint;
  onlyB: bigint;
  ranges: { start: bigint; end: bigint; onlyA: bigint; onlyB: bigint }[];
}

/** The streams of both that are compared. */
async function bothSides(
  a: BTrDB,
  b: BTrDB,
  names: readonly string[],
  prefix: string | undefined,
): Promise<[NamedStream[], NamedStream[]]> {
  if (names.length > 0) {
    const streams = await resolveStreams(a, names);
    return [streams, await counterparts(b, streams)];
  }
  const inA = await streamsBelow(a, prefix ?? "");
  const inB = await streamsBelow(b, prefix ?? "");
  if (prefix !== undefined && inA.length + inB.length === 0) throw await unknownPrefix(a, prefix);
  return [inA, inB];
}

/** The same streams in another database, as far as they exist there. */
async function counterparts(db: BTrDB, streams: readonly NamedStream[]): Promise<NamedStream[]> {
  const found: NamedStream[] = [];
  for (const { uuid } of streams) {
    if (await db.streamFromUUID(uuid).exists()) found.push(...await resolveStreams(db, [uuid]));
  }
  return found;
}

async function compareStreams(
  context: Context,
  a: NamedStream,
  b: NamedStream,
  exact: boolean,
): Promise<StreamDifference> {
  const { signal } = context;
  const [[annotationsA], [annotationsB]] = [
    await a.stream.annotations(),
    await b.stream.annotations(),
  ];
  const metadata = a.collection !== b.collection || !sameEntries(annotationsA, annotationsB) ||
    !sameEntries(await a.stream.tags(), await b.stream.tags());
  const found: StreamDifference = {
    uuid: a.uuid,
    path: a.path,
    metadata,
    onlyA: 0n,
    onlyB: 0n,
    ranges: [],
  };
  for await (const range of differentRanges(a.stream, b.stream, { exact, signal })) {
    const exactly = range.countA > 0n && range.countB > 0n
      ? await comparedRange(a.stream, b.stream, range, signal)
      : await oneSidedRange(range.countA > 0n ? a.stream : b.stream, range);
    found.ranges.push(exactly);
    found.onlyA += exactly.onlyA;
    found.onlyB += exactly.onlyB;
  }
  return found;
}

type RangeDifference = StreamDifference["ranges"][number];

/** A range from the first to the last point that only one of both has. */
async function comparedRange(
  a: Stream,
  b: Stream,
  { start, end }: DifferentRange,
  signal: AbortSignal,
): Promise<RangeDifference> {
  const [pointsA, pointsB] = await Promise.all([
    a.rawValues(start, end, { signal }).collect(),
    b.rawValues(start, end, { signal }).collect(),
  ]);
  const { onlyA, onlyB } = comparePoints(pointsA, pointsB);
  const times = [onlyA.times.at(0), onlyA.times.at(-1), onlyB.times.at(0), onlyB.times.at(-1)]
    .filter((time) => time !== undefined);
  return {
    start: times.reduce((least, time) => time < least ? time : least, end),
    end: times.reduce((most, time) => time >= most ? time + 1n : most, start),
    onlyA: BigInt(onlyA.times.length),
    onlyB: BigInt(onlyB.times.length),
  };
}

/** A range in which only one has points, from its first to its last one. */
async function oneSidedRange(stream: Stream, range: DifferentRange): Promise<RangeDifference> {
  const first = await stream.nearest(range.start);
  const last = await stream.nearest(range.end, { backward: true });
  return {
    start: first?.time ?? range.start,
    end: last === null ? range.end : last.time + 1n,
    onlyA: range.countA,
    onlyB: range.countB,
  };
}

/** Most ranges shown of a stream. */
const SHOWN = 10;

function printDifferences(
  context: Context,
  onlyA: readonly NamedStream[],
  onlyB: readonly NamedStream[],
  different: readonly StreamDifference[],
): void {
  const { style, frame: { tz } } = context;
  for (const { path, uuid } of onlyA) {
    context.report(style.red(lineOut(`- ${path} ${uuid}`)) + "\n");
  }
  for (const { path, uuid } of onlyB) {
    context.report(style.green(lineOut(`+ ${path} ${uuid}`)) + "\n");
  }
  for (const { path, metadata, ranges, onlyA, onlyB } of different) {
    const parts = [
      ...(metadata ? ["tags, annotations or collection differ"] : []),
      ...(ranges.length > 0 ? [`${plural(onlyA, "point")} only in A, ${onlyB} only in B`] : []),
    ];
    context.report(style.yellow(lineOut(`~ ${path}`)) + lineOut(`: ${parts.join("; ")}`) + "\n");
    for (const range of ranges.slice(0, SHOWN)) {
      const times = `${formatTime(range.start, tz)} to ${formatTime(range.end, tz)}`;
      context.report(`    ${times}: -${range.onlyA} +${range.onlyB}\n`);
    }
    if (ranges.length > SHOWN) context.report(`    and ${ranges.length - SHOWN} more ranges\n`);
  }
}

export default command;
