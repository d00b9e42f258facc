/**
 * Lines of line protocol that are refused.
 *
 * @module
 */

import { STORABLE_TIMES } from "../core/range.ts";
import { formatTime } from "../core/time.ts";

/** A line that is refused, and why. */
export interface LineError {
  /** Its number, from 1. */
  readonly line: number;
  /** In the words of InfluxDB where it has some: `unable to parse 'cpu': missing fields`. */
  readonly message: string;
}

/** Longest part of a line that an error repeats, bytes. */
const MAX_TEXT_BYTES = 100;

/** By the codes of `wasm/line_error.ts`; the text is the field or what else is wrong. */
const WORDS: Readonly<Record<number, (text: string, unit: bigint) => string>> = {
  1: () => "missing measurement",
  2: () => "missing fields",
  3: (text) => `invalid tag format at '${text}', expected key=value`,
  4: (text) => `invalid field format at '${text}', expected key=value`,
  5: (text) => `invalid value at '${text}', expected a number, a boolean or a string`,
  6: (text) =>
    `number out of range at '${text}', expected -2^63 to 2^63 - 1 before i, 0 to 2^64 - 1 before u, ` +
    `else up to ${Number.MAX_VALUE}`,
  7: (text) =>
    `integer at '${text}' cannot be stored without rounding, expected at most 2^53, or digits that ` +
    "a double holds",
  8: (text) => `bad timestamp at '${text}'`,
  9: (text, unit) => `time outside range at '${text}', expected ${timeRange(unit)}`,
  11: () => "more than 4096 numbers",
  12: (text) => `the name at '${text}' is not UTF-8`,
  13: (text) => `duplicate tag at '${text}'`,
  14: () => "more than 255 tags",
  15: (text) => `duplicate field at '${text}'`,
};

/** The code of a string without an end. */
const UNCLOSED = 10;

/** Finds and words of a line that cannot be parsed. */
export interface LineFault {
  readonly code: number;
  /** The bytes, where the line begins in them, and where what is wrong. */
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly at: number;
  /** Its number, from 1. */
  readonly line: number;
  /** Line feeds up to its end. */
  readonly lines: number;
  /** ns of a unit of its time; `0n`: seconds to nanoseconds, by the size of each. */
  readonly unit: bigint;
}

const UNITS: ReadonlyMap<bigint, string> = new Map([
  [1n, "ns"],
  [1_000n, "us"],
  [1_000_000n, "ms"],
  [1_000_000_000n, "s"],
  [60_000_000_000n, "minutes"],
  [3_600_000_000_000n, "hours"],
]);

/** Times that points may have, in units of some ns. */
function timeRange(unit: bigint): string {
  const bounds = [STORABLE_TIMES.first, STORABLE_TIMES.last];
  // Divisions cut towards zero, and so stay inside of the range.
  const range = bounds.map((time) => unit === 0n ? time : time / unit).join(" to ");
  const days = bounds.map((time) => formatTime(time).slice(0, 10)).join(" to ");
  const name = unit === 0n
    ? "ns or as much in us, ms or s"
    : UNITS.get(unit) ?? `units of ${unit} ns`;
  return `${range} ${name} (${days})`;
}

/** The error of a line that cannot be parsed. */
export function lineError({ code, bytes, from, at, line, lines, unit }: LineFault): LineError {
  const text = excerpt(bytes, from);
  const where = excerpt(bytes, at);
  const more = lines > 1 ? `; the ${lines - 1} lines after it belong to it` : "";
  const why = code === UNCLOSED
    ? `unbalanced quotes at '${where}'${more}`
    : WORDS[code]!(where, unit);
  return { line, message: `unable to parse '${text}': ${why}` };
}

/** The beginning of what stands at `from`, at most up to the end of the line. */
function excerpt(bytes: Uint8Array, from: number): string {
  const some = bytes.subarray(from, from + MAX_TEXT_BYTES);
  const feed = some.indexOf(10);
  const text = new TextDecoder().decode(feed < 0 ? some : some.subarray(0, feed));
  const shown = text.replace(/\p{Cc}/gu, "\ufffd").replace(/\ufffd+$/, "");
  return feed < 0 && some.length === MAX_TEXT_BYTES ? `${shown}…` : shown;
}
