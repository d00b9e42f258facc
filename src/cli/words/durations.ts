/**
 * Durations and pointwidths as people write them.
 *
 * @module
 */

import { tryDuration } from "../../core/duration_text.ts";
import { usageError } from "../errors.ts";

export { tryDuration };

/**
 * A duration, or an integer of ns.
 *
 * @param text Text from the command line.
 * @param name The option, for the error, e.g. `"--width"`.
 * @returns ns, at least 1.
 * @throws {CliError} Usage error.
 */
export function parseDuration(text: string, name: string): bigint {
  const ns = /^\d+$/.test(text) ? BigInt(text) : tryDuration(text);
  if (ns === undefined || ns < 1n) {
    throw usageError(
      `Cannot use ${name} ${text}: expected a duration of at least 1 ns`,
      "durations look like 200ms, 1.5s, 8333333ns, 1h30m or 1d",
    );
  }
  return ns;
}

/**
 * A pointwidth: an exponent `0` to `63`, or a duration, which is rounded down to a power of two.
 *
 * @param text Text from the command line, e.g. `"30"` or `"1s"`.
 * @param name The option, for the error.
 * @returns The exponent.
 * @throws {CliError} Usage error.
 */
export function parsePointwidth(text: string, name: string): number {
  if (/^\d{1,2}$/.test(text) && Number(text) <= 63) return Number(text);
  const ns = /^\d+$/.test(text) ? undefined : tryDuration(text);
  if (ns === undefined || ns < 1n || ns >= 1n << 64n) {
    throw usageError(
      `Cannot use ${name} ${text}: expected an exponent from 0 to 63 or a duration`,
      "30 means windows of 2^30 ns; 1s is rounded down to 2^29 ns",
    );
  }
  return ns.toString(2).length - 1;
}

/** A pointwidth for people, e.g. `2^30 ns (1.073741824 s)`. */
export function describePointwidth(exponent: number): string {
  return `2^${exponent} ns (${formatDuration(1n << BigInt(exponent))})`;
}

const SCALES: readonly (readonly [string, bigint])[] = [
  ["d", 86_400_000_000_000n],
  ["h", 3_600_000_000_000n],
  ["min", 60_000_000_000n],
];

/**
 * A duration for people, exact: `8.333333 ms`, `1.5 s`, `2 h 30 min`, `3 d 4 h`.
 *
 * @param ns May be negative.
 */
export function formatDuration(ns: bigint): string {
  if (ns < 0n) return `-${formatDuration(-ns)}`;
  if (ns < 1_000n) return `${ns} ns`;
  if (ns < 1_000_000n) return `${decimal(ns, 3)} µs`;
  if (ns < 1_000_000_000n) return `${decimal(ns, 6)} ms`;
  const parts: string[] = [];
  let rest = ns;
  for (const [name, unit] of SCALES) {
    if (rest >= unit) parts.push(`${rest / unit} ${name}`);
    rest %= unit;
  }
  if (rest > 0n) parts.push(`${decimal(rest, 9)} s`);
  return parts.join(" ");
}

/** A duration for people with about three digits: `1.07 s`, `2.5 h`. */
export function roughDuration(ns: bigint): string {
  const n = Number(ns);
  if (n < 0) return `-${roughDuration(-ns)}`;
  const steps: [number, string][] = [[864e11, "d"], [36e11, "h"], [6e10, "min"], [1e9, "s"], [
    1e6,
    "ms",
  ], [
    1e3,
    "µs",
  ]];
  for (const [unit, name] of steps) {
    if (n >= unit) return `${Number((n / unit).toPrecision(3))} ${name}`;
  }
  return `${n} ns`;
}

function decimal(ns: bigint, digits: number): string {
  const text = ns.toString().padStart(digits + 1, "0");
  const fraction = text.slice(-digits).replace(/0+$/, "");
  return text.slice(0, -digits) + (fraction === "" ? "" : `.${fraction}`);
}
