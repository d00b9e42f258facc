/**
 * Columns whose cells are the times of a table, and their form.
 *
 * @module
 */

import { isNullWord } from "../../kernel/mod.ts";
import { columnOf } from "../column_of.ts";
import { optionError, shownCell } from "../errors.ts";
import { isBtrdbTable } from "./btrdb_table.ts";
import { type CellNotation, NUMBER } from "./cell_kind.ts";
import type { LayoutWishes } from "./table_layout.ts";
import { refuseOtherUnit } from "../time_unit.ts";
import { clockFormat, formsOf, onlyForm, patternForm, unitNamed } from "./time_forms.ts";

const TIME_NAME = /time|date|zeit|datum|epoch|^ts$|^t$/i;

/** The columns of the times, and their form. */
export interface TimeChoice {
  readonly columns: number[];
  readonly format: string;
  readonly reason: string;
  /** True if times count from `--start`. */
  readonly relative: boolean;
}

/**
 * Chooses the columns of the times, as options say or as their cells look.
 *
 * @throws {ImportError} If there is none, or more than one may be meant.
 */
export function chooseTimeColumns(
  names: readonly string[],
  units: readonly (string | null)[],
  rows: readonly string[][],
  wishes: LayoutWishes,
  look: CellNotation,
): TimeChoice {
  const fixed = { relative: false, reason: "said by options" };
  const said = wishes.time;
  if (
    wishes.times !== undefined || (wishes.rate !== undefined && wishes.start !== undefined &&
      said === undefined && !names.some((name) => TIME_NAME.test(name)))
  ) {
    return { ...fixed, columns: [], format: "ns" };
  }
  if (isBtrdbTable(names) && said === undefined) {
    return {
      ...fixed,
      columns: [0],
      format: wishes.timeFormat ?? "ns",
      reason: "BTrDB's own table",
    };
  }
  const cellsOf = (i: number): string[] =>
    // The name again is the header of another table behind this one, which the parser reports.
    rows.map((row) => (row[i] ?? "").trim())
      .filter((cell) => !isNullWord(cell, look.nulls) && cell !== names[i]);
  if (said !== undefined) {
    const columns = !names.includes(said) && said.includes("+")
      ? said.split("+").map((part) => columnOf(names, part.trim(), "--time"))
      : [columnOf(names, said, "--time")];
    return formOf(columns, names, units, rows, cellsOf, wishes, "said by --time");
  }
  const chosen = findTime(names, units, cellsOf, wishes);
  return formOf(chosen.columns, names, units, rows, cellsOf, wishes, chosen.reason);
}

/** The columns whose cells are times. */
function findTime(
  names: readonly string[],
  units: readonly (string | null)[],
  cellsOf: (i: number) => string[],
  wishes: LayoutWishes,
): { columns: number[]; reason: string } {
  const all = names.map((_, i) => ({ i, cells: cellsOf(i) })).filter(({ cells }) =>
    cells.length > 0
  );
  if (wishes.timeFormat?.includes("%")) {
    const form = patternForm(wishes.timeFormat.replace(/ ?%[zZ]/, ""));
    const strip = (cell: string) => cell.replace(/ ?([A-Za-z]{1,5}|[+-]\d{2}:?\d{2})$/, "");
    const zoned = /%[zZ]/.test(wishes.timeFormat);
    const fitting = all.filter(({ cells }) =>
      form.read(zoned ? strip(cells[0]!) : cells[0]!) !== undefined
    );
    if (fitting.length > 0) {
      return only(fitting, names, "its cells have the form of --time-format");
    }
  }
  const isFull = (cell: string): boolean => /\d:\d{2}/.test(cell);
  const text = all.filter(({ cells }) =>
    !cells.every((c) => NUMBER.test(c)) &&
    formsOf(cells).length > 0
  );
  const full = text.filter(({ cells }) => isFull(cells[0]!));
  if (full.length > 0) return only(full, names, "its cells are dates with a clock");
  const dates = text.filter(({ cells }) => !isFull(cells[0]!));
  const clocks = all.filter(({ cells }) => clockFormat(cells) !== undefined);
  if (dates.length > 0 && clocks.length > 0) {
    const date = only(dates, names, "").columns[0]!;
    const clock = only(clocks, names, "").columns[0]!;
    return { columns: [date, clock], reason: "their cells are a date and a clock" };
  }
  const compact = all.filter(({ cells }) =>
    cells.every((c) => /^(19|20)\d{6}$/.test(c)) &&
    formsOf(cells).length > 0
  );
  if (compact.length === 1 && clocks.length === 1) {
    return {
      columns: [compact[0]!.i, clocks[0]!.i],
      reason: "their cells are a date and a clock",
    };
  }
  if (dates.length > 0) return only(dates, names, "its cells are dates");
  if (clocks.length > 0) {
    throw optionError(
      `Cannot import: column ${names[clocks[0]!.i]} is a clock, and no column is its date`,
      "name another column of times with --time",
    );
  }
  const numeric = all.filter(({ cells }) => cells.every((cell) => NUMBER.test(cell)));
  // Exports have the paths of streams beside `time`: a unit of time in one is that of its values.
  const numbers = numeric.some(({ i }) => names[i] === "time")
    ? numeric.filter(({ i }) => !names[i]!.includes("/"))
    : numeric;
  const epochs = numbers.filter(({ cells }) => formsOf(cells).length > 0);
  const growing = epochs.filter(({ cells }) => isGrowing(cells));
  const list = growing.length > 0 ? growing : epochs;
  if (list.length > 0) return only(list, names, "its numbers are times of our age");
  const unit = (i: number): string | undefined => unitNamed(names[i]!, units[i] ?? null);
  const named = numbers.filter(({ i }) => unit(i) !== undefined);
  if (named.length > 0) {
    const times = named.filter(({ i }) => TIME_NAME.test(names[i]!));
    return only(times.length > 0 ? times : named, names, "its name says a unit of time");
  }
  const likely = numbers.filter(({ i, cells }) =>
    (isGrowing(cells) || wishes.timeFormat !== undefined) && (TIME_NAME.test(names[i]!) || i === 0)
  );
  const titled = likely.filter(({ i }) => TIME_NAME.test(names[i]!));
  const found = titled.length > 0 ? titled : likely;
  if (found.length > 0) return only(found, names, "its numbers grow");
  const shown = all.find(({ i }) => TIME_NAME.test(names[i]!)) ?? all[0];
  throw optionError(
    shown === undefined ? "Cannot import: no column has times" : (
      `Cannot tell what ${JSON.stringify(shownCell(shown.cells[0] ?? ""))} in column ${
        names[shown.i]
      } means as a time`
    ),
    "say --time-format ns, us, ms, s, rfc3339 or a pattern like '%d.%m.%Y %H:%M:%S', or another " +
      "column with --time; --skip N passes over lines before the header",
  );
}

