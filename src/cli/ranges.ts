/**
 * The range of time that a command works on.
 *
 * @module
 */

import type { Stream } from "../../mod.ts";
import type { Args } from "./words/parse_args.ts";
import type { OptionSpecs } from "./words/option.ts";
import type { Context } from "./context.ts";
import { usageError } from "./errors.ts";
import { formatTime, parseTime, type TimeSpec } from "./words/times.ts";
import { LAST_TIME, MIN_TIME } from "../core/range.ts";
import { isOddInteger } from "../core/time_words.ts";

/** Pointwidth whose windows tile the whole time axis: 64 of 2^56 ns. */
const TILING = 56;

/** A range of time, half-open. */
export interface TimeRange {
  start: bigint;
  end: bigint;
}

/** The options that name a range. */
export const RANGE_OPTIONS: OptionSpecs = {
  start: { short: "s", value: "TIME", about: "Start, inclusive; by default the first point" },
  end: { short: "e", value: "TIME", about: "End, exclusive; by default just after the last point" },
};

/**
 * Times of the first and last point of some streams, or `undefined` if they have none.
 *
 * @param version Of the streams; 0 is the latest.
 */
export async function extent(
  streams: readonly Stream[],
  version = 0n,
): Promise<{ first: bigint; last: bigint } | undefined> {
  let first: bigint | undefined;
  let last: bigint | undefined;
  for (const stream of streams) {
    const head = await stream.nearest(MIN_TIME, { version });
    if (head === null) continue;
    const tail = await stream.nearest(LAST_TIME, { version, backward: true });
    if (first === undefined || head.time < first) first = head.time;
    if (tail !== null && (last === undefined || tail.time > last)) last = tail.time;
  }
  return first === undefined ? undefined : { first, last: last ?? first };
}

/**
 * The range that `--start` and `--end` name.
 *
 * @param context For the time zone and the present.
 * @param args Command line with the options.
 * @param streams Streams whose first and last points are meant by default.
 * @param version Of the streams; 0 is the latest.
 * @returns The range, or `undefined` if it hangs on points and there are none.
 * @throws {CliError} Usage error, if it is empty.
 */
export async function resolveRange(
  context: Context,
  args: Args,
  streams: readonly Stream[],
  version = 0n,
): Promise<TimeRange | undefined> {
  const startText = args.text("start");
  const endText = args.text("end");
  sayWhatIntegersMean(context, "--start", startText);
  sayWhatIntegersMean(context, "--end", endText);
  const start = startText === undefined
    ? undefined
    : parseTime(startText, "--start", context.frame);
  const end = endText === undefined ? undefined : parseTime(endText, "--end", context.frame);
  const absolute = start?.anchor === "epoch" &&
    (end?.anchor === "epoch" || end?.anchor === "base");
  const ends = absolute ? { first: 0n, last: 0n } : await extent(streams, version);
  if (ends === undefined) return undefined;
  const from = start === undefined ? ends.first : resolve(start, ends, ends.first);
  const to = end === undefined ? ends.last + 1n : resolve(end, ends, from);
  if (from >= to && (startText !== undefined || endText !== undefined)) {
    if (endText === undefined || (startText === undefined && to <= ends.first)) return undefined;
    throw usageError(
      `Cannot use --start ${startText ?? "(first point)"} --end ${endText}: the range is empty`,
    );
  }
  return { start: from, end: to };
}

/** Says which time an integer is that was mostly meant as another one. */
function sayWhatIntegersMean(context: Context, option: string, text: string | undefined): void {
  if (text === undefined || !isOddInteger(text)) return;
  context.talk(
    `${option} ${text} is ${
      formatTime(BigInt(text), context.frame.tz)
    }: integers are ns since 1970`,
  );
}

/** Message for a range without points. */
export function noPoints(args: Args, path: string): string {
  return args.has("start") || args.has("end")
    ? `There are no points of ${path} in this range`
    : `There are no points in ${path}`;
}

function resolve(spec: TimeSpec, ends: { first: bigint; last: bigint }, base: bigint): bigint {
  const anchors = { epoch: 0n, first: ends.first, last: ends.last, base };
  return anchors[spec.anchor] + spec.offset;
}

/** Statistics over a whole stream or a range of it. */
export interface Totals {
  count: bigint;
  min: number;
  mean: number;
  max: number;
}

/** Count, min, mean and max of all points of a stream: one small query. */
export async function totals(stream: Stream): Promise<Totals> {
  const windows = await stream.alignedWindows(MIN_TIME, LAST_TIME, TILING).collect();
  const sum: Totals = { count: 0n, min: Infinity, mean: 0, max: -Infinity };
  for (let i = 0; i < windows.times.length; i++) {
    const count = windows.count[i]!;
    if (count === 0n) continue;
    const weight = Number(count) / Number(sum.count + count);
    sum.mean += (windows.mean[i]! - sum.mean) * weight;
    sum.count += count;
    sum.min = Math.min(sum.min, windows.min[i]!);
    sum.max = Math.max(sum.max, windows.max[i]!);
  }
  return sum;
}
