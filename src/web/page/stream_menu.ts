/**
 * The menu of a stream in a plot: its axis and plot, range of values, version, annotations.
 *
 * @module
 */

import type { BTrDB } from "../../client/btrdb.ts";
import type { NamedStream } from "../../client/named_stream.ts";
import type { Side } from "../../plot/figure/layout.ts";
import type { ValueScale } from "../../plot/figure/value_scale.ts";
import {
  replacePlot,
  seriesOf,
  type UnitOf,
  withMoved,
  withoutStream,
  withSeries,
  withYRange,
} from "../plotter/view_changes.ts";
import type { ViewState } from "../plotter/view_state.ts";
import { messageOf } from "./connection.ts";
import { element, setText } from "./dom.ts";
import type { MenuEntry } from "./menu.ts";
import { valueText } from "./number_text.ts";
import { toast } from "./toast.ts";

/** Surroundings of a menu. */
export interface StreamMenuOptions {
  readonly db: BTrDB;
  readonly view: ViewState;
  readonly uuid: string;
  readonly named: NamedStream | undefined;
  readonly unitOf: UnitOf;
  /** The scale of its axis as it is drawn. */
  readonly scale: ValueScale | undefined;
  readonly change: (view: ViewState) => void;
}

/** Entries of the menu of a stream. */
export function streamEntries(options: StreamMenuOptions): MenuEntry[] {
  const { view, uuid, unitOf, change, scale } = options;
  const at = view.plots.findIndex(({ series }) => series.some((one) => one.uuid === uuid));
  const series = seriesOf(view).find((one) => one.uuid === uuid);
  const plot = view.plots[at];
  if (series === undefined || plot === undefined) return [];
  const { side, version } = series;
  const range = plot[side];
  const other: Side = side === "left" ? "right" : "left";
  const isAlone = plot.series.length === 1;
  const setRange = (next: typeof range) => change(withYRange(view, at, side, next));
  return [
    { heading: `Values, ${side} axis` },
    {
      label: "As the data",
      isChecked: range.kind === "auto",
      run: () => setRange({ kind: "auto" }),
    },
    { label: "From zero", isChecked: range.kind === "zero", run: () => setRange({ kind: "zero" }) },
    {
      label: "Fixed…",
      isChecked: range.kind === "fixed",
      run: () => askForRange(range.kind === "fixed" ? range : scale, setRange),
    },
    { heading: "Place" },
    {
      label: `To the ${other} axis`,
      run: () => change(withMoved(view, uuid, at, other, unitOf)),
    },
    ...view.plots.map((_, i) => ({
      label: `To plot ${i + 1}`,
      isDisabled: i === at,
      run: () => change(withMoved(view, uuid, i, undefined, unitOf)),
    })),
    {
      label: "To a new plot",
      isDisabled: isAlone,
      run: () => change(withMoved(view, uuid, view.plots.length, undefined, unitOf)),
    },
    {
      label: "Plot up",
      isDisabled: at === 0,
      run: () => change(swapped(view, at - 1)),
    },
    { heading: version === 0n ? "Version: latest" : `Version: ${version}` },
    { label: "Pin a version…", run: () => void askForVersion(options, "version") },
    {
      label: "Latest version",
      isDisabled: version === 0n,
      run: () => change(withSeries(view, uuid, { version: 0n })),
    },
    { label: "Shade changes since…", run: () => void askForVersion(options, "since") },
    {
      label: "No shade",
      isDisabled: series.since === 0n,
      run: () => change(withSeries(view, uuid, { since: 0n })),
    },
    { heading: "Stream" },
    { label: "Tags and annotations", run: () => void showMetadata(options) },
    { label: "Remove", run: () => change(withoutStream(view, uuid)) },
  ];
}

/** The plot at an index and the one below it change places. */
function swapped(view: ViewState, index: number): ViewState {
  const [upper, lower] = [view.plots[index]!, view.plots[index + 1]!];
  return replacePlot(replacePlot(view, index, () => lower), index + 1, () => upper);
}

