/**
 * Messages about points that an import has stored.
 *
 * @module
 */

import type { ImportSummary } from "../../ingest/mod.ts";
import type { Context } from "../context.ts";
import { bytesText, plural, rough } from "../terminal/format.ts";
import { formatTime } from "../words/times.ts";

/** Says what was stored of a file. */
export function sayStored(context: Context, file: string, summary: ImportSummary): void {
  const { resumed, fresh, rows, streams, created, added, seconds, bytes, first, last } = summary;
  if (resumed && fresh === 0) {
    context.talk(`Nothing new in ${file}: its ${plural(rows, "row")} are stored`);
    return;
  }
  const fate = resumed ? "Resumed and stored" : "Stored";
  const made = created > 0 ? ` (${created} new)` : "";
  const merged = added === undefined
    ? ""
    : `, ${streams.length === 1 ? "which has" : "which have"} ${plural(added, "point")} more now`;
  const speed = seconds > 0 ? fresh / seconds : 0;
  context.talk(
    `${fate} ${plural(fresh, "point")} of ${plural(rows, "row")} in ` +
      `${plural(streams.length, "stream")}${made}${merged}, ${seconds.toFixed(1)} s, ` +
      `${rough(speed)} points/s, ${bytesText(bytes)} read`,
  );
  sayTimes(context, first, last);
  const { omitted, skipped } = summary;
  saySkipped(context, skipped);
  if (context.quiet && omitted.length > 0) {
    context.warn(
      `Left out: ${omitted.map(({ name, reason }) => `${name} (${reason})`).join(", ")}`,
    );
  }
}

/** Says the first and the last time. */
export function sayTimes(
  context: Context,
  first: bigint | undefined,
  last: bigint | undefined,
): void {
  if (first === undefined || last === undefined) return;
  const { tz } = context.frame;
  context.talk(`From ${formatTime(first, tz)} to ${formatTime(last, tz)}`);
}

/** Warns of rows and cells that were left out. */
export function saySkipped(context: Context, skipped: ImportSummary["skipped"]): void {
  if (skipped.rows + skipped.cells === 0) return;
  context.warn(
    `Left out: ${plural(skipped.rows, "bad row")} and ${plural(skipped.cells, "bad cell")}`,
  );
}
