/**
 * Points, aligned windows or windows: what a query or an export asks for.
 *
 * @module
 */

import type { Args } from "./args.ts";
import type { OptionSpecs } from "./command.ts";
import { parseDuration, parsePointwidth } from "./durations.ts";
import { usageError } from "./errors.ts";
import type { TimeRange } from "./ranges.ts";

/** What is asked for. */
export type QueryKind =
  | { kind: "raw" }
  | { kind: "aligned"; pointwidth: number }
  | { kind: "windows"; width: bigint };

/** The options that name it. */
export const KIND_OPTIONS: OptionSpecs = {
  pointwidth: {
    short: "p",
    value: "WIDTH",
    about: "Windows of 2^N ns, aligned; an exponent, or a duration that is rounded down",
  },
  width: {
    short: "w",
    value: "DURATION",
    about: "Windows of exactly this width, from the start on",
  },
  points: { value: "N", about: "About N windows over the range" },
};

/**
 * Reads the options.
 *
 * @throws {CliError} Usage error, if more than one is given.
 */
export function chooseKind(args: Args, range: TimeRange | undefined): QueryKind {
  const given = ["pointwidth", "width", "points"].filter((name) => args.has(name));
  if (given.length > 1) {
    throw usageError(`Cannot use --${given[0]} and --${given[1]} together`);
  }
  const pointwidth = args.text("pointwidth");
  if (pointwidth !== undefined) {
    return { kind: "aligned", pointwidth: parsePointwidth(pointwidth, "--pointwidth") };
  }
  const width = args.text("width");
  if (width !== undefined) return { kind: "windows", width: parseDuration(width, "--width") };
  const points = args.integer("points", 1, 1_000_000);
  if (points === undefined) return { kind: "raw" };
  const span = range === undefined ? 1n : range.end - range.start;
  return { kind: "windows", width: span / BigInt(points) || 1n };
}
