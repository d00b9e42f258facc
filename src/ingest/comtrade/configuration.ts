/**
 * Configurations of COMTRADE: the `.cfg` of IEEE C37.111-1991, -1999 and -2013 (IEC 60255-24).
 *
 * @module
 */

import { ImportError } from "../errors.ts";
import { type Fraction, parseFraction } from "./decimal.ts";
import { type DateOrder, parseStamp, parseTimeCode, type Stamp } from "./stamp.ts";

/** Edition of the standard. */
export type ComtradeRevision = 1991 | 1999 | 2013;

/** Form of the samples. */
export type ComtradeType = "ASCII" | "BINARY" | "BINARY32" | "FLOAT32";

/** A channel of measured values. */
export interface AnalogChannel {
  /** Number of the channel in the file, as written there. */
  readonly number: string;
  /** Identifier, e.g. `VA`. */
  readonly id: string;
  /** Phase, e.g. `A`; may be empty. */
  readonly phase: string;
  /** Circuit component that is watched; may be empty. */
  readonly circuit: string;
  /** Unit of the values, e.g. `kV`. */
  readonly unit: string;
  /** Value = `a` × sample + `b`. */
  readonly a: number;
  /** See {@linkcode AnalogChannel.a}. */
  readonly b: number;
  /** Time between the beginning of the sample period and the sample, µs. */
  readonly skew: number;
  /** Smallest and largest sample that is no missing one; `NaN` where the file does not say. */
  readonly min: number;
  /** See {@linkcode AnalogChannel.min}. */
  readonly max: number;
  /** Ratio of the transformer; `NaN` where the file does not say. */
  readonly primary: number;
  /** See {@linkcode AnalogChannel.primary}. */
  readonly secondary: number;
  /** Side of the transformer on which the values are; `undefined` where the file does not say. */
  readonly side: "primary" | "secondary" | undefined;
}

/** A channel of 0 and 1. */
export interface StatusChannel {
  /** Number of the channel in the file, as written there. */
  readonly number: string;
  /** Identifier, e.g. `52A`. */
  readonly id: string;
  /** Phase; may be empty. */
  readonly phase: string;
  /** Circuit component that is watched; may be empty. */
  readonly circuit: string;
  /** Its normal state; `undefined` where the file does not say. */
  readonly normal: 0 | 1 | undefined;
}

/** A stretch of samples at one rate. */
export interface SampleRate {
  /** Samples a second; `undefined` if only the stamps say the times. */
  readonly rate: Fraction | undefined;
  /** Number of the last sample at this rate, from 1. */
  readonly end: number;
}

/** Content of a configuration file. */
export interface Configuration {
  /** Edition. */
  readonly revision: ComtradeRevision;
  /** Station. */
  readonly station: string;
  /** Recording device. */
  readonly device: string;
  /** Channels of measured values, in the order of the samples. */
  readonly analogs: readonly AnalogChannel[];
  /** Channels of states, in the order of the samples. */
  readonly statuses: readonly StatusChannel[];
  /** Nominal frequency of the network, Hz; `undefined` where the file does not say. */
  readonly lineFrequency: number | undefined;
  /** Rates, in the order of the samples; at least one. */
  readonly rates: readonly SampleRate[];
  /** Time of the first sample; `undefined` if there is none that can be read. */
  readonly first: Stamp | undefined;
  /** The time of the first sample as it stands there. */
  readonly firstText: string;
  /** Time of the trigger; `undefined` if there is none that can be read. */
  readonly trigger: Stamp | undefined;
  /** Form of the samples. */
  readonly type: ComtradeType;
  /** Factor of the stamps of samples. */
  readonly timeMultiplier: Fraction;
  /** Offset of the recorder's clock from UTC, ns; `undefined` where the file does not say. */
  readonly timeCode: bigint | undefined;
  /** The `time_code` as it stands there; empty or `x` where the file does not say. */
  readonly timeCodeText: string;
  /** Offset of local time from UTC, ns; `undefined` where the file does not say. */
  readonly localCode: bigint | undefined;
  /** Quality of the recorder's clock, a hexadecimal digit, 0 for locked. */
  readonly timeQuality: string | undefined;
  /** Leap second: 0 none, 1 added, 2 removed, 3 the clock cannot say. */
  readonly leapSecond: string | undefined;
  /** Remarks on what was read although it is odd. */
  readonly notices: readonly string[];
}

