/**
 * Displays of results as HTML: tables with head and tail, and plots.
 *
 * JupyterLab takes inline SVG and styles out of notebooks that it does not trust, so that a plot is an
 * image, which follows the reader's light or dark scheme by itself.
 *
 * @module
 */

import type { RawColumns, StatColumns } from "../core/columns.ts";
import { formatTime } from "../core/time.ts";
import { escapeHtml, htmlTable } from "./html_table.ts";
import { picture, windowsOf } from "./picture.ts";

/** Most columns of a plot. */
const MAX_PLOTTED = 4;
/** Most columns of a table of streams side by side. */
const MAX_COLUMNS = 20;

/** A stream: name, unit and extent. */
interface Described {
  readonly uuid: string;
  readonly collection: string;
  readonly name: string | null;
  readonly unit: string | null;
  readonly first: { readonly time: bigint } | null;
  readonly last: { readonly time: bigint } | null;
  readonly count: bigint;
  readonly step: bigint | null;
}

function heading(text: string): string {
  return `<p><b>${escapeHtml(text)}</b></p>`;
}

function sizeText(rows: number, columns: number): string {
  return `${rows.toLocaleString("en-US")} rows × ${columns} columns`;
}

/** Raw points. */
export function raw(points: RawColumns, caption: string): string {
  const { times, values } = points;
  return heading(`${caption}: ${sizeText(times.length, 2)}`) +
    htmlTable(["time", "value"], times.length, (i) => [formatTime(times[i]!), String(values[i]!)]) +
    picture([{ label: "value", columns: windowsOf(points) }]);
}

/** Windows. */
export function stat(windows: StatColumns, caption: string): string {
  const { times, min, mean, max, count, stddev } = windows;
  const names = [
    "time",
    "min",
    "mean",
    "max",
    "count",
    ...(stddev === undefined ? [] : ["stddev"]),
  ];
  const cells = (i: number): string[] => {
    const statistics = [min, mean, max].map((values) => count[i] === 0n ? "" : String(values[i]!));
    const deviation = stddev === undefined ? [] : [count[i] === 0n ? "" : String(stddev[i]!)];
    return [formatTime(times[i]!), ...statistics, String(count[i]!), ...deviation];
  };
  return heading(`${caption}: ${sizeText(times.length, names.length)}`) +
    htmlTable(names, times.length, cells) + picture([{ label: "value", columns: windows }]);
}

/** Streams side by side. */
export function joined(
  times: BigInt64Array,
  columns: readonly { readonly label: string; readonly values: Float64Array }[],
): string {
  const shown = columns.slice(0, MAX_COLUMNS);
  const more = columns.length > shown.length ? `, ${shown.length} columns shown` : "";
  const cells = (i: number): string[] => [
    formatTime(times[i]!),
    ...shown.map(({ values }) => Number.isNaN(values[i]!) ? "" : String(values[i]!)),
  ];
  const series = shown.slice(0, MAX_PLOTTED).map(({ label, values }) => {
    const rows = [...times.keys()].filter((i) => !Number.isNaN(values[i]!));
    return {
      label,
      unit: label,
      columns: windowsOf({
        times: BigInt64Array.from(rows, (i) => times[i]!),
        values: Float64Array.from(rows, (i) => values[i]!),
      }),
    };
  });
  return heading(`${sizeText(times.length, columns.length + 1)}${more}`) +
    htmlTable(["time", ...shown.map(({ label }) => label)], times.length, cells) + picture(series);
}

/** Streams, one a row, and a plot of those that have windows. */
export function streams(
  all: readonly { readonly description: Described; readonly windows?: StatColumns | undefined }[],
  total: number,
): string {
  const pathOf = ({ collection, name, uuid }: Described): string =>
    name === null ? `${collection} ${uuid}` : `${collection}/${name}`;
  const row = (i: number): string[] => {
    const { description: it } = all[i]!;
    return [
      pathOf(it),
      it.unit ?? "",
      it.count.toLocaleString("en-US"),
      it.first === null ? "" : formatTime(it.first.time),
      it.last === null ? "" : formatTime(it.last.time),
      it.step === null ? "" : `${it.step.toLocaleString("en-US")} ns`,
    ];
  };
  const names = ["stream", "unit", "points", "first", "last", "typical step"];
  const what = total === 1 ? "1 stream" : `${total.toLocaleString("en-US")} streams`;
  const part = total > all.length ? `, the first ${all.length} shown` : "";
  const plotted = all.flatMap(({ description, windows }) =>
    windows === undefined
      ? []
      : [{ label: pathOf(description), unit: description.unit ?? undefined, columns: windows }]
  );
  return heading(what + part) + htmlTable(names, all.length, row) + picture(plotted);
}

/** Protocol, version and members of a database. */
export function info(
  { protocol, build, majorVersion, minorVersion, mash, proxyEndpoints }: {
    readonly protocol: string;
    readonly build: string;
    readonly majorVersion: number;
    readonly minorVersion: number;
    readonly mash?: { readonly members: readonly { readonly nodename: string }[] } | undefined;
    readonly proxyEndpoints?: readonly string[] | undefined;
  },
): string {
  const rows: [string, string][] = [
    ["protocol", protocol],
    ["build", build],
    ["version", `${majorVersion}.${minorVersion}`],
  ];
  if (mash !== undefined) {
    rows.push(["members", mash.members.map(({ nodename }) => nodename).join(", ")]);
  }
  if (proxyEndpoints !== undefined) rows.push(["proxies", proxyEndpoints.join(", ")]);
  return heading("BTrDB") + htmlTable(["", ""], rows.length, (i) => rows[i]!);
}
