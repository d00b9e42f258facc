/**
 * Forms of times in the cells of a table.
 *
 * @module
 */

import { optionError, shownCell } from "../errors.ts";

/** A form that cells can have, and what they mean in it, ms since the Unix epoch. */
export interface TimeForm {
  /** As `--time-format` takes it. */
  readonly format: string;
  /** The time of a cell, about; undefined if it is none. */
  read(cell: string): number | undefined;
}

const CALENDAR =
  /^(\d{4})([-/])(\d{2})\2(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s?(?:Z|[A-Z]{2,5}|[+-]\d{2}(?::?\d{2})?)?)?$/i;

/** Tells whether a cell is a date, with or without a clock, as RFC 3339 writes it or nearly so. */
export function isCalendar(cell: string): boolean {
  return CALENDAR.test(cell);
}

/** Patterns that are tried on text; those of one group exclude each other. */
const PATTERNS: readonly string[] = dates().flatMap((date) => [
  ...[" %H:%M:%S.%f", " %H:%M:%S", " %H:%M", "T%H:%M:%S", " %I:%M:%S %p", " %I:%M %p", ""].map((
    clock,
  ) => date + clock),
]);

function dates(): string[] {
  const all: string[] = [];
  for (const mark of [".", "/", "-"]) {
    for (const order of [["%d", "%m", "%Y"], ["%m", "%d", "%Y"], ["%d", "%b", "%Y"]]) {
      if (mark === "." && order[0] === "%m") continue;
      all.push(order.join(mark));
    }
  }
  return [
    ...all,
    "%Y.%m.%d",
    "%d %b %Y",
    "%b %d %Y",
    "%b %d, %Y",
    "%d.%m.%y",
    "%y.%m.%d",
    "%Y%m%d",
  ];
}

const PIECES: Readonly<Record<string, string>> = {
  Y: "(?<Y>\\d{4})",
  y: "(?<y>\\d{2})",
  m: "(?<m>\\d{1,2})",
  b: "(?<b>[A-Za-z]{3})",
  d: "(?<d>\\d{1,2})",
  H: "(?<H>\\d{1,2})",
  I: "(?<H>\\d{1,2})",
  M: "(?<M>\\d{1,2})",
  S: "(?<S>\\d{1,2}(?:[.,]\\d+)?)",
  f: "(?<f>\\d+)",
  p: "(?<p>[AaPp][Mm])",
};

const MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec";

/** A pattern of strptime as a form, for looking at cells only: the kernel reads them. */
export function patternForm(format: string): TimeForm {
  const compact = format.replace(/%f/, "%f");
  const source = compact.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(
    /%([A-Za-z])/g,
    (_, letter: string) => PIECES[letter] ?? "",
  ).replace("\\.(?<f>\\d+)", "(?:[.,](?<f>\\d+))?");
  const compacted = /^(%[YymdHMS])+$/.test(format)
    ? source.replaceAll("{1,2}", "{2}").replace("(?:[.,]\\d+)?", "")
    : source;
  const regex = new RegExp(`^${compacted}$`);
  return {
    format,
    read(cell) {
      const part = regex.exec(cell)?.groups;
      if (part === undefined) return undefined;
      const year = part["Y"] !== undefined
        ? Number(part["Y"])
        : part["y"] !== undefined
        ? 2000 + Number(part["y"]) - (Number(part["y"]) > 68 ? 100 : 0)
        : 2000;
      const month = part["b"] === undefined
        ? Number(part["m"] ?? 1)
        : MONTHS.indexOf(part["b"].toLowerCase()) / 3 + 1;
      const [day, hour, minute] = [part["d"] ?? 1, part["H"] ?? 0, part["M"] ?? 0].map(Number);
      const second = Number((part["S"] ?? "0").replace(",", "."));
      if (!Number.isInteger(month) || month < 1 || month > 12 || day! < 1) return undefined;
      if (day! > new Date(Date.UTC(year, month, 0)).getUTCDate()) return undefined;
      if (hour! > 24 || minute! > 59 || second >= 61) return undefined;
      const pm = part["p"]?.toLowerCase();
      if (pm !== undefined && (hour! < 1 || hour! > 12)) return undefined;
      const clock = pm === undefined ? hour! : hour! % 12 + (pm === "pm" ? 12 : 0);
      return Date.UTC(year, month - 1, day!, clock, minute!, second);
    },
  };
}

const TEXT_FORMS: readonly TimeForm[] = [
  {
    format: "rfc3339",
    read: (cell) => {
      const match = CALENDAR.exec(cell);
      if (match === null) return undefined;
      const [, year, , month, day, hour = "0", minute = "0", second = "0"] = match;
      return Date.UTC(+year!, +month! - 1, +day!, +hour, +minute, +second);
    },
  },
  ...PATTERNS.map(patternForm),
];

