/**
 * Requests for data as URLs state them: streams, range, kind and form.
 *
 * @module
 */

import { fixedOffset } from "../../../core/clock_changes.ts";
import { tryDuration } from "../../../core/duration_text.ts";
import { ErrorCode } from "../../../core/errors.ts";
import { LATEST, MAX_POINTWIDTH, MAX_TIME, MIN_TIME } from "../../../core/range.ts";
import { currentTime, formatTime, MILLISECOND } from "../../../core/time.ts";
import {
  isOddInteger,
  isRelativeTime,
  readTime,
  type TimeFrame,
  type TimeSpec,
} from "../../../core/time_words.ts";
import { isLatest } from "../../../endpoint/checks.ts";
import type { TimeWord } from "../../../csv/time_text.ts";
import { badParameter, type ParameterNames, Parameters, quoted } from "./parameters.ts";

/** Names of the parameters of `/api/v1/data.*`. */
export const DATA_PARAMETERS: ParameterNames = {
  single: [
    "start",
    "end",
    "from",
    "to",
    "points",
    "width",
    "pointwidth",
    "version",
    "time",
    "tz",
    "label",
    "safe-csv",
  ],
  repeated: ["stream"],
};

/** Most windows that `points` may ask for. */
export const MAX_POINTS = 1_000_000;

/** Points, or windows of some kind. */
export type DataKind =
  | { type: "raw" }
  | { type: "points"; count: bigint }
  | { type: "windows"; width: bigint }
  | { type: "aligned"; pointwidth: number };

/** Names of the columns. */
export type LabelWord = "path" | "name" | "uuid";

/** A request for data. */
export interface DataRequest {
  /** Uuids, `collection/name` or `collection/*`. */
  readonly streams: readonly string[];
  readonly start: TimeSpec | undefined;
  readonly end: TimeSpec | undefined;
  readonly kind: DataKind;
  /** Of all streams, or of each; none: the latest. */
  readonly versions: readonly bigint[];
  readonly time: TimeWord | undefined;
  readonly tz: string;
  readonly label: LabelWord;
  /** True if names of CSV columns are made safe for spreadsheets. */
  readonly isSafe: boolean;
  /** True if the range hangs on the present. */
  readonly isRelative: boolean;
  /** Says what integers were taken for that look like other units. */
  readonly notes: readonly string[];
}

/**
 * Reads a request for data.
 *
 * @param url Path and query.
 * @throws {HttpFailure} 400 with the name of the parameter that is wrong.
 */
export function dataRequest(url: string): DataRequest {
  const parameters = new Parameters(url, DATA_PARAMETERS);
  const streams = parameters.all("stream");
  if (streams.length === 0) {
    throw badParameter(
      'missing parameter "stream": expected a uuid, COLLECTION/NAME or COLLECTION/*',
    );
  }
  const tz = zoneOf(parameters.get("tz"));
  const frame = { tz, now: currentTime() };
  const notes: string[] = [];
  const read = (name: "start" | "end", inMs: "from" | "to") =>
    timeOf(parameters, name, inMs, frame, notes);
  return {
    streams,
    start: read("start", "from"),
    end: read("end", "to"),
    kind: kindOf(parameters),
    versions: versionsOf(parameters.get("version")),
    time: parameters.choice("time", ["rfc3339", "ns", "naive"] as const),
    tz,
    label: parameters.choice("label", ["path", "name", "uuid"] as const) ?? "path",
    isSafe: parameters.choice("safe-csv", ["true", "false"] as const) === "true",
    isRelative: ["start", "end"].some((name) => isRelativeTime(parameters.get(name) ?? "0")),
    notes,
  };
}

/** A plus that became a blank, because nobody encoded it, is a plus again. */
function withPlus(text: string): string {
  return text
    .replace(/^ (?=\d)/, "+")
    .replace(/^(now|today|yesterday|first|last) (?=\d)/i, "$1+")
    .replace(/(:\d{2}(?:[.,]\d+)?) (\d{2}:?\d{2})$/, "$1+$2");
}

