/**
 * Points, aligned windows or windows: what a query or an export asks for.
 *
 * @module
 */

import type { Args } from "./words/parse_args.ts";
import type { OptionSpecs } from "./words/option.ts";
import { parseDuration, parsePointwidth } from "./words/durations.ts";
import { usageError } from "./errors.ts";
import type { TimeRange } from "./ranges.ts";
import { LAST_TIME } from "../core/range.ts";

/** Form of the answer: raw points, aligned windows or windows of any width. */
export type QueryKind =
  | { kind: "raw" }
  | { kind: "aligned"; pointwidth: number }
  | { kind: "windows"; width: bigint };

/** The options that name it. */
export const KIND_OPTIONS: OptionSpecs = {
  pointwidth: {
    short: "p",
    value: "WIDTH",
    about: "Windows of 2^N ns, aligned; an exponent, or a duration, which is rounded down; given " +
      "start and end are rounded down to window edges",
  },
  width: {
    short: "w",
    value: "DURATION",
    about: "Windows of exactly this width, from the start on",
  },
  windows: { value: "N", about: "About N windows over the range, never more" },
};

/**
 * The range as the windows need it: where its end is not the user's, it is put off to the end of
 * the last window, because only whole windows are answered.
 *
 * @param args Command line with the options.
 * @param range The range of the points.
 * @param kind Raw points or windows.
 */
export function wholeWindows(args: Args, range: TimeRange, kind: QueryKind): TimeRange {
  if (kind.kind === "raw" || (args.has("end") && !args.has("windows"))) return range;
  const { start, end } = range;
  const width = kind.kind === "aligned" ? 1n << BigInt(kind.pointwidth) : kind.width;
  const origin = kind.kind === "aligned" ? floorTo(start, width) : start;
  const count = (end - origin + width - 1n) / width;
  const whole = origin + count * width;
  return { start, end: whole < LAST_TIME ? whole : end };
}

/** The last multiple of `width` that is not after `time`. */
function floorTo(time: bigint, width: bigint): bigint {
  return time - (time % width + width) % width;
}

/**
 * Reads the options.
 *
 * @throws {CliError} Usage error, if more than one is given.
 */
export function chooseKind(args: Args, range: TimeRange | undefined): QueryKind {
  const given = ["pointwidth", "width", "windows"].filter((name) => args.has(name));
  if (given.length > 1) {
    throw usageError(`Cannot use --${given[0]} and --${given[1]} together`);
  }
  const pointwidth = args.text("pointwidth");
  if (pointwidth !== undefined) {
    return { kind: "aligned", pointwidth: parsePointwidth(pointwidth, "--pointwidth") };
  }
  const width = args.text("width");
  if (width !== undefined) return { kind: "windows", width: parseDuration(width, "--width") };
  const windows = args.integer("windows", 1, 1_000_000);
  if (windows === undefined) return { kind: "raw" };
  const span = range === undefined ? 1n : range.end - range.start;
  return { kind: "windows", width: (span + BigInt(windows) - 1n) / BigInt(windows) };
}