/** A form in a dialog; it closes when `onSubmit` finds no problem. */
function ask(
  title: string,
  fields: readonly HTMLElement[],
  onSubmit: () => string | undefined,
): void {
  const problem = element("p.problem", { role: "alert" });
  const form = element(
    "form.sheet",
    {
      submit: (event: SubmitEvent) => {
        event.preventDefault();
        const text = onSubmit();
        if (text === undefined) dialog.close();
        else setText(problem, text);
      },
    },
    element("h2", {}, title),
    ...fields,
    problem,
    element(
      "div.row.end",
      {},
      element("button", { type: "button", click: () => dialog.close() }, "Cancel"),
      element("button.primary", { type: "submit" }, "Use"),
    ),
  );
  const dialog = element("dialog.modal", { "aria-label": title }, form);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

function field(label: string, value: string): { input: HTMLInputElement; row: HTMLElement } {
  const input = element("input", { value, autocomplete: "off", inputmode: "decimal" });
  return { input, row: element("label.field", {}, element("span", {}, label), input) };
}

function askForRange(
  present: { readonly low: number; readonly high: number } | undefined,
  use: (range: { kind: "fixed"; low: number; high: number }) => void,
): void {
  const text = (value: number | undefined) =>
    value === undefined ? "" : String(Number(value.toPrecision(6)));
  const high = field("Upper end", text(present?.high));
  const low = field("Lower end", text(present?.low));
  ask("Range of values", [high.row, low.row], () => {
    const [from, to] = [low, high].map(({ input }) =>
      input.value.trim() === "" ? NaN : Number(input.value.trim().replace("−", "-"))
    ) as [number, number];
    for (const [value, { input }] of [[from, low], [to, high]] as const) {
      if (!Number.isFinite(value)) return `${JSON.stringify(input.value)} is no number`;
    }
    if (from >= to) {
      return `The upper end ${valueText(to)} is not above the lower end ${valueText(from)}`;
    }
    use({ kind: "fixed", low: from, high: to });
    return undefined;
  });
}

async function askForVersion(
  { db, uuid, view, change }: StreamMenuOptions,
  what: "version" | "since",
): Promise<void> {
  let latest: bigint;
  try {
    latest = await db.streamFromUUID(uuid).version();
  } catch (error) {
    return toast(messageOf(error));
  }
  const present = what === "version" ? latest : latest > 10n ? latest - 1n : latest;
  const { input, row } = field(`Version, 10 to ${latest}`, String(present));
  ask(what === "version" ? "Pin a version" : "Shade changes since a version", [row], () => {
    const given = input.value.trim();
    const version = /^\d{1,18}$/.test(given) ? BigInt(given) : 0n;
    if (version < 10n || version > latest) {
      return `There is no version ${JSON.stringify(given)}, expected 10 to ${latest}`;
    }
    change(withSeries(view, uuid, { [what]: version }));
    return undefined;
  });
}

async function showMetadata({ db, uuid, named }: StreamMenuOptions): Promise<void> {
  try {
    const stream = db.streamFromUUID(uuid);
    const [tags, [annotations], { major, minor }] = await Promise.all([
      stream.tags(),
      stream.annotations(),
      stream.fullVersion(),
    ]);
    const rows = (values: Record<string, string | null>) =>
      Object.entries(values).map(([key, value]) =>
        element("tr", {}, element("th", { scope: "row" }, key), element("td", {}, value ?? "–"))
      );
    const table = (caption: string, values: Record<string, string | null>) =>
      element("table", {}, element("caption", {}, caption), element("tbody", {}, ...rows(values)));
    const dialog = element(
      "dialog.modal.wide",
      { "aria-label": "Tags and annotations" },
      element(
        "form.sheet",
        { method: "dialog" },
        element("h2", {}, element("bdi", {}, named?.path ?? uuid)),
        element(
          "p.note",
          {},
          `${uuid}, version ${major}${minor > 0n ? ` and ${minor} points` : ""}`,
        ),
        table("Tags", tags),
        table(Object.keys(annotations).length > 0 ? "Annotations" : "No annotations", annotations),
        element("div.row.end", {}, element("button.primary", { type: "submit" }, "Close")),
      ),
    );
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  } catch (error) {
    toast(messageOf(error));
  }
}