const TYPES: readonly ComtradeType[] = ["ASCII", "BINARY", "BINARY32", "FLOAT32"];

/** Most channels of each kind: more cannot be meant, whatever a file says. */
const MAX_CHANNELS = 100_000;

/** Most stretches of one rate. */
const MAX_RATES = 100_000;

/** Character that some programs write behind the last line. */
const SUB = String.fromCharCode(26);

/** Lines of a configuration, and errors that name them. */
class Lines {
  readonly #name: string;
  readonly #lines: readonly string[];
  #at = 0;
  /** True if more than padding stands behind the mark of the end. */
  readonly hasMore: boolean;

  constructor(name: string, text: string) {
    this.#name = name;
    const all = text.replace(/^\ufeff/, "");
    const end = all.indexOf(SUB);
    this.#lines = (end < 0 ? all : all.slice(0, end)).split(/\r\n|\n|\r/);
    this.hasMore = end >= 0 && all.slice(end).split(SUB).some((part) => /[^\s\0]/.test(part));
  }

  /** The next line; `undefined` behind the last. */
  next(): string | undefined {
    return this.#lines[this.#at++];
  }

  /** Fields of the next line. */
  fields(what: string): string[] {
    const line = this.next();
    if (line === undefined) this.fail(`it ends before ${what}`);
    return line.split(",").map((field) => field.trim());
  }

  fail(problem: string): never {
    throw new ImportError(`Cannot read ${this.#name}, line ${this.#at}: ${problem}`);
  }
}

const COUNTS = /^\d+\s*,\s*\d+\s*A\s*,\s*\d+\s*D\s*,?$/i;

/**
 * Tells whether text is the beginning of a configuration: a line of two or three fields, then counts
 * such as `8,4A,4D`.
 */
export function isConfiguration(text: string): boolean {
  const [first = "", counts = ""] = text.replace(/^\ufeff/, "").split(/\r\n|\n|\r/, 2);
  const fields = first.split(",").length;
  return fields >= 2 && fields <= 4 && COUNTS.test(counts.trim());
}

/**
 * Parses a configuration.
 *
 * @param text The `.cfg`, or that part of a `.cff`.
 * @param name Of the file, for errors.
 * @throws {ImportError} If it is none, with the line.
 */
