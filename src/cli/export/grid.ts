/**
 * Rows at regular times: the points of streams aligned to a rate.
 *
 * @module
 */

import {
  align,
  type AlignCount,
  type AlignedQuery,
  type Fill,
  type RawColumns,
} from "../../../mod.ts";
import type { Args } from "../words/parse_args.ts";
import type { OptionSpecs } from "../words/option.ts";
import { parseDuration } from "../words/durations.ts";
import { usageError } from "../errors.ts";
import { grouped, plural } from "../terminal/format.ts";
import type { NamedStream } from "../words/stream_names.ts";
import type { Context } from "../context.ts";
import type { TimeRange } from "../ranges.ts";

/** Rate of rows, and how points come to them. */
export interface GridRules {
  /** Rows a second. */
  rate: number;
  /** ns. */
  tolerance: bigint;
  fill: Fill;
  /** ns. */
  maxGap: bigint | undefined;
}

/** Streams of an export, and its range. */
export interface GridJob {
  context: Context;
  streams: readonly NamedStream[];
  labels: readonly string[];
  range: TimeRange;
}

const FILLS = ["none", "previous", "linear"] as const;

/** The options that name them. */
export const GRID_OPTIONS: OptionSpecs = {
  rate: {
    value: "HZ",
    about: "Rows at this rate from the start on, each stream by its nearest point",
  },
  tolerance: {
    value: "DURATION",
    about: "With --rate: how far a point may be from its row; 0, the exact time, by default",
  },
  fill: {
    value: "HOW",
    choices: FILLS,
    about: "With --rate: value of rows without a point: none (default), the previous, or linear",
  },
  "max-gap": {
    value: "DURATION",
    about: "With --fill: longest gap that is filled; any by default",
  },
};

/**
 * The rules that the options name, if they do.
 *
 * @throws {CliError} Usage error, if they do not fit together.
 */
export function gridRules(args: Args): GridRules | undefined {
  const text = args.text("rate");
  if (text === undefined) {
    for (const name of ["tolerance", "fill", "max-gap"]) {
      if (args.has(name)) throw usageError(`Cannot use --${name} without --rate`);
    }
    return undefined;
  }
  for (const name of ["pointwidth", "width", "points", "include-versions", "resume"]) {
    if (args.has(name)) throw usageError(`Cannot use --rate with --${name}`);
  }
  const rate = Number(text);
  if (text.trim() === "" || !(rate >= 1e-6 && rate <= 1e9)) {
    throw usageError(
      `Cannot use --rate ${text}: expected rows a second, from 0.000001 to 1000000000`,
    );
  }
  const fill = (args.text("fill") ?? "none") as Fill;
  if (fill === "none" && args.has("max-gap")) {
    throw usageError("Cannot use --max-gap without --fill previous or --fill linear");
  }
  const tolerance = args.text("tolerance") ?? "0";
  const ns = /^0+(ns|us|ms|s)?$/.test(tolerance) ? 0n : parseDuration(tolerance, "--tolerance");
  if (ns > 0n && 2 * Number(ns) * rate >= 1e9) {
    throw usageError(
      `Cannot use --tolerance ${tolerance}: expected less than half of the time between two rows`,
    );
  }
  const maxGap = args.text("max-gap");
  return {
    rate,
    tolerance: ns,
    fill,
    maxGap: maxGap === undefined ? undefined : parseDuration(maxGap, "--max-gap"),
  };
}

/** Rows of all streams of an export, in lockstep. */
export function gridOf(job: GridJob, rules: GridRules): AlignedQuery {
  const { streams, range, context: { signal } } = job;
  return align(streams.map(({ stream }) => stream), { ...rules, ...range, signal });
}

/** Values of a column that are there, as points. */
export function present(times: BigInt64Array, values: Float64Array): RawColumns {
  const kept: number[] = [];
  for (let i = 0; i < values.length; i++) if (!Number.isNaN(values[i]!)) kept.push(i);
  if (kept.length === values.length) return { times, values };
  return {
    times: BigInt64Array.from(kept, (i) => times[i]!),
    values: Float64Array.from(kept, (i) => values[i]!),
  };
}

/**
 * The points of one stream of an export at the times of the rows; says at the end how they came
 * about.
 */
export async function* gridPoints(
  job: GridJob,
  rules: GridRules,
  s: number,
): AsyncGenerator<RawColumns> {
  const { streams, range, context: { signal } } = job;
  const rows = align([streams[s]!.stream], { ...rules, ...range, signal });
  for await (const { times, values } of rows) yield present(times, values[0]!);
  sayCount(job, s, rows.counts[0]!);
}

/**
 * All rows of one stream of an export, with NaN where it has no value: for formats that keep a rate.
 *
 * @param say True to say at the end how they came about: such formats read twice.
 */
export async function* gridRows(
  job: GridJob,
  rules: GridRules,
  s: number,
  say: boolean,
): AsyncGenerator<RawColumns> {
  const { streams, range, context: { signal } } = job;
  const rows = align([streams[s]!.stream], { ...rules, ...range, signal });
  for await (const { times, values } of rows) yield { times, values: values[0]! };
  if (say) sayCount(job, s, rows.counts[0]!);
}

/** Says how the rows of a stream came about, and what is not in them. */
export function sayCount({ context, labels }: GridJob, s: number, count: AlignCount): void {
  const { matched, filled, missing, unused } = count;
  context.talk(
    `${labels[s]}: ${plural(matched, "row")} from points, ${grouped(filled)} filled, ` +
      `${grouped(missing)} without a value, ${plural(unused, "point")} left out`,
  );
}
