/**
 * Options of `btrdb import` as the library takes them.
 *
 * @module
 */

import type { ImportOptions } from "../../ingest/mod.ts";
import type { Args } from "../words/parse_args.ts";
import type { Context } from "../context.ts";
import { filePath } from "../words/file_target.ts";
import { parseDuration } from "../words/durations.ts";
import { usageError } from "../errors.ts";
import { mayStartThreads } from "../threads.ts";
import { parseInstant } from "../words/times.ts";

/** Reads the options of the command. */
export function importOptions(context: Context, args: Args): ImportOptions {
  const start = args.text("start");
  const interval = args.text("interval");
  const rate = args.text("rate");
  if (interval !== undefined && start === undefined) {
    throw usageError("Option --interval needs --start");
  }
  if (interval !== undefined && rate !== undefined) {
    throw usageError("Cannot use --interval and --rate together");
  }
  if (args.has("resume") && args.has("restart")) {
    throw usageError("Cannot use --resume and --restart together");
  }
  if (args.has("changed") && !args.has("resume")) {
    throw usageError("Option --changed needs --resume");
  }
  return {
    format: args.text("format"),
    influx: args.text("influx"),
    delimiter: delimiterOf(args),
    decimal: args.text("decimal") as "." | "," | undefined,
    header: args.has("no-header") ? false : undefined,
    skipLines: args.integer("skip", 0, 10_000),
    time: args.text("time"),
    timeFormat: args.text("time-format"),
    columns: some(args.list("column")),
    by: args.text("by"),
    thousands: characterOf(args, "thousands"),
    nulls: some(args.list("null")),
    badRows: args.text("bad-rows") as "fail" | "skip" | undefined,
    badCells: args.text("bad-cells") as "fail" | "skip" | undefined,
    comment: characterOf(args, "comment"),
    encoding: args.text("encoding"),
    complete: args.has("complete") ? true : undefined,
    live: args.has("live") ? true : undefined,
    rate: rate === undefined ? undefined : rateOf(rate),
    tz: args.has("tz") ? context.frame.tz : undefined,
    start: start === undefined ? undefined : parseInstant(start, "--start", context.frame),
    interval: interval === undefined ? undefined : parseDuration(interval, "--interval"),
    names: args.text("names") as ImportOptions["names"],
    frequency: args.text("freq") as ImportOptions["frequency"],
    times: args.text("times") as ImportOptions["times"],
    values: args.text("values") as ImportOptions["values"],
    status: args.text("status") as ImportOptions["status"],
    skew: args.text("skew") as ImportOptions["skew"],
    exactTimes: args.has("exact-times") ? true : undefined,
    into: args.text("into"),
    maps: args.list("map"),
    units: args.list("unit"),
    resume: args.has("resume"),
    changed: args.has("changed"),
    restart: args.has("restart"),
    mergePolicy: (args.text("merge") ?? "never") as NonNullable<ImportOptions["mergePolicy"]>,
    target: targetName(context.target),
    threads: mayStartThreads(),
    signal: context.signal,
    onNotice: (text) => context.talk(text),
    onWarning: (text) => context.warn(text),
  };
}

/** A list that is not empty. */
function some(list: readonly string[]): readonly string[] | undefined {
  return list.length === 0 ? undefined : list;
}

function characterOf(args: Args, name: string): string | undefined {
  const text = args.text(name);
  if (text === undefined || /^[!-/:-@[-`{-~ ]$/.test(text)) return text;
  throw usageError(`Cannot use --${name} ${JSON.stringify(text)}: expected one ASCII mark`);
}

function rateOf(text: string): number {
  const rate = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && rate > 0 && rate <= 1e9) return rate;
  throw usageError(`Cannot use --rate ${JSON.stringify(text)}: expected rows a second, up to 1e9`);
}

function delimiterOf(args: Args): string | undefined {
  const delimiter = args.text("delimiter")?.replace("\\t", "\t");
  if (
    delimiter !== undefined &&
    !(delimiter === "blanks" || /^[^"\r\n\u0080-\uffff]$/.test(delimiter))
  ) {
    throw usageError(`Cannot use --delimiter ${delimiter}: expected one ASCII character`);
  }
  return delimiter;
}

/** The database in the record: a path without its ways to write it. */
export function targetName(target: string | undefined): string {
  if (target === undefined) return `env:${Deno.env.get("BTRDB_ENDPOINTS") ?? ""}`;
  const path = filePath(target);
  if (path === undefined) return target;
  try {
    return `file:${Deno.realPathSync(path)}`;
  } catch {
    return target;
  }
}
