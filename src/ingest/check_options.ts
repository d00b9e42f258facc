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

/** Values that an option may have. */
interface Check {
  /** Tells whether a value is of the type. */
  isType(value: unknown): boolean;
  /** Tells whether a value of the type is one of those allowed; all of them are if there is none. */
  isAllowed?(value: never): boolean;
  /** The values in words, for the error. */
  readonly expected: string;
}

const text: Check = { isType: (value) => typeof value === "string", expected: "a string" };
const flag: Check = { isType: (value) => typeof value === "boolean", expected: "a boolean" };
const call: Check = { isType: (value) => typeof value === "function", expected: "a function" };
const object: Check = {
  isType: (value) => typeof value === "object" && value !== null,
  expected: "an object",
};
const ns: Check = {
  isType: (value) => typeof value === "bigint",
  expected: "a bigint of nanoseconds",
};
const list: Check = {
  isType: (value) => Array.isArray(value) && value.every((word) => typeof word === "string"),
  expected: "an array of strings",
};

/** Values that are checked where they are read. */
const anything: Check = { isType: () => true, expected: "anything" };

function matching(pattern: RegExp, expected: string): Check {
  return { ...text, isAllowed: (value: string) => pattern.test(value), expected };
}

function oneOf(...words: string[]): Check {
  const expected = `one of ${words.map((word) => JSON.stringify(word)).join(", ")}`;
  return { ...text, isAllowed: (value: string) => words.includes(value), expected };
}

function number(isAllowed: (value: number) => boolean, expected: string): Check {
  return { isType: (value) => typeof value === "number", isAllowed, expected };
}

function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const fate = oneOf("fail", "skip");

/** Values of each option. Those that depend on the source are checked where that is read. */
const CHECKS: Readonly<Record<OptionName, Check>> = {
  format: text,
  delimiter: matching(/^(?:[\t -~]|blanks)$/, 'one ASCII character, or "blanks"'),
  decimal: oneOf(".", ","),
  thousands: text,
  header: flag,
  skipLines: number((n) => Number.isInteger(n) && n >= 0 && n <= 10_000, "0 to 10000"),
  comment: matching(/^[!-/:-@[-`{-~ ]$/, "one ASCII mark"),
  encoding: text,
  time: text,
  timeFormat: text,
  tz: { ...text, isAllowed: isZone, expected: 'a time zone such as "Europe/Berlin" or "+02:00"' },
  start: ns,
  interval: {
    ...ns,
    isAllowed: (value: bigint) => value > 0n,
    expected: "a bigint of at least 1 ns",
  },
  rate: number((n) => n > 0 && n <= 1e9, "more than 0, and at most 1e9"),
  influx: text,
  into: text,
  columns: list,
  by: text,
  nulls: list,
  badRows: fate,
  badCells: fate,
  names: oneOf("btrdb", "plain"),
  frequency: oneOf("auto", "actual", "deviation"),
  exactTimes: flag,
  complete: flag,
  times: oneOf("auto", "rate", "stamps"),
  values: oneOf("as-is", "primary", "secondary"),
  status: oneOf("changes", "all", "none"),
  skew: oneOf("ignore", "apply"),
  live: flag,
  preview: flag,
  threads: flag,
  signal: object,
  maps: list,
  units: list,
  meta: object,
  resume: flag,
  changed: flag,
  restart: flag,
  mergePolicy: oneOf("never", "equal", "retain", "replace"),
  target: text,
  stateFolder: anything, // Checked as a path.
  onProgress: call,
  onNotice: call,
  onWarning: call,
  settleMs: anything, // Checked with the options of following.
  db: object,
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
    if (value === undefined) continue;
    const { isType, isAllowed, expected } = check;
    const message = `Cannot ${action}: ${name} is ${describe(value)}, expected ${expected}`;
    if (!isType(value)) throw invalidType(message);
    if (isAllowed !== undefined && !isAllowed(value as never)) throw outOfRange(message);
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
