/**
 * Views in words: the title of the page, the line of state, the description for those who do not
 * see the figure, clocks.
 *
 * @module
 */

import { durationText } from "../../plot/figure/duration_text.ts";
import { fromWall, momentText, offsetText, toWall } from "../../plot/figure/zone_time.ts";
import type { TimeSpan } from "./view_changes.ts";

/** Names in a title at most. */
const TITLE_NAMES = 3;

/** A moment as it may be typed; with its difference to UTC where a clock shows it twice. */
export function clockText(time: bigint, zone: string): string {
  const text = momentText(time, zone).replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
  const isTwice = zone !== "UTC" && fromWall(toWall(time, zone), zone).length > 1;
  return isTwice ? `${text} ${offsetText(time, zone).replace("UTC", "").replace("−", "-")}` : text;
}

/** A zone as short as it is clear: its city and its difference to UTC at a moment. */
export function zoneText(time: bigint, zone: string): string {
  if (zone === "UTC") return zone;
  const city = zone.replace(/^.*\//, "").replaceAll("_", " ");
  return `${city} ${offsetText(time, zone).replace("UTC", "")}`.trim();
}

/** Characters that are not shown, among them those that turn the direction of what follows. */
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/**
 * The title of the page. A tab has no elements that keep the marks of a name from the rest.
 *
 * @param names Names of the streams on show.
 */
export function titleOf(names: readonly string[]): string {
  const shown = names.slice(0, TITLE_NAMES).map((name) => name.replace(UNSEEN, "\ufffd"));
  return [...shown, "BTrDB plotter"].join(" · ");
}

/** The figure in words. @param names Names of the streams on show. */
export function summaryOf(
  names: readonly string[],
  { start, end }: TimeSpan,
  zone: string,
): string {
  return `${names.length === 0 ? "No stream" : names.join(", ")}. ` +
    `${momentText(start, zone)} to ${momentText(end, zone)}, ${zone}. ` +
    "Arrow keys pan and zoom, comma and full stop move a cursor, question mark lists all keys.";
}

/** State of a view. */
export interface ViewFacts {
  readonly span: TimeSpan;
  /** Pointwidth that is read; undefined if there are no streams. */
  readonly pointwidth: number | undefined;
  readonly isPinned: boolean;
  readonly isReading: boolean;
}

/** The line of state. */
export function stateText({ span, pointwidth, isPinned, isReading }: ViewFacts): string {
  const parts = [durationText(span.end - span.start)];
  if (pointwidth !== undefined) parts.push(`windows of ${durationText(2 ** pointwidth)}`);
  if (isPinned) parts.push("pinned versions");
  if (isReading) parts.push("reading…");
  return parts.join("  ·  ");
}
