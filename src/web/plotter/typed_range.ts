/**
 * Moments as people type them: `2026-01-31 12:00:00.123456789`, `12:30`, `now-1h`, `today`,
 * `+15m` after the other end, ns since the epoch.
 *
 * @module
 */

import { MAX_TIME, MIN_TIME } from "../../core/range.ts";
import { formatTime } from "../../core/time.ts";
import { fromWall, toWall } from "../../plot/figure/zone_time.ts";

/** Surroundings of what is typed. */
export interface TypedContext {
  /** ns since the Unix epoch. */
  readonly now: bigint;
  /** Zone of times without one. */
  readonly zone: string;
}

/** A range that was typed, or the problem with it. */
export type TypedRange =
  | { readonly start: bigint; readonly end: bigint }
  | { readonly last: bigint }
  | { readonly problem: string; readonly field: "start" | "end" };

const SECOND = 1_000_000_000n;
const DAY = 86_400n * SECOND;

/** Units of durations, ns. Months and years differ in length and are left out on purpose. */
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: SECOND,
  sec: SECOND,
  m: 60n * SECOND,
  min: 60n * SECOND,
  h: 3_600n * SECOND,
  d: DAY,
  day: DAY,
  days: DAY,
  w: 7n * DAY,
};

const EXPECTED = "expected a time such as 2026-01-31 12:00:00.5, 12:30, now-1h or today";

/** An error in what was typed. */
class TypingError extends Error {}

/**
 * Reads a range.
 *
 * @param startText Start: a moment, or a duration before the end, `-1h`.
 * @param endText End: a moment, or a duration after the start, `+1h`.
 */
export function parseRange(startText: string, endText: string, context: TypedContext): TypedRange {
  let field: "start" | "end" = "start";
  try {
    const before = durationIn(startText, "-");
    if (before === undefined && durationIn(endText, "+") === undefined) {
      const start = momentIn(startText, context);
      field = "end";
      return checked(start, momentIn(endText, context), startText, endText, context);
    }
    if (before !== undefined) {
      field = "end";
      const end = momentIn(endText, context);
      return checked(end - before, end, startText, endText, context);
    }
    const start = momentIn(startText, context);
    field = "end";
    return checked(start, start + durationIn(endText, "+")!, startText, endText, context);
  } catch (error) {
    if (error instanceof TypingError) return { problem: error.message, field };
    throw error;
  }
}

function checked(
  start: bigint,
  end: bigint,
  startText: string,
  endText: string,
  { now }: TypedContext,
): TypedRange {
  if (end <= start) {
    throw new TypingError(
      `The end ${JSON.stringify(endText.trim())} is not after the start, expected a later time`,
    );
  }
  const isLive = /^now$/i.test(endText.trim()) && /^\s*(now\s*)?-/i.test(startText) && end === now;
  return isLive ? { last: end - start } : { start, end };
}

function legal(time: bigint, text: string): bigint {
  if (time >= MIN_TIME && time <= MAX_TIME) return time;
  throw new TypingError(
    `${JSON.stringify(text)} is out of range, expected ${formatTime(MIN_TIME).slice(0, 10)} to ` +
      formatTime(MAX_TIME).slice(0, 10),
  );
}

/** A duration with its sign, `-1h30m`. */
function durationIn(text: string, sign: "+" | "-"): bigint | undefined {
  const trimmed = text.trim().replace("−", "-");
  if (!trimmed.startsWith(sign)) return undefined;
  return durationOf(trimmed.slice(1));
}

/** A duration, `1h30m`, `1.5 s`, `250ns`. */
function durationOf(text: string): bigint {
  const parts = /^(?:\s*\d+(?:\.\d+)?\s*[a-zµμ]+)+\s*$/i;
  if (text.length > 100 || !parts.test(text)) {
    throw new TypingError(
      `Cannot read the duration ${JSON.stringify(text)}, expected one such as 90s, 1h30m or 250ns`,
    );
  }
  let sum = 0n;
  for (const [, number, name] of text.matchAll(/(\d+(?:\.\d+)?)\s*([a-zµμ]+)/gi)) {
    const unit = UNITS[name!] ?? UNITS[name!.toLowerCase()];
    if (unit === undefined || !Object.hasOwn(UNITS, name!.toLowerCase())) {
      throw new TypingError(
        `There is no unit ${JSON.stringify(name)}, expected ns, us, ms, s, m, h, d or w`,
      );
    }
    const [whole = "0", fraction = ""] = number!.split(".");
    const scale = 10n ** BigInt(fraction.length);
    sum += (BigInt(whole) * scale + BigInt(fraction || "0")) * unit / scale;
  }
  return sum;
}