const COMPACT_FORMS: readonly TimeForm[] = [
  "%Y%m%d%H%M%S",
  "%Y%m%d%H%M",
  "%Y%m%d%H",
  "%y%m%d%H%M%S",
].map(patternForm);

function scaled(format: string, ms: (value: number) => number): TimeForm {
  return {
    format,
    read: (cell) => /^-?\d+(\.\d+)?$/.test(cell) ? ms(Number(cell)) : undefined,
  };
}

const TICKS: TimeForm = scaled("ticks", (v) => v / 1e4 - 62_135_596_800_000);
const FILETIME: TimeForm = scaled("filetime", (v) => v / 1e4 - 11_644_473_600_000);
const EPOCHS: readonly TimeForm[] = [
  scaled("s", (v) => v * 1e3),
  scaled("ms", (v) => v),
  scaled("us", (v) => v / 1e3),
  scaled("ns", (v) => v / 1e6),
];

/** The forms by name. */
const NUMBER_FORMS: readonly TimeForm[] = [...EPOCHS, TICKS, FILETIME];

/** From here to tomorrow times are plausible. */
const EARLIEST_MS = Date.UTC(1990, 0, 1);
const DAY_MS = 86_400_000;

/** Tells whether a time is one of the present age. */
function isPlausible(ms: number): boolean {
  return ms >= EARLIEST_MS && ms <= Date.now() + DAY_MS;
}

/** The forms that all of some cells have, with plausible times where cells are numbers. */
export function formsOf(cells: readonly string[]): TimeForm[] {
  const fits = (form: TimeForm, plausible: boolean): boolean =>
    cells.every((cell) => {
      const ms = form.read(cell);
      return ms !== undefined && (!plausible || isPlausible(ms));
    });
  const text = TEXT_FORMS.filter((form) => fits(form, /^(%Y%m%d|.*%y)/.test(form.format)));
  const numbers = [...NUMBER_FORMS, ...COMPACT_FORMS].filter((form) => fits(form, true));
  return [...withoutDoubles(text, cells), ...numbers];
}

/** Forms in which the cells mean the same are one form; the one with more directives is kept. */
function withoutDoubles(forms: readonly TimeForm[], cells: readonly string[]): TimeForm[] {
  const seen = new Map<string, TimeForm>();
  for (const form of forms) {
    const key = cells.map((cell) => form.read(cell)).join();
    if (!seen.has(key)) seen.set(key, form);
  }
  return [...seen.values()];
}

const CLOCK = /^\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AP]M)?$/i;

/** The pattern of cells that are clocks without a date. */
export function clockFormat(cells: readonly string[]): string | undefined {
  if (cells.length === 0 || !cells.every((cell) => CLOCK.test(cell))) return undefined;
  const seconds = cells[0]!.split(":").length === 3;
  if (cells.some((cell) => (cell.split(":").length === 3) !== seconds)) return undefined;
  const noon = /( ?)[AP]M$/i.exec(cells[0]!);
  const hour = noon === null ? "%H" : "%I";
  return `${hour}:%M${seconds ? ":%S" : ""}${noon === null ? "" : `${noon[1]}%p`}`;
}

/** The unit of time that a name or the row of units says. */
export function unitNamed(name: string, unit: string | null): string | undefined {
  const said = /[([_ ](ns|us|ms|s|sec|seconds)[)\]]?$/i.exec(name)?.[1] ??
    (/^(ns|us|µs|ms|s|sec|seconds)$/i.exec(unit ?? "")?.[1]);
  const word = said?.toLowerCase();
  if (word === "µs") return "us";
  return word?.startsWith("sec") ? "s" : word;
}

/**
 * The form of some cells, if there is only one.
 *
 * @param rest Form of the columns that follow, for the hint.
 */
export function onlyForm(
  forms: readonly TimeForm[],
  cells: readonly string[],
  name: string,
  rest: string = "",
): TimeForm {
  if (forms.length === 1) return forms[0]!;
  const cell = JSON.stringify(shownCell(cells[0] ?? ""));
  throw optionError(
    forms.length === 0
      ? `Cannot tell what ${cell} in column ${name} means as a time`
      : `Cannot tell what ${cell} in column ${name} means as a time: it may be ${
        forms.map(({ format }) => format).join(" or ")
      }`,
    forms.length === 0
      ? "say --time-format ns, us, ms, s, rfc3339 or a pattern like '%d.%m.%Y %H:%M:%S', or another " +
        "column with --time; --skip N passes over lines before the header"
      : `name it, for example --time-format '${forms[0]!.format}${rest}'`,
  );
}
