/**
 * Views as fragments of addresses, for links: `plots=UUID.c0~left=zero;UUID.r.c1@12&from=…&to=…`.
 * There is never a key in one.
 *
 * @module
 */

import { isZone } from "../../plot/figure/zone_time.ts";
import type { ValueRange } from "../../plot/figure/value_scale.ts";
import { MAX_TIME, MIN_TIME } from "../../core/range.ts";
import { formatTime, toNanoseconds } from "../../core/time.ts";
import {
  AUTO,
  EMPTY_VIEW,
  type PlotState,
  type SeriesState,
  type ViewState,
} from "./view_state.ts";

/** Longest fragment that is read, characters. */
const MAX_LENGTH = 20_000;

/** Most plots and streams of a view. */
const MAX_PLOTS = 16;
/** Most streams of a view. */
export const MAX_SERIES = 64;
const MAX_OVERLAYS = 4;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Writes a view as a fragment, without `#`. */
export function encodeView(view: ViewState): string {
  const parts: string[] = [];
  if (view.plots.length > 0) parts.push(`plots=${view.plots.map(plotText).join(";")}`);
  const { range } = view;
  if ("last" in range) parts.push(`last=${range.last}`);
  else parts.push(`from=${formatTime(range.start)}`, `to=${formatTime(range.end)}`);
  if (view.zone !== "UTC") {
    parts.push(`zone=${encodeURIComponent(view.zone).replaceAll("%2F", "/")}`);
  }
  const hidden = [...(view.band ? [] : ["band"]), ...(view.density ? [] : ["density"])];
  if (hidden.length > 0) parts.push(`hide=${hidden.join(",")}`);
  if (view.overlays.length > 0) parts.push(`earlier=${view.overlays.join(",")}`);
  return parts.join("&");
}

function plotText({ series, left, right }: PlotState): string {
  const axis = (name: string, range: ValueRange) =>
    range.kind === "auto"
      ? ""
      : `~${name}=${range.kind === "zero" ? "zero" : `${range.low}:${range.high}`}`;
  return series.map(seriesText).join(",") + axis("left", left) + axis("right", right);
}

function seriesText({ uuid, side, ink, version, since }: SeriesState): string {
  const changes = since === 0n ? "" : `.s${since}`;
  const pin = version === 0n ? "" : `@${version}`;
  return `${uuid}${side === "right" ? ".r" : ""}.c${ink}${changes}${pin}`;
}

/** A view that was read, and what could not be read of it. */
export interface DecodedView {
  readonly view: ViewState;
  /** Texts for people; parts that were wrong are as in an empty view. */
  readonly problems: readonly string[];
}

/**
 * Reads a fragment.
 *
 * @param fragment Text behind the `#`.
 */
export function decodeView(fragment: string): DecodedView {
  if (fragment.length > MAX_LENGTH) {
    const problem =
      `The link is ${fragment.length} characters long, expected at most ${MAX_LENGTH}`;
    return { view: EMPTY_VIEW, problems: [problem] };
  }
  const problems: string[] = [];
  const values = new Map<string, string>();
  for (const part of fragment.split("&")) {
    if (part === "") continue;
    const at = part.indexOf("=");
    const name = at < 0 ? part : part.slice(0, at);
    if (!NAMES.has(name) || values.has(name)) {
      problems.push(
        `The link has ${values.has(name) ? "two of" : "an unknown part"} ${quoted(name)}`,
      );
    } else values.set(name, part.slice(at + 1));
  }
  /** The value of a part, or what it is in an empty view. */
  const read = <T>(name: string, otherwise: T, parse: (text: string) => T | undefined): T => {
    const raw = values.get(name);
    if (raw === undefined) return otherwise;
    try {
      const value = parse(decodeURIComponent(raw));
      if (value !== undefined) return value;
    } catch {
      // A time that is none, or text that is not encoded as it should be.
    }
    problems.push(`The link has ${name} ${quoted(raw)}, which cannot be read`);
    return otherwise;
  };
  const hidden = read("hide", [], namesOf);
  const view: ViewState = {
    plots: read("plots", EMPTY_VIEW.plots, plotsOf),
    range: rangeOf(read),
    zone: read("zone", "UTC", (text) => isZone(text) ? text : undefined),
    band: !hidden.includes("band"),
    density: !hidden.includes("density"),
    overlays: read("earlier", [], overlaysOf),
  };
  return { view, problems };
}

