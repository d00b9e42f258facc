/** `btrdb ls`: lists collections and streams. @module */

import type { Command } from "../command.ts";
import type { Context } from "../context.ts";
import { mapConcurrently } from "../../core/concurrency.ts";
import { readAhead } from "../../core/read_ahead.ts";
import { Exit, verdictOf } from "../errors.ts";
import { extent, totals } from "../ranges.ts";
import { type NamedStream, streamsByPath, unknownPrefix } from "../words/stream_names.ts";
import { grouped, plural } from "../terminal/format.ts";
import { type Column, TablePages } from "../terminal/print_table.ts";
import { formatTime } from "../words/times.ts";
import { collectionTree } from "../terminal/collection_tree.ts";

/** Streams that are asked about at once, and then shown. */
const PAGE_STREAMS = 256;

const command: Command = {
  name: "ls",
  args: "[PREFIX]",
  arity: [0, 1],
  summary: "List collections as a tree, or streams with -l",
  options: {
    long: { short: "l", about: "List streams, with units, number of points, first and last time" },
    uuid: { about: "Show uuids too (implies -l)" },
  },
  examples: [
    { line: "btrdb -d file:grid.btrdb ls", about: "All collections" },
    { line: "btrdb -d grid.example:4410 ls -l pmu/", about: "The streams below pmu/" },
  ],
  json:
    "{ collections: [name…] }; with -l { streams: [{ uuid, collection, name, unit, tags, count, " +
    "first, last }] }, first and last null in a stream without points",
  async run(context, args) {
    const prefix = args.positionals[0] ?? "";
    if (args.has("long") || args.has("uuid")) {
      await listStreams(context, prefix, args.has("uuid"));
    } else {
      await listCollections(context, prefix);
    }
  },
};

async function listCollections(context: Context, prefix: string): Promise<void> {
  const db = await context.db("read");
  const collections: string[] = [];
  for await (const collection of db.listCollections(prefix, { signal: context.signal })) {
    collections.push(collection);
  }
  if (collections.length === 0 && prefix !== "") throw await unknownPrefix(db, prefix);
  if (context.json) {
    context.printJson({ collections });
    return;
  }
  context.print(collectionTree(collections, context.style));
  if (collections.length === 0) context.talk("There are no collections");
}

interface Row {
  named: NamedStream;
  tags: Record<string, string | null>;
  count: bigint;
  first: bigint | null;
  last: bigint | null;
}

async function listStreams(context: Context, prefix: string, uuids: boolean): Promise<void> {
  const db = await context.db("read");
  // To the end at once: an answer has its deadline, and printing may wait for a pager.
  const pages = described(context, readAhead(streamsByPath(db, prefix)));
  const first = (await pages.next()).value ?? [];
  if (first.length === 0 && prefix !== "") throw await unknownPrefix(db, prefix);
  if (!context.json) return await printStreams(context, first, pages, uuids);
  const rows = first;
  for await (const page of pages) rows.push(...page);
  context.printJson({
    streams: rows.map(({ named: { uuid, collection, name, unit }, tags, count, first, last }) => ({
      uuid,
      collection,
      name: name ?? null,
      unit: unit ?? null,
      tags,
      count,
      first,
      last,
    })),
  });
}

/** Descriptions of streams, page by page. */
async function* described(
  context: Context,
  found: AsyncIterable<readonly NamedStream[]>,
): AsyncGenerator<Row[], undefined, undefined> {
  let waiting: NamedStream[] = [];
  for await (const streams of found) {
    waiting = waiting.length === 0 ? [...streams] : [...waiting, ...streams];
    let at = 0;
    for (; waiting.length - at >= PAGE_STREAMS; at += PAGE_STREAMS) {
      yield await describeAll(context, waiting.slice(at, at + PAGE_STREAMS));
    }
    waiting = waiting.slice(at);
  }
  if (waiting.length > 0) yield await describeAll(context, waiting);
}

/** Descriptions of streams; those that were obliterated meanwhile are left out, and named. */
async function describeAll(context: Context, streams: readonly NamedStream[]): Promise<Row[]> {
  const rows = await mapConcurrently(
    streams,
    PAGE_STREAMS,
    (named) =>
      describe(named).catch((error) => {
        if (verdictOf(error).exit !== Exit.NotFound) throw error;
        context.warn(`${named.path} was obliterated while it was listed`);
        return undefined;
      }),
  );
  return rows.filter((row) => row !== undefined);
}

async function describe(named: NamedStream): Promise<Row> {
  const { count } = await totals(named.stream);
  const ends = count === 0n ? undefined : await extent([named.stream]);
  return {
    named,
    tags: await named.stream.tags(),
    count,
    first: ends?.first ?? null,
    last: ends?.last ?? null,
  };
}

async function printStreams(
  context: Context,
  first: readonly Row[],
  others: AsyncIterable<readonly Row[]>,
  uuids: boolean,
): Promise<void> {
  const { tz } = context.frame;
  const time = (ns: bigint | null): string => ns === null ? "-" : formatTime(ns, tz);
  const columns: Column[] = [
    { title: "stream" },
    { title: "unit" },
    { title: "points", right: true },
    { title: "first" },
    { title: "last" },
    ...(uuids ? [{ title: "uuid" }] : []),
  ];
  const pages = new TablePages(columns, context.style);
  let streams = 0, points = 0n;
  const print = (rows: readonly Row[]) => {
    const cells = rows.map(({ named, count, first, last }) => [
      named.path,
      named.unit ?? "-",
      grouped(count),
      time(first),
      time(last),
      ...(uuids ? [named.uuid] : []),
    ]);
    context.print((streams === 0 ? pages.header(cells) : "") + pages.rows(cells));
    streams += rows.length;
    for (const { count } of rows) points += count;
  };
  print(first);
  for await (const rows of others) print(rows);
  context.talk(`${plural(streams, "stream")}, ${plural(points, "point")}`);
}

export default command;