function isGrowing(cells: readonly string[]): boolean {
  const values = cells.map(Number);
  return values.every((value, i) => i === 0 || value >= values[i - 1]!) &&
    (values.length === 1 || values[0] !== values.at(-1));
}

function only(
  found: readonly { i: number }[],
  names: readonly string[],
  reason: string,
): { columns: number[]; reason: string } {
  if (found.length === 1) return { columns: [found[0]!.i], reason };
  const list = found.map(({ i }) => names[i] || `number ${i + 1}`).join(", ");
  throw optionError(
    `Cannot tell which column is the time: ${list} all look like times`,
    `name it, for example --time ${JSON.stringify(names[found[0]!.i] || String(found[0]!.i + 1))}`,
  );
}

function formOf(
  columns: number[],
  names: readonly string[],
  units: readonly (string | null)[],
  rows: readonly string[][],
  cellsOf: (i: number) => string[],
  wishes: LayoutWishes,
  reason: string,
): TimeChoice {
  const said = wishes.timeFormat;
  const numeric = columns.length === 1 && cellsOf(columns[0]!).every((c) => NUMBER.test(c));
  const relative = wishes.start !== undefined && numeric;
  if (said !== undefined) return { columns, format: said, reason, relative };
  if (columns.length > 1) {
    const joined = rows.map((row) => columns.map((i) => (row[i] ?? "").trim()).join(" "));
    const clocks = columns.map((i) => clockFormat(cellsOf(i)));
    const parts = columns.map((i, k) => {
      if (clocks[k] !== undefined) return clocks[k];
      const cells = cellsOf(i);
      const rest = clocks.slice(k + 1).map((clock) => ` ${clock ?? "…"}`).join("");
      return onlyForm(formsOf(cells), cells, names[i]!, rest).format;
    });
    if (parts.every((part) => part === "rfc3339" || /^%[HI]/.test(part))) {
      const iso = parts.map((part) => part === "rfc3339" ? isoOf(joined[0]!) : part);
      return { columns, format: iso.join(" "), reason, relative: false };
    }
    return { columns, format: parts.join(" "), reason, relative: false };
  }
  const i = columns[0]!;
  const cells = cellsOf(i);
  const unit = unitNamed(names[i]!, units[i] ?? null);
  const forms = formsOf(cells);
  if (numeric && (relative || forms.length === 0)) {
    if (!relative && unit !== "ns") {
      throw optionError(
        `Cannot import: the times in column ${names[i]} are relative, the first one is ${
          shownCell(cells[0]!)
        }`,
        "give their start with --start, and their unit (s, ms, us or ns) with --time-format; " +
          "or name another column with --time",
      );
    }
    if (!relative) refuseOtherUnit(names[i]!, cells);
    return { columns, format: unit ?? "s", reason, relative };
  }
  const named = forms.find(({ format }) => format === unit);
  return { columns, format: (named ?? onlyForm(forms, cells, names[i]!)).format, reason, relative };
}

function isoOf(cell: string): string {
  return cell[4] === "/" ? "%Y/%m/%d" : "%Y-%m-%d";
}
