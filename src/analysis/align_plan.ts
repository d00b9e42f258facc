/**
 * Rows of aligned streams, planned from the options.
 *
 * @module
 */

import { timeRange } from "../client/arguments.ts";
import { describe } from "../core/describe.ts";
import { MAX_TIME } from "../core/range.ts";
import type { RequestOptions } from "../core/request_options.ts";
import type { TimeLike } from "../core/time.ts";
import type { Fill, Grid } from "../kernel/align.ts";
import { rateFraction } from "./rate_fraction.ts";
import { ACTION, type AlignRange, type Source } from "./align_source.ts";

/** No two points are further apart. */
const ANY_GAP = 1n << 62n;
/** Longest numerator that the kernel reckons with. */
const MAX_NS = 1n << 56n;

/** Options of {@linkcode align}. */
export interface AlignOptions extends RequestOptions {
  /** First row. */
  start: TimeLike;
  /** End, exclusive. @default {after the last point of all streams} */
  end?: TimeLike | undefined;
  /** Rows a second, 0.000001 to 1,000,000,000: the simplest fraction that is this number. */
  rate: number;
  /**
   * A point at most so many ns away from a row belongs to it, the nearest one if there are several.
   * Less than half the distance of rows, so that no point belongs to two.
   *
   * @default {0n} the exact time
   */
  tolerance?: bigint | number | undefined;
  /**
   * Value of a row to which no point belongs: none (NaN), that of the last point before it, or the
   * straight line between the points on both sides.
   *
   * @default {"none"}
   */
  fill?: Fill | undefined;
  /**
   * Longest distance in ns that is filled: from the last point, or for `"linear"` between both. With
   * `fill` only.
   *
   * @default {undefined} any distance; `counts` says how many rows were filled
   */
  maxGap?: bigint | number | undefined;
}

/** Rows to make of streams. */
export interface Plan extends AlignRange {
  grid: Grid;
  rows: bigint;
  /** From where on points are counted. */
  from: bigint;
  /** To where points are counted, exclusive. */
  to: bigint;
}

/** Checked options. */
export interface Rules extends Omit<AlignRange, "end"> {
  end: bigint | undefined;
  /** Length of a row, `ns / parts`. */
  ns: bigint;
  parts: bigint;
}

/**
 * Checks the options.
 *
 * @throws {TypeError | RangeError} If one is wrong.
 */
export function rulesOf(options: AlignOptions): Rules {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(`Cannot ${ACTION}: options is ${describe(options)}, expected an object`);
  }
  const { rate, fill = "none" } = options;
  const { start, end } = timeRange(ACTION, options.start, options.end ?? MAX_TIME);
  if (!(typeof rate === "number" && rate >= 1e-6 && rate <= 1e9)) {
    refuse("rate", rate, "a number of rows a second from 0.000001 to 1000000000");
  }
  if (fill !== "none" && fill !== "previous" && fill !== "linear") {
    refuse("fill", fill, `"none", "previous" or "linear"`);
  }
  const { count, seconds } = rateFraction(rate);
  const { ns, parts } = manageable(ratio(seconds * 1_000_000_000n, count));
  const tolerance = wholeNs("tolerance", options.tolerance ?? 0n, 0n);
  if (2n * tolerance * parts >= ns && tolerance > 0n) {
    refuse("tolerance", tolerance, `less than half of ${Number(ns) / Number(parts)} ns`);
  }
  if (fill === "none" && options.maxGap !== undefined) {
    throw new TypeError(`Cannot ${ACTION}: maxGap is given without fill, expected both`);
  }
  const maxGap = wholeNs("maxGap", options.maxGap ?? ANY_GAP, 1n);
  return {
    start,
    end: options.end === undefined ? undefined : end,
    ns,
    parts,
    tolerance,
    fill,
    maxGap,
  };
}

/** Completes the rules by what the streams have. */
export async function planOf(
  { start, end: given, ns, parts, tolerance, fill, maxGap }: Rules,
  sources: readonly Source[],
  left: () => RequestOptions,
): Promise<Plan> {
  let end = given ?? start;
  if (given === undefined) {
    for (const last of await Promise.all(sources.map((source) => source.last!(left)))) {
      if (last !== undefined && last >= end) end = last + 1n;
    }
  }
  const grid = { start, ns, parts };
  const rows = rowsOf(grid, end);
  const near = start + (2n * (rows - 1n) * ns + parts) / (2n * parts) + tolerance + 1n;
  const points = { from: start - tolerance, to: near > end ? near : end };
  return { start, end, grid, rows, ...points, tolerance, fill, maxGap };
}

/** A fraction in lowest terms. */
function ratio(ns: bigint, parts: bigint): { ns: bigint; parts: bigint } {
  let [a, b] = [ns, parts];
  while (b > 0n) [a, b] = [b, a % b];
  return { ns: ns / a, parts: parts / a };
}

/** A fraction whose numerator is not too long: that of a strange rate is rounded to 56 bits. */
function manageable({ ns, parts }: { ns: bigint; parts: bigint }): { ns: bigint; parts: bigint } {
  if (ns <= MAX_NS) return { ns, parts };
  let rounded = ratio(ns / parts, 1n);
  for (let half = 1n; rounded.ns < MAX_NS >> 1n; half *= 2n) {
    rounded = { ns: (2n * ns * half + parts) / (2n * parts), parts: half };
  }
  return rounded;
}

/** Rows before `end`: place `i` is rounded to the nearest ns. */
function rowsOf({ start, ns, parts }: Grid, end: bigint): bigint {
  // Place i is before the end if (i ns + parts/2) / parts < end − start.
  const most = (end - start) * parts - parts / 2n;
  return most <= 0n ? 0n : (most - 1n) / ns + 1n;
}

function wholeNs(name: string, value: bigint | number, least: bigint): bigint {
  if (typeof value !== "bigint" && !Number.isSafeInteger(value)) {
    refuse(name, value, `whole ns from ${least}`);
  }
  const ns = BigInt(value);
  if (ns < least || ns > 1n << 62n) refuse(name, value, `whole ns from ${least} to 2^62`);
  return ns;
}

function refuse(name: string, value: unknown, expected: string): never {
  throw new RangeError(`Cannot ${ACTION}: ${name} is ${describe(value)}, expected ${expected}`);
}
