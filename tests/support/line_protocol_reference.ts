/**
 * A plain reading of line protocol, character by character, to hold the kernel's against.
 *
 * @module
 */

/** Contents of a text of line protocol. */
export interface ReferenceLines {
  /** `[series as JSON, time, value]`, in order. */
  readonly points: [string, bigint, number][];
  readonly strings: number;
  /** Numbers of the lines that are refused, from 1. */
  readonly refused: number[];
}

class Refused extends Error {}

const LEAST = -(1n << 60n);
const MOST = 3n * (1n << 60n);

/** Reads well-formed text; `unit` in ns, 0 to guess. */
export function referenceLines(text: string, unit: bigint, now: bigint): ReferenceLines {
  const points: [string, bigint, number][] = [];
  const refused: number[] = [];
  let strings = 0;
  let number = 1;
  for (let at = 0; at < text.length;) {
    const end = lineEnd(text, at);
    const line = text.slice(at, end.at);
    try {
      if (end.isOpen) throw new Refused();
      const found = readLine(line.replace(/\r$/, ""), unit, now);
      points.push(...found.points);
      strings += found.strings;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refused.push(number);
    }
    number += line.split("\n").length;
    at = end.at + 1;
  }
  return { points, strings, refused };
}

/** The end of the line that begins at `at`: strings in the fields may hold line feeds. */
function lineEnd(text: string, at: number): { at: number; isOpen: boolean } {
  while (at < text.length && " \t".includes(text[at]!)) at++;
  const isComment = text[at] === "#";
  let isInFields = false;
  let isQuoted = false;
  let [equals, commas] = [0, 0];
  for (; at < text.length; at++) {
    const c = text[at]!;
    if (isQuoted) {
      if (c === "\\" && '"\\'.includes(text[at + 1] ?? "x")) at++;
      else if (c === '"') isQuoted = false;
    } else if (c === "\n") return { at, isOpen: false };
    else if (isComment) continue;
    else if (c === "\\" && ", =".includes(text[at + 1] ?? "x")) at++;
    else if (c === " ") isInFields = true;
    else if (isInFields && c === "=") equals++;
    else if (isInFields && c === ",") commas++;
    else if (isInFields && c === '"' && equals > commas) isQuoted = true;
  }
  return { at, isOpen: isQuoted };
}

/** A text up to the first of some marks that no backslash is before, and the rest. */
function upTo(text: string, marks: string): [string, string] {
  for (let i = 0; i < text.length; i++) {
    if (text[i] === "\\" && ", =".includes(text[i + 1] ?? "x")) i++;
    else if (marks.includes(text[i]!)) return [text.slice(0, i), text.slice(i)];
  }
  return [text, ""];
}

const blanks = (text: string) => text.replace(/^[ \t]+/, "");
const plain = (text: string) => text.replace(/\\([,= ])/g, "$1");

function readLine(
  line: string,
  unit: bigint,
  now: bigint,
): { points: [string, bigint, number][]; strings: number } {
  const text = blanks(line);
  if (text === "" || text[0] === "#") return { points: [], strings: 0 };
  const [prefix, afterPrefix] = upTo(text, " ");
  const series = readPrefix(prefix);
  let rest = blanks(afterPrefix);
  if (rest === "") throw new Refused();
  const fields: [string, number][] = [];
  let strings = 0;
  const keys = new Set<string>();
  while (true) {
    const [key, afterKey] = upTo(rest, "=, ");
    if (key === "" || afterKey[0] !== "=") throw new Refused();
    rest = afterKey.slice(1);
    const string = /^"(?:[^"\\]|\\["\\]|\\)*?"/s.exec(rest);
    if (rest[0] === '"') {
      const closed = closing(rest);
      if (closed < 0 || string === null) throw new Refused();
      rest = rest.slice(closed + 1);
      strings++;
    } else {
      const value = /^[^, \t]*/.exec(rest)![0];
      fields.push([plain(key), readValue(value)]);
      if (keys.has(key)) throw new Refused();
      keys.add(key);
      if (fields.length > 4096) throw new Refused();
      rest = rest.slice(value.length);
    }
    if (rest[0] !== ",") break;
    rest = rest.slice(1);
  }
  if (rest !== "" && !" \t".includes(rest[0]!)) throw new Refused();
  const stamp = blanks(rest);
  const time = stamp === "" ? now : readTime(stamp, unit);
  return {
    points: fields.map(([field, value]) => [JSON.stringify([...series, field]), time, value]),
    strings,
  };
}

function closing(text: string): number {
  for (let i = 1; i < text.length; i++) {
    if (text[i] === "\\" && '"\\'.includes(text[i + 1] ?? "x")) i++;
    else if (text[i] === '"') return i;
  }
  return -1;
}

function readPrefix(prefix: string): [string, [string, string][]] {
  let [measurement, rest] = upTo(prefix, ",");
  if (measurement === "") throw new Refused();
  const tags = new Map<string, string>();
  while (rest !== "") {
    const [pair, after] = upTo(rest.slice(1), ",");
    const [key, valued] = upTo(pair, "=");
    const [value, more] = upTo(valued.slice(1), "=");
    if (key === "" || value === "" || more !== "" || tags.has(plain(key))) throw new Refused();
    tags.set(plain(key), plain(value));
    rest = after;
  }
  if (tags.size > 255) throw new Refused();
  measurement = measurement.replace(/\\([, ])/g, "$1");
  return [measurement, [...tags].sort(([a], [b]) => a < b ? -1 : 1)];
}

function readValue(text: string): number {
  if (/^(t|T|true|True|TRUE)$/.test(text)) return 1;
  if (/^(f|F|false|False|FALSE)$/.test(text)) return 0;
  const integer = /^([+-]?)(\d+)([iu])$/.exec(text);
  if (integer !== null) {
    const value = BigInt(integer[2]!) * (integer[1] === "-" ? -1n : 1n);
    const [least, most] = integer[3] === "i"
      ? [-(1n << 63n), (1n << 63n) - 1n]
      : [0n, (1n << 64n) - 1n];
    if (value < least || value > most || BigInt(Number(value)) !== value) throw new Refused();
    return Number(value);
  }
  if (!/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) throw new Refused();
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Refused();
  return value;
}

function readTime(text: string, unit: bigint): bigint {
  const match = /^(-?\d+)[ \t]*$/.exec(text);
  if (match === null) throw new Refused();
  const count = BigInt(match[1]!);
  const size = count < 0n ? -count : count;
  const guessed = size < 5n * 10n ** 9n
    ? 10n ** 9n
    : size < 5n * 10n ** 12n
    ? 10n ** 6n
    : size < 5n * 10n ** 15n
    ? 1000n
    : 1n;
  const time = count * (unit === 0n ? guessed : unit);
  if (size >= 1n << 63n || time < LEAST || time >= MOST - 1n) throw new Refused();
  return time;
}