export function parseConfiguration(text: string, name: string): Configuration {
  const lines: Lines = new Lines(name, text);
  const notices: string[] = [];
  const [station = "", device = "", year] = lines.fields("the station");
  const [total, analogCount, statusCount] = countsOf(lines);
  if (total !== analogCount + statusCount) {
    notices.push(
      `${name} says ${total} channels but ${analogCount} analog and ${statusCount} status ones`,
    );
  }
  if (lines.hasMore) {
    notices.push(`${name} goes on behind 0x1A, which ends a text: that is left out`);
  }
  const analogs = Array.from({ length: analogCount }, () => analogOf(lines));
  const statuses = Array.from({ length: statusCount }, () => statusOf(lines));
  const [frequency = "", rest = ""] = lines.fields("the frequency of the line");
  const lineFrequency = frequency === "" ? 0 : decimalOf(frequency);
  if (!(lineFrequency >= 0) || !Number.isNaN(decimalOf(rest))) {
    lines.fail(
      `frequency of the line is ${quoted(rest === "" ? frequency : `${frequency},${rest}`)}`,
    );
  }
  const rates = ratesOf(lines);
  const stamps = [lines.next(), lines.next()];
  if (stamps[1] === undefined) lines.fail("it ends before the times of first sample and trigger");
  const [form = ""] = lines.fields("the form of the samples");
  const type = TYPES.find((known) => known === form.toUpperCase());
  if (type === undefined) {
    lines.fail(`form of the samples is ${quoted(form)}, expected ${TYPES.join(", ")}`);
  }
  const factor = lines.next()?.trim().replace(/(?<!,),+$/, "") ?? "";
  const timeMultiplier = factor === "" ? ONE : parseFraction(factor);
  if (timeMultiplier === undefined || timeMultiplier.numerator <= 0n) {
    lines.fail(`factor of the stamps is ${quoted(factor)}, expected a number above 0`);
  }
  const codes = lines.next()?.split(",").map((code) => code.trim());
  const quality = lines.next()?.split(",").map((field) => field.trim());
  const hasCodes = codes !== undefined && codes.some((code) => code !== "");
  const revision = revisionOf(year, hasCodes);
  if (year !== undefined && year !== String(revision)) {
    notices.push(`${name} has the revision ${quoted(year)}, read as ${revision}`);
  }
  const [firstText, triggerText] = stamps.map((stamp) => stamp!.trim()) as [string, string];
  const order = orderOf(revision, [firstText, triggerText], notices);
  const trigger = parseStamp(triggerText, order);
  if (trigger === undefined && triggerText.replaceAll(",", "").trim() !== "") {
    notices.push(`${name} was triggered at ${quoted(triggerText)}, which is no time; left out`);
  }
  return {
    revision,
    station,
    device,
    analogs,
    statuses,
    lineFrequency: lineFrequency === 0 ? undefined : lineFrequency,
    rates,
    first: parseStamp(firstText, order),
    firstText,
    trigger,
    type,
    timeMultiplier,
    timeCode: hasCodes ? parseTimeCode(codes[0]!) : undefined,
    timeCodeText: codes?.[0] ?? "",
    localCode: hasCodes ? parseTimeCode(codes[1] ?? "") : undefined,
    timeQuality: quality?.[0] || undefined,
    leapSecond: quality?.[1] || undefined,
    notices,
  };
}

const ONE: Fraction = { numerator: 1n, denominator: 1n };

function countsOf(lines: Lines): [number, number, number] {
  const fields = lines.fields("the numbers of channels");
  const [, total, analog, status] = /^(\d+),(\d+)\s*A,(\d+)\s*D,?$/i.exec(fields.join(",")) ??
    lines.fail(
      `numbers of channels are ${quoted(fields.join(","))}, expected such as 8,4A,4D`,
    );
  const counts = [total, analog, status].map(Number) as [number, number, number];
  if (Math.max(...counts) > MAX_CHANNELS) {
    lines.fail(`${Math.max(...counts)} channels, at most ${MAX_CHANNELS} are read`);
  }
  return counts;
}

function analogOf(lines: Lines): AnalogChannel {
  const written = lines.fields("all analog channels");
  const isPadded = written.length >= 13;
  const fields = trimmed(written, 10);
  const isKnown = fields.length === 10 || fields.length === 13 ||
    (isPadded && fields.length > 10 && fields.length < 13);
  if (!isKnown) {
    lines.fail(
      `an analog channel with ${fields.length} fields, expected 10 or 13 (numbers have a decimal ` +
        `point, names no comma)`,
    );
  }
  const [number, id, phase, circuit, unit, a, b, skew, min, max, ...ratio] = fields as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    string,
    ...string[],
  ];
  const side = ratio[2]?.toUpperCase();
  // Ten fields whose numbers have decimal commas may be thirteen: the last one is a number then.
  if (decimalOf(side ?? "") > 1) {
    lines.fail(`field PS of a channel is ${quoted(side!)}, expected P or S`);
  }
  return {
    number,
    id,
    phase,
    circuit,
    unit,
    a: needed(lines, a, "a"),
    b: b === "" ? 0 : needed(lines, b, "b"),
    skew: skew === "" ? 0 : needed(lines, skew, "skew"),
    min: optional(lines, min, "min"),
    max: optional(lines, max, "max"),
    primary: optional(lines, ratio[0] ?? "", "primary"),
    secondary: optional(lines, ratio[1] ?? "", "secondary"),
    side: side === "P" ? "primary" : side === "S" ? "secondary" : undefined,
  };
}