/** A moment. */
function momentIn(text: string, context: TypedContext): bigint {
  const trimmed = text.trim().replace("−", "-");
  const { now, zone } = context;
  const relative = /^(now|today|yesterday)\s*(?:([+-])([^]+))?$/i.exec(trimmed);
  if (relative !== null) {
    const base = baseOf(relative[1]!.toLowerCase(), now, zone);
    if (relative[2] === undefined) return base;
    const by = durationOf(relative[3]!);
    return legal(relative[2] === "-" ? base - by : base + by, trimmed);
  }
  if (/^-?\d{15,20}$/.test(trimmed)) return legal(BigInt(trimmed), trimmed);
  return legal(absolute(trimmed, context), trimmed);
}

function baseOf(word: string, now: bigint, zone: string): bigint {
  if (word === "now") return now;
  const wall = toWall(now, zone);
  const midnight = wall - ((wall % DAY) + DAY) % DAY;
  return momentOfWall(word === "today" ? midnight : midnight - DAY, zone, word);
}

const DATE = /^(\d{4})-(\d{1,2})-(\d{1,2})/;
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?/;
const OFFSET = /^(?:Z|UTC|([+-])(\d{2}):?(\d{2}))$/i;

function absolute(text: string, { now, zone }: TypedContext): bigint {
  const wrong = () => new TypingError(`Cannot read ${JSON.stringify(text)}, ${EXPECTED}`);
  const date = DATE.exec(text);
  let rest = date === null ? text : text.slice(date[0].length).replace(/^[T\s]\s*/i, "");
  const clock = CLOCK.exec(rest);
  if (date === null && clock === null) throw wrong();
  rest = clock === null ? rest.trim() : rest.slice(clock[0].length).trim();
  const offset = OFFSET.exec(rest);
  if (rest !== "" && offset === null) throw wrong();
  const wallNow = toWall(now, zone);
  const day = date === null
    ? wallNow - ((wallNow % DAY) + DAY) % DAY
    : dayOf(Number(date[1]), Number(date[2]), Number(date[3]), text);
  const [hour, minute, second] = [1, 2, 3].map((i) => Number(clock?.[i] ?? 0)) as [
    number,
    number,
    number,
  ];
  if (hour > 24 || minute > 59 || second > 59 || (hour === 24 && minute + second > 0)) {
    throw new TypingError(`There is no time ${JSON.stringify(clock![0])}, expected 00:00 to 24:00`);
  }
  const seconds = BigInt(hour * 3600 + minute * 60 + second);
  const wall = day + seconds * SECOND + BigInt((clock?.[4] ?? "").padEnd(9, "0"));
  if (offset === null) return momentOfWall(wall, zone, text);
  const minutes = BigInt(Number(offset[2] ?? 0) * 60 + Number(offset[3] ?? 0));
  return wall - (offset[1] === "-" ? -minutes : minutes) * 60n * SECOND;
}

/** Midnight of a day as if it were in UTC. */
function dayOf(year: number, month: number, day: number, text: string): bigint {
  const ms = Date.UTC(year, month - 1, day);
  const date = new Date(ms);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) {
    throw new TypingError(`There is no day ${JSON.stringify(text.slice(0, 10))}`);
  }
  return BigInt(ms) * 1_000_000n;
}

/** The moment of a wall-clock time; the first of two, where a clock was set back. */
function momentOfWall(wall: bigint, zone: string, text: string): bigint {
  const [time] = fromWall(wall, zone);
  if (time !== undefined) return time;
  throw new TypingError(
    `Clocks in ${zone} never show ${JSON.stringify(text)}: they are set forward then`,
  );
}