function zoneOf(text: string | undefined): string {
  if (text === undefined) return "UTC";
  const zone = withPlus(text);
  const isOffset = /^[+-]([01]\d|2[0-3]):?[0-5]\d$/.test(zone);
  if (isOffset) return zone.includes(":") ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`;
  try {
    if (/^[+-]/.test(zone)) throw new RangeError();
    const { timeZone } = new Intl.DateTimeFormat("en-US", { timeZone: zone }).resolvedOptions();
    return fixedOffset(zone) === 0n ? "UTC" : timeZone;
  } catch {
    throw badParameter(
      `tz is ${quoted(text)}, expected a time zone such as UTC, Europe/Berlin or %2B02:00`,
    );
  }
}

const TIME_HINT =
  "expected a time such as 2024-03-01T12:30:05.25Z, 2024-03-01, now-2h, 2h (ago), " +
  "last-10m, %2B30m (after the start) or ns since 1970";

function timeOf(
  parameters: Parameters,
  name: "start" | "end",
  inMs: "from" | "to",
  frame: TimeFrame,
  notes: string[],
): TimeSpec | undefined {
  const text = parameters.get(name);
  const ms = parameters.get(inMs);
  if (text !== undefined && ms !== undefined) {
    throw badParameter(`parameters "${name}" and "${inMs}" are both given, expected one of them`);
  }
  if (ms !== undefined) {
    if (!/^-?\d{1,16}$/.test(ms)) {
      throw badParameter(`${inMs} is ${quoted(ms)}, expected a whole number of ms since 1970`);
    }
    return inRange(inMs, ms, { anchor: "epoch", offset: BigInt(ms) * MILLISECOND });
  }
  if (text === undefined) return undefined;
  const spec = readTime(withPlus(text), frame);
  if (spec === undefined) throw badParameter(`${name} is ${quoted(text)}, ${TIME_HINT}`);
  inRange(name, text, spec);
  if (isOddInteger(text)) {
    // Without the blanks around it, which no header may have.
    notes.push(`${name} ${text.trim()} is ${formatTime(spec.offset)}: integers are ns since 1970`);
  }
  return spec;
}

function inRange(name: string, text: string, spec: TimeSpec): TimeSpec {
  const { anchor, offset } = spec;
  if (anchor !== "epoch" || (offset >= MIN_TIME && offset <= MAX_TIME)) return spec;
  throw badParameter(
    `${name} is ${quoted(text)}, expected ${formatTime(MIN_TIME)} to ${formatTime(MAX_TIME)}`,
    ErrorCode.InvalidTimeRange,
  );
}

function kindOf(parameters: Parameters): DataKind {
  const given = ["points", "width", "pointwidth"].filter((name) =>
    parameters.get(name) !== undefined
  );
  if (given.length > 1) {
    throw badParameter(
      `parameters "${given[0]}" and "${given[1]}" are both given, expected one of them`,
    );
  }
  const points = parameters.integer("points", 1, MAX_POINTS);
  if (points !== undefined) return { type: "points", count: BigInt(points) };
  const width = parameters.get("width");
  if (width !== undefined) return { type: "windows", width: durationOf("width", width) };
  const pointwidth = parameters.get("pointwidth");
  if (pointwidth === undefined) return { type: "raw" };
  if (/^\d{1,2}$/.test(pointwidth) && Number(pointwidth) <= MAX_POINTWIDTH) {
    return { type: "aligned", pointwidth: Number(pointwidth) };
  }
  const ns = /^\d+$/.test(pointwidth) ? undefined : tryDuration(pointwidth);
  if (ns === undefined || ns < 1n || ns >= 1n << 64n) {
    throw badParameter(
      `pointwidth is ${quoted(pointwidth)}, expected an exponent from 0 to 63, or a duration`,
      ErrorCode.InvalidPointWidth,
    );
  }
  return { type: "aligned", pointwidth: ns.toString(2).length - 1 };
}

function durationOf(name: string, text: string): bigint {
  const ns = /^\d{1,20}$/.test(text) ? BigInt(text) : tryDuration(text);
  if (ns !== undefined && ns >= 1n && ns <= 1n << 63n) return ns;
  throw badParameter(
    `${name} is ${
      quoted(text)
    }, expected a duration such as 200ms, 1.5s or 1h30m, or ns from 1 to 2^63`,
    ErrorCode.InvalidPointWidth,
  );
}

function versionsOf(text: string | undefined): bigint[] {
  if (text === undefined) return [];
  return text.split(",").map((part) => {
    const version = /^\d{1,20}$/.test(part) ? BigInt(part) : -1n;
    if (isLatest(version)) return LATEST;
    if (version > 0n && version < 1n << 64n) return version;
    throw badParameter(
      `version is ${
        quoted(text)
      }, expected a whole number from 0, or one for each stream with commas`,
    );
  });
}