function statusOf(lines: Lines): StatusChannel {
  const fields = trimmed(lines.fields("all status channels"), 3);
  if (fields.length < 2 || fields.length > 5) {
    lines.fail(`a status channel with ${fields.length} fields, expected 3 to 5`);
  }
  const [number = "", id = ""] = fields;
  const normal = fields.length > 2 ? fields.at(-1) : undefined;
  return {
    number,
    id,
    phase: fields.length > 3 ? fields[2]! : "",
    circuit: fields.length > 4 ? fields[3]! : "",
    normal: normal === "0" ? 0 : normal === "1" ? 1 : undefined,
  };
}

/** Fields without empty ones at the end, but at least so many. */
function trimmed(fields: string[], least: number): string[] {
  while (fields.length > least && fields.at(-1) === "") fields.pop();
  return fields;
}

function ratesOf(lines: Lines): SampleRate[] {
  const count = lines.fields("the number of rates")[0]!;
  const rates: SampleRate[] = [];
  const stretches = count === "" ? 0 : Number(count);
  if (!Number.isInteger(stretches) || stretches < 0 || stretches > MAX_RATES) {
    lines.fail(`number of rates is ${quoted(count)}, expected 0 to ${MAX_RATES}`);
  }
  // Without a rate, there is still a line with the number of the last sample.
  for (let i = 0; i < Math.max(1, stretches); i++) {
    const fields = trimmed(lines.fields("all rates"), 2);
    const [rate = "", end = ""] = fields;
    if (fields.length > 2) lines.fail(`a rate with ${fields.length} fields, expected 2`);
    const parsed = parseFraction(rate === "" && stretches === 0 ? "0" : rate);
    if (parsed === undefined || parsed.numerator < 0n || isBelowNanosecond(parsed)) {
      lines.fail(`a rate is ${quoted(rate)}, expected 0 to 1e9 samples a second`);
    }
    const last = decimalOf(end);
    if (!Number.isSafeInteger(last) || last < (rates.at(-1)?.end ?? 0)) {
      const least = rates.at(-1)?.end ?? 0;
      lines.fail(
        `last sample at a rate is ${quoted(end)}, expected ${least} to ${Number.MAX_SAFE_INTEGER}`,
      );
    }
    rates.push({
      rate: stretches === 0 || parsed.numerator === 0n ? undefined : parsed,
      end: last,
    });
  }
  return rates;
}

/** Tells whether samples of a rate are less than a nanosecond apart: several would have one time. */
function isBelowNanosecond({ numerator, denominator }: Fraction): boolean {
  return numerator > denominator * 1_000_000_000n;
}

/** The edition: years that are none of the three are read by what else the file has. */
function revisionOf(year: string | undefined, hasCodes: boolean): ComtradeRevision {
  if (year === undefined) return 1991;
  if (year === "1991" || year === "1999" || year === "2013") {
    return Number(year) as ComtradeRevision;
  }
  return hasCodes ? 2013 : 1999;
}

/** Order of day and month: that of the edition, unless only the other one gives days. */
function orderOf(
  revision: ComtradeRevision,
  stamps: readonly string[],
  notices: string[],
): DateOrder {
  const usual: DateOrder = revision === 1991 ? "month first" : "day first";
  const other: DateOrder = revision === 1991 ? "day first" : "month first";
  const fits = (order: DateOrder) =>
    stamps.every((stamp) => parseStamp(stamp, order) !== undefined);
  if (fits(usual) || !fits(other)) return usual;
  notices.push(`The date ${stamps[0]!.split(",")[0]!.trim()} can only be read ${other}`);
  return other;
}

function needed(lines: Lines, text: string, field: string): number {
  const value = optional(lines, text, field);
  if (Number.isNaN(value)) lines.fail(`field ${field} of a channel is empty`);
  return value;
}

function optional(lines: Lines, text: string, field: string): number {
  if (text === "") return NaN;
  const value = decimalOf(text);
  if (!Number.isFinite(value)) {
    lines.fail(
      `field ${field} of a channel is ${quoted(text)}, expected a decimal number of at most ` +
        `${Number.MAX_VALUE}`,
    );
  }
  return value;
}

/** A decimal number; `NaN` for what is none, such as `0x10`. */
function decimalOf(text: string): number {
  return /^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