const NAMES: ReadonlySet<string> = new Set(
  ["plots", "from", "to", "last", "zone", "hide", "earlier"],
);

type Read = <T>(name: string, otherwise: T, parse: (text: string) => T | undefined) => T;

function rangeOf(read: Read): ViewState["range"] {
  const last = read("last", 0n, (text) => durationOf(text));
  const start = read<bigint | undefined>("from", undefined, momentOf);
  const end = read<bigint | undefined>("to", undefined, momentOf);
  if (start !== undefined && end !== undefined && start < end) return { start, end };
  return last > 0n ? { last } : EMPTY_VIEW.range;
}

function momentOf(text: string): bigint | undefined {
  const time = toNanoseconds(text);
  return time >= MIN_TIME && time <= MAX_TIME ? time : undefined;
}

function durationOf(text: string): bigint | undefined {
  const length = whole(text);
  return length !== undefined && length >= 10n && length <= MAX_TIME - MIN_TIME
    ? length
    : undefined;
}

/** A whole number of at most 19 digits. */
function whole(text: string): bigint | undefined {
  return /^\d{1,19}$/.test(text) ? BigInt(text) : undefined;
}

function namesOf(text: string): string[] | undefined {
  const names = text.split(",");
  return names.every((name) => name === "band" || name === "density") ? names : undefined;
}

function overlaysOf(text: string): bigint[] | undefined {
  const lengths = text.split(",").map(durationOf);
  if (lengths.length > MAX_OVERLAYS || lengths.includes(undefined)) return undefined;
  return lengths as bigint[];
}

function plotsOf(text: string): PlotState[] | undefined {
  const plots = text.split(";").map(plotOf);
  if (plots.length > MAX_PLOTS || plots.includes(undefined)) return undefined;
  const uuids = (plots as PlotState[]).flatMap(({ series }) => series.map(({ uuid }) => uuid));
  if (uuids.length > MAX_SERIES || new Set(uuids).size < uuids.length) return undefined;
  return plots as PlotState[];
}

function plotOf(text: string): PlotState | undefined {
  const [streams = "", ...axes] = text.split("~");
  const series = streams.split(",").map(seriesOf);
  if (series.includes(undefined)) return undefined;
  let plot: PlotState = { series: series as SeriesState[], left: AUTO, right: AUTO };
  for (const axis of axes) {
    const [, side, value = ""] = /^(left|right)=(.+)$/.exec(axis) ?? [];
    const range = valueRangeOf(value);
    if (side === undefined || range === undefined) return undefined;
    plot = { ...plot, [side]: range };
  }
  return plot;
}

function seriesOf(text: string): SeriesState | undefined {
  const form = /^([0-9a-f-]{36})(\.r)?(?:\.c(\d{1,3}))?(?:\.s(\d{1,18}))?(?:@(\d{1,18}))?$/i;
  const match = form.exec(text);
  const uuid = match?.[1]?.toLowerCase() ?? "";
  if (match === null || !UUID.test(uuid)) return undefined;
  const [ink, since, version] = [match[3], match[4], match[5]].map((text) => BigInt(text ?? 0));
  const side = match[2] === undefined ? "left" : "right";
  return { uuid, side, ink: Number(ink), since: since!, version: version! };
}

function valueRangeOf(text: string): ValueRange | undefined {
  if (text === "zero") return { kind: "zero" };
  const [low = NaN, high = NaN] = text.split(":").map((part) => part === "" ? NaN : Number(part));
  return Number.isFinite(low) && Number.isFinite(high) && low < high
    ? { kind: "fixed", low, high }
    : undefined;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
