/**
 * The columns of a columnar file that are its times.
 *
 * @module
 */

import type { ColumnarField } from "../../io/columnar_file.ts";
import { optionError, shownCell } from "../errors.ts";
import type { SourceOptions } from "../options.ts";
import { columnOf } from "../column_of.ts";
import { formsOf, onlyForm, patternForm, unitNamed } from "../text/time_forms.ts";
import { refuseOtherUnit } from "../time_unit.ts";
import type { TimeLayout } from "./columnar_times.ts";

/** The first values of a column as text. */
export type Sample = (name: string) => Promise<readonly string[]>;

const TIME_NAME = /time|date|zeit|datum|epoch|^ts$|^t$/i;

/**
 * Chooses the columns of times: a timestamp; a date and a time of day; text that is times; a date;
 * numbers that are times of our age; or, with `--start`, durations and numbers that grow.
 *
 * @throws {ImportError} If none is, or several are.
 */
export async function chooseTime(
  fields: readonly ColumnarField[],
  sample: Sample,
  options: SourceOptions,
): Promise<TimeLayout> {
  const names = await timeNames(fields, sample, options);
  const found = names.map((name) => fields.find((field) => field.name === name)!);
  const { start, timeFormat, tz = "UTC" } = options;
  const kinds = found.map(({ kind }) => kind);
  const layout = { names, tz };
  const isRelative = kinds.every((kind) => kind === "duration" || kind === "clock");
  if (isRelative) {
    refuse(timeFormat, "--time-format", names);
    if (start !== undefined) return { ...layout, start: String(start) };
    throw optionError(
      `Cannot import: column ${names.join(" and ")} says how long or at what time of day, not when`,
      "give its start with --start, or name another column with --time",
    );
  }
  if (kinds.every((kind) => kind === "timestamp" || kind === "date" || kind === "clock")) {
    refuse(timeFormat, "--time-format", names);
    refuse(start, "--start", names);
    return layout;
  }
  if (found.length > 1) {
    throw optionError(
      `Cannot join columns ${names.join(" and ")}: expected a date and a time of day`,
    );
  }
  const [field] = found as [ColumnarField];
  const cells = await sample(field.name);
  if (field.kind === "text") {
    refuse(start, "--start", names);
    const format = timeFormat ?? onlyForm(formsOf(cells), cells, field.name).format;
    return { ...layout, format };
  }
  const forms = formsOf(cells);
  const unit = unitNamed(field.name, null);
  if (start !== undefined) {
    const format = timeFormat ?? unit;
    if (format !== undefined) return { ...layout, format, start: String(start) };
    throw optionError(
      `Cannot import: nothing tells the unit of the times in column ${field.name}`,
      "say --time-format s, ms, us or ns",
    );
  }
  if (timeFormat !== undefined) return { ...layout, format: timeFormat };
  if (forms.length === 0 && unit !== "ns") {
    throw optionError(
      `Cannot import: the times in column ${field.name} are relative, the first one is ${
        shownCell(cells[0]!)
      }`,
      "give their start with --start, and their unit (s, ms, us or ns) with --time-format; or " +
        "name another column with --time",
    );
  }
  const named = forms.find(({ format }) => format === unit);
  if (forms.length === 0) {
    refuseOtherUnit(field.name, cells);
    return { ...layout, format: "ns" };
  }
  return { ...layout, format: (named ?? onlyForm(forms, cells, field.name)).format };
}

function refuse(option: unknown, name: string, columns: readonly string[]): void {
  if (option === undefined) return;
  throw optionError(
    `Cannot use ${name}: column ${columns.join(" and ")} has times by its type`,
  );
}

async function timeNames(
  fields: readonly ColumnarField[],
  sample: Sample,
  { time, timeFormat }: SourceOptions,
): Promise<string[]> {
  const all = fields.map(({ name }) => name);
  if (time !== undefined) {
    const parts = all.includes(time) || !time.includes("+") ? [time] : time.split("+");
    return parts.map((part) => {
      const found = fields[columnOf(all, part.trim(), "--time")]!;
      if (found.kind !== "other") return found.name;
      throw optionError(`Cannot use --time ${part}: the column is ${found.type}`);
    });
  }
  const of = (kind: ColumnarField["kind"]) => fields.filter((field) => field.kind === kind);
  const stamps = of("timestamp");
  const ours = stamps.find(({ name }) => name === "time");
  if (ours !== undefined) return [ours.name];
  if (stamps.length > 0) return only(stamps);
  const [dates, clocks] = [of("date"), of("clock")];
  if (dates.length === 1 && clocks.length === 1) return [dates[0]!.name, clocks[0]!.name];
  const texts: ColumnarField[] = [];
  for (const field of of("text")) {
    const cells = await sample(field.name);
    const fits = timeFormat?.includes("%")
      ? patternForm(timeFormat.replace(/ ?%[zZ]/, "")).read(cells[0] ?? "") !== undefined
      : formsOf(cells).length > 0;
    if (cells.length > 0 && fits) texts.push(field);
  }
  if (texts.length > 0) return only(texts);
  if (dates.length > 0) return only(dates);
  const numbers: ColumnarField[] = [];
  const growing: ColumnarField[] = [];
  for (const field of of("number")) {
    const cells = await sample(field.name);
    const grows = cells.length > 0 && cells.every((c, i) => i === 0 || +c >= +cells[i - 1]!);
    if (grows && formsOf(cells).length > 0) numbers.push(field);
    if (grows && (TIME_NAME.test(field.name) || unitNamed(field.name, null) !== undefined)) {
      growing.push(field);
    }
  }
  if (numbers.length > 0) return only(numbers);
  const rest = [...of("duration"), ...clocks];
  if (rest.length > 0) return only(rest);
  if (growing.length > 0) return only(growing);
  throw optionError(
    "Cannot import: no column has times",
    `name one with --time; columns are ${all.slice(0, 12).join(", ")}`,
  );
}

function only(found: readonly ColumnarField[]): string[] {
  if (found.length === 1) return [found[0]!.name];
  const names = found.map(({ name }) => name);
  throw optionError(
    `Cannot tell which column is the time: ${names.join(", ")} are all times`,
    `name it, for example --time ${JSON.stringify(names[0])}`,
  );
}
