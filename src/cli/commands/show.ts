/** `btrdb show`: prints the metadata and extent of a stream. @module */

import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { roughDuration } from "../words/durations.ts";
import { extent, totals } from "../ranges.ts";
import { type NamedStream, resolveStreams } from "../words/stream_names.ts";
import { grouped } from "../terminal/format.ts";
import { properties } from "../terminal/print_table.ts";
import { formatTime } from "../words/times.ts";

const command: Command = {
  name: "show",
  args: "STREAM…",
  arity: [1, Infinity],
  summary: "Show everything about a stream",
  options: {},
  examples: [
    {
      line: "btrdb -d file:grid.btrdb show pmu/L1MAG",
      about: "Tags, annotations, version and contents",
    },
    {
      line: "btrdb -d file:grid.btrdb show 'pmu/*' --json",
      about: "All streams of a collection, for a program",
    },
  ],
  json:
    "{ streams: [{ uuid, collection, tags, annotations, annotationVersion, version: { major, minor }, " +
    "count, min, mean, max, first, last }] }; min to last null in a stream without points",
  async run(context, args) {
    const db = await context.db("read");
    const streams = await resolveStreams(db, args.positionals);
    const facts = [];
    for (const named of streams) facts.push(await gather(named));
    if (context.json) context.printJson({ streams: facts });
    else context.print(facts.map((one) => describe(context, one)).join("\n"));
  },
};

interface Facts {
  uuid: string;
  collection: string;
  tags: Record<string, string | null>;
  annotations: Record<string, string | null>;
  annotationVersion: bigint;
  version: { major: bigint; minor: bigint };
  count: bigint;
  min: number | null;
  mean: number | null;
  max: number | null;
  first: bigint | null;
  last: bigint | null;
}

async function gather({ stream, uuid, collection }: NamedStream): Promise<Facts> {
  const [annotations, annotationVersion] = await stream.annotations();
  const { major, minor } = await stream.fullVersion();
  const { count, min, mean, max } = await totals(stream);
  const ends = await extent([stream]);
  const some = count > 0n;
  return {
    uuid,
    collection,
    tags: await stream.tags(),
    annotations,
    annotationVersion,
    version: { major, minor },
    count,
    min: some ? min : null,
    mean: some ? mean : null,
    max: some ? max : null,
    first: ends?.first ?? null,
    last: ends?.last ?? null,
  };
}

function describe(context: Context, facts: Facts): string {
  const { tz } = context.frame;
  const pairs: [string, string][] = [
    ["uuid", facts.uuid],
    ["collection", facts.collection],
    ["tags", list(facts.tags)],
    ["annotations", `${list(facts.annotations)} (version ${facts.annotationVersion})`],
    ["version", versionText(facts.version)],
    ["points", grouped(facts.count)],
  ];
  if (facts.first !== null && facts.last !== null) {
    pairs.push(["first", formatTime(facts.first, tz)], ["last", formatTime(facts.last, tz)]);
    if (facts.count > 1n) {
      const interval = (facts.last - facts.first) / (facts.count - 1n);
      pairs.push(["mean interval", roughDuration(interval)]);
    }
    pairs.push(["min", String(facts.min)], ["mean", String(facts.mean)], [
      "max",
      String(facts.max),
    ]);
  }
  return properties(pairs, context.style);
}

function versionText({ major, minor }: { major: bigint; minor: bigint }): string {
  return minor === 0n ? `${major}` : `${major}, and ${grouped(minor)} points buffered since`;
}

function list(values: Record<string, string | null>): string {
  const pairs = Object.entries(values).sort(([a], [b]) => a < b ? -1 : 1);
  return pairs.length === 0
    ? "-"
    : pairs.map(([key, value]) => value === null ? key : `${key}=${value}`).join("  ");
}

export default command;
