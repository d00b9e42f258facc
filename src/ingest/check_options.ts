/**
 * Checks the options of an import: a misspelt one must not store other points than were meant.
 *
 * @module
 */

import { invalidType, outOfRange } from "../core/argument_error.ts";
import { checkNames } from "../core/check_names.ts";
import { checkObject } from "../core/check_object.ts";
import { describe } from "../core/describe.ts";
import type { ImportOptions } from "./options.ts";

/** Names of all options: of an import, and further ones of its plan and of following files. */
type OptionName = keyof ImportOptions | "db" | "settleMs";

/** A check of a value; `undefined` if it fits, else what was expected. */
type Check = (value: unknown) => string | undefined;

const isText: Check = (value) => typeof value === "string" ? undefined : "a string";
const isFlag: Check = (value) => typeof value === "boolean" ? undefined : "a boolean";
const isCall: Check = (value) => typeof value === "function" ? undefined : "a function";
const isNs: Check = (value) => typeof value === "bigint" ? undefined : "a bigint of nanoseconds";
const isObject: Check = (value) =>
  typeof value === "object" && value !== null ? undefined : "an object";
const isList: Check = (value) =>
  Array.isArray(value) && value.every((word) => typeof word === "string")
    ? undefined
    : "an array of strings";

function fits(pattern: RegExp, expected: string): Check {
  return (value) => typeof value === "string" && pattern.test(value) ? undefined : expected;
}

function oneOf(...words: string[]): Check {
  const expected = `one of ${words.map((word) => JSON.stringify(word)).join(", ")}`;
  return (value) => words.includes(value as string) ? undefined : expected;
}

function isNumber(isWithin: (value: number) => boolean, expected: string): Check {
  return (value) => typeof value === "number" && isWithin(value) ? undefined : expected;
}

const isZone: Check = (value) => {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: value as string });
    if (typeof value === "string") return undefined;
  } catch { /* There is no such zone. */ }
  return 'a time zone such as "Europe/Berlin" or "+02:00"';
};

const isFate = oneOf("fail", "skip");

/** A check of each option. Values that depend on the source are checked where it is read. */
const CHECKS: Readonly<Record<OptionName, Check>> = {
  format: isText,
  delimiter: fits(/^(?:[\t -~]|blanks)$/, 'one ASCII character, or "blanks"'),
  decimal: oneOf(".", ","),
  thousands: isText,
  header: isFlag,
  skipLines: isNumber((n) => Number.isInteger(n) && n >= 0 && n <= 10_000, "0 to 10000"),
  comment: fits(/^[!-/:-@[-`{-~ ]$/, "one ASCII mark"),
  encoding: isText,
  time: isText,
  timeFormat: isText,
  tz: isZone,
  start: isNs,
  interval: (value) => isNs(value) ?? ((value as bigint) > 0n ? undefined : "at least 1 ns"),
  rate: isNumber((n) => n > 0 && n <= 1e9, "more than 0, and at most 1e9"),
  influx: isText,
  into: isText,
  columns: isList,
  by: isText,
  nulls: isList,
  badRows: isFate,
  badCells: isFate,
  names: oneOf("btrdb", "plain"),
  frequency: oneOf("auto", "actual", "deviation"),
  exactTimes: isFlag,
  complete: isFlag,
  times: oneOf("auto", "rate", "stamps"),
  values: oneOf("as-is", "primary", "secondary"),
  status: oneOf("changes", "all", "none"),
  skew: oneOf("ignore", "apply"),
  live: isFlag,
  preview: isFlag,
  threads: isFlag,
  signal: isObject,
  maps: isList,
  units: isList,
  meta: isObject,
  resume: isFlag,
  changed: isFlag,
  restart: isFlag,
  mergePolicy: oneOf("never", "equal", "retain", "replace"),
  target: isText,
  stateFolder: () => undefined, // Checked as a path.
  onProgress: isCall,
  onNotice: isCall,
  onWarning: isCall,
  settleMs: () => undefined, // Checked with the options of following.
  db: isObject,
};

/**
 * Checks the names and values of options, before anything is read or made.
 *
 * @param action Name of the call, for the error.
 * @param options The options; absent ones, and ones that are undefined, are as by default.
 * @throws {TypeError} If there is no option of a name, or one is of the wrong type.
 * @throws {RangeError} If a value is none of those allowed, or two exclude each other.
 */
export function checkOptions(action: string, options: unknown): void {
  checkObject(action, "options", options);
  checkNames(action, "", options, CHECKS);
  const given = options as Readonly<Record<string, unknown>>;
  for (const [name, check] of Object.entries(CHECKS)) {
    const value = given[name];
    const expected = value === undefined ? undefined : check(value);
    if (expected === undefined) continue;
    const fault = expected.startsWith("a ") || expected.startsWith("an ")
      ? invalidType
      : outOfRange;
    throw fault(`Cannot ${action}: ${name} is ${describe(value)}, expected ${expected}`);
  }
  const { resume, changed, restart, interval, rate } = options as ImportOptions;
  if (changed === true && resume !== true) {
    throw outOfRange(`Cannot ${action}: changed is true, expected false without resume`);
  }
  if (restart === true && resume === true) {
    throw outOfRange(`Cannot ${action}: restart is true, expected false with resume`);
  }
  if (interval !== undefined && rate !== undefined) {
    throw outOfRange(`Cannot ${action}: rate is ${rate}, expected none with interval`);
  }
}
