/**
 * Times that are told in two columns, of which only one was taken.
 *
 * @module
 */

import { optionError } from "../errors.ts";

/** Parts of a layout that are looked at. */
interface CheckedTable {
  readonly names: readonly string[];
  readonly roles: readonly string[];
  readonly timeOrder: readonly number[];
}

/** A date without a clock, in any order of its parts. */
const DATE = /^(?:\d{4}[-/.]?\d{1,2}[-/.]?\d{1,2}|\d{1,2}[-/. ][\p{L}\d]{1,12}[-/. ]\d{2,4})$/u;
/** Names of columns with hours, minutes or clocks. */
const CLOCK_NAME =
  /^(?:hours?|hr|he|hh|hhmm|hhmmss|time|clock|minutes?|stunde|uhrzeit|zeit|heure|hora|ora|interval|period)(?![a-z])/i;
/** Names of columns with zones, and their cells. */
const ZONE_NAME = /zone|^tz|offset|^utc|^dst$/i;
const ZONE =
  /^(?:[A-Z]{1,5}|[+-]\d{1,2}(?::?\d{2})?|(?:UTC|GMT)[+-]\d{1,2}(?::?\d{2})?|[A-Z]\w+\/\w+)$/;
/** Zones that need not be said. */
const UTC = /^(?:UTC|GMT|Z|[+-]0{1,2}(?::?00)?)$/;

/**
 * Refuses a table whose times are dates, several rows of one, beside a column of hours or clocks, and
 * one whose times are local beside a column that says their zones.
 *
 * @param layout Layout of the table.
 * @param rows Cells of the rows looked at.
 * @param isZoneSaid True if the user says the zone.
 * @throws {ImportError} If it is one.
 */
export function checkTimesApart(
  layout: CheckedTable,
  rows: readonly string[][],
  isZoneSaid: boolean,
): void {
  const { names, roles, timeOrder } = layout;
  const time = timeOrder[0];
  if (time === undefined) return;
  const name = JSON.stringify(names[time]);
  const cells = rows.map((row) => (row[time] ?? "").trim());
  const repeats = cells.some((cell, i) => i > 0 && cell === cells[i - 1]);
  const clock = names.findIndex((name, i) => roles[i] === "value" && CLOCK_NAME.test(name));
  if (timeOrder.length === 1 && clock >= 0 && repeats && cells.every((cell) => DATE.test(cell))) {
    throw optionError(
      `Cannot import: column ${name} has dates, several rows of one, and column ${
        JSON.stringify(names[clock])
      } may be the clock`,
      `--time ${name} takes them as midnight; --time "${names[time]}+${names[clock]}" with ` +
        "--time-format, such as '%Y-%m-%d %H%M', reads both",
    );
  }
  if (isZoneSaid || cells.some((cell) => /[zZ]$|[+-]\d{2}:?\d{2}$|\s[A-Z]{3,5}$/.test(cell))) {
    return;
  }
  if (cells.every((cell) => /^[\d.]+$/.test(cell))) return;
  const zone = names.findIndex((name, i) => {
    const said = rows.map((row) => (row[i] ?? "").trim());
    return roles[i] !== "time" && ZONE_NAME.test(name) && said.every((cell) => ZONE.test(cell)) &&
      !said.every((cell) => UTC.test(cell));
  });
  if (zone < 0) return;
  throw optionError(
    `Cannot import: column ${JSON.stringify(names[zone])} says zones, such as ${
      JSON.stringify(rows[0]![zone]!.trim())
    }, and the times in column ${name} do not`,
    "--tz says the zone of all times",
  );
}
