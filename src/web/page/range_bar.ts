/**
 * The range as text: typed, or chosen from a list; and the time zone.
 *
 * @module
 */

import { element, icon, setAttributes, setText } from "./dom.ts";
import { ICONS } from "./icons.ts";
import { menuButton } from "./menu.ts";

/** Ranges that end now, by their names. */
const PRESETS: readonly (readonly [string, string])[] = [
  ["Last minute", "1m"],
  ["Last 15 minutes", "15m"],
  ["Last hour", "1h"],
  ["Last 6 hours", "6h"],
  ["Last day", "1d"],
  ["Last week", "7d"],
  ["Last 30 days", "30d"],
  ["Last year", "365d"],
];

/** Listeners of a {@linkcode RangeBar}. */
export interface RangeBarHandlers {
  /**
   * A range was typed.
   *
   * @returns The problem with it, and the field it is in.
   */
  readonly onTyped: (
    start: string,
    end: string,
  ) => { text: string; field: "start" | "end" } | undefined;
  readonly onAll: () => void;
  readonly onZone: (zone: string) => void;
}

/** The bar. */
export class RangeBar {
  /** Its parts, to be put into the bar of the page. */
  readonly parts: readonly HTMLElement[];
  readonly #start: HTMLInputElement;
  readonly #end: HTMLInputElement;
  readonly #problem: HTMLElement;
  readonly #zone: HTMLElement;
  readonly #handlers: RangeBarHandlers;
  #zoneName = "UTC";

  constructor(handlers: RangeBarHandlers) {
    this.#handlers = handlers;
    this.#start = this.#input("Start of the range");
    this.#end = this.#input("End of the range");
    this.#problem = element("div.range-problem", {
      id: "range-problem",
      role: "alert",
      hidden: true,
    });
    this.#zone = element("span", {}, "UTC");
    const form = element(
      "form.range",
      {
        role: "group",
        "aria-label": "Range of time",
        submit: (event: SubmitEvent) => {
          event.preventDefault();
          this.#typed();
        },
      },
      this.#start,
      element("span.arrow", { "aria-hidden": "true" }, "→"),
      this.#end,
      element("button.hidden-text", { type: "submit", tabindex: -1 }, "Show this range"),
      this.#problem,
    );
    const presets = menuButton("Ranges", [icon(ICONS.chevron)], () => [
      { label: "All data", note: "0", run: handlers.onAll },
      { heading: "Until now" },
      ...PRESETS.map(([label, length]) => ({
        label,
        run: () => void handlers.onTyped(`now-${length}`, "now"),
      })),
    ]);
    presets.classList.add("turned");
    const zones = menuButton(
      "Time zone",
      [this.#zone],
      () => zoneEntries(this.#zoneName, handlers),
    );
    this.parts = [presets, form, zones];
  }

  /** Shows a range, unless one is being typed. */
  show(start: string, end: string, zone: string, zoneText: string): void {
    this.#zoneName = zone;
    setText(this.#zone, zoneText);
    if (this.#has(document.activeElement) && this.#isTouched) return;
    this.#start.value = start;
    this.#end.value = end;
    this.#complain(undefined);
  }

  /** Puts the cursor into the start. */
  focus(): void {
    this.#start.focus();
    this.#start.select();
  }

  #isTouched = false;

  #has(target: EventTarget | null): boolean {
    return target === this.#start || target === this.#end;
  }

  #input(label: string): HTMLInputElement {
    return element("input", {
      type: "text",
      "aria-label": label,
      autocomplete: "off",
      spellcheck: "false",
      title: "2026-01-31 12:00:00.123456789, now-1h, now",
      input: () => this.#isTouched = true,
      blur: ({ relatedTarget }: FocusEvent) => {
        // From the start to the end what was typed stays.
        if (!this.#has(relatedTarget)) this.#isTouched = false;
      },
      keydown: (event: KeyboardEvent) => {
        if (event.key !== "Escape") return;
        this.#isTouched = false;
        (event.target as HTMLElement).blur();
        this.#complain(undefined);
      },
    });
  }

  #typed(): void {
    const problem = this.#handlers.onTyped(this.#start.value, this.#end.value);
    this.#complain(problem);
    if (problem !== undefined) return;
    this.#isTouched = false;
    (document.activeElement as HTMLElement | null)?.blur();
  }

  #complain(problem: { text: string; field: "start" | "end" } | undefined): void {
    if (problem === undefined && this.#problem.hidden) return;
    this.#problem.hidden = problem === undefined;
    setText(this.#problem, problem?.text ?? "");
    for (const [field, input] of [["start", this.#start], ["end", this.#end]] as const) {
      const isWrong = problem?.field === field;
      setAttributes(input, {
        "aria-invalid": isWrong ? "true" : undefined,
        "aria-describedby": isWrong ? "range-problem" : undefined,
      });
    }
  }
}

/** Zones offered first; any other is typed. */
const ZONES = [
  "America/Los_Angeles",
  "America/Denver",
  "America/Chicago",
  "America/New_York",
  "America/Sao_Paulo",
  "Europe/London",
  "Europe/Berlin",
  "Africa/Johannesburg",
  "Asia/Kolkata",
  "Asia/Shanghai",
  "Asia/Tokyo",
  "Australia/Sydney",
];

function zoneEntries(present: string, handlers: RangeBarHandlers) {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const entry = (label: string, zone: string) => ({
    label,
    isChecked: zone === present,
    run: () => handlers.onZone(zone),
  });
  const others = ZONES.includes(present) || present === "UTC" || present === own
    ? ZONES
    : [present, ...ZONES];
  return [
    entry("UTC", "UTC"),
    ...(own === "UTC" ? [] : [entry(`Local (${own})`, own)]),
    { heading: "Others" },
    ...others.filter((zone) => zone !== own).map((zone) => entry(zone, zone)),
    { label: "Another…", run: () => askForZone(handlers) },
  ];
}

function askForZone(handlers: RangeBarHandlers): void {
  const list = element(
    "datalist",
    { id: "zones" },
    ...Intl.supportedValuesOf("timeZone").map((zone) => element("option", { value: zone })),
  );
  const input = element("input", { id: "zone", list: "zones", autocomplete: "off" });
  const problem = element("p.problem", { role: "alert" });
  const form = element(
    "form.sheet",
    {
      submit: (event: SubmitEvent) => {
        event.preventDefault();
        try {
          new Intl.DateTimeFormat("en", { timeZone: input.value.trim() });
        } catch {
          return setText(
            problem,
            `There is no zone ${JSON.stringify(input.value)}, try Europe/Oslo`,
          );
        }
        dialog.close();
        handlers.onZone(input.value.trim());
      },
    },
    element("label", { for: "zone" }, "Time zone"),
    input,
    list,
    problem,
    element(
      "div.row.end",
      {},
      element("button", { type: "button", click: () => dialog.close() }, "Cancel"),
      element("button.primary", { type: "submit" }, "Use"),
    ),
  );
  const dialog = element("dialog.modal", { "aria-label": "Time zone" }, form);
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
