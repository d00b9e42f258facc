/**
 * Forms of the times in the tables that are written: instants, times of clocks, or whole numbers.
 *
 * @module
 */

import { outOfRange } from "../core/argument_error.ts";
import { fixedOffset, offsetAt } from "../core/clock_changes.ts";
import type { TableBatch } from "./table.ts";

/** Form of the column `time`. */
export type TimeForm = "instant" | "local" | "ns";

/** Options of the column `time`. */
export interface TimeOptions {
  /**
   * `"instant"`: timestamp, ns, UTC. `"local"`: timestamp, ns, without a zone, as clocks of `zone`
   * show it; readers that have only microseconds for instants, such as DuckDB, keep all of it.
   * `"ns"`: int64, ns since 1970.
   *
   * @default {"instant"}
   */
  times?: TimeForm | undefined;
  /** Zone of local times: an IANA name, or an offset such as `+02:00`. @default {"UTC"} */
  zone?: string | undefined;
}

const FORMS: readonly string[] = ["instant", "local", "ns"];

/**
 * Checks the options of the column `time`.
 *
 * @param action Name of the call, for the error.
 * @returns The form, and what turns the times of a batch into it.
 * @throws {RangeError} If there is no such form or zone, or the zone would change nothing.
 */
export function timeFormOf(
  action: string,
  { times = "instant", zone }: TimeOptions,
): { form: TimeForm; convert: (batch: TableBatch) => TableBatch } {
  if (!FORMS.includes(times)) {
    const expected = FORMS.map((form) => `"${form}"`).join(", ");
    throw outOfRange(
      `Cannot ${action}: times is ${JSON.stringify(times)}, expected one of ${expected}`,
    );
  }
  if (zone === undefined) return { form: times, convert: (batch) => batch };
  if (times !== "local") {
    throw outOfRange(`Cannot ${action}: zone is given, expected times to be "local" with it`);
  }
  if (!isZone(zone)) {
    throw outOfRange(
      `Cannot ${action}: zone is ${
        JSON.stringify(zone)
      }, expected a name such as "Europe/Berlin" or an ` +
        `offset such as "+02:00"`,
    );
  }
  return { form: times, convert: (batch) => ({ ...batch, times: localTimes(batch.times, zone) }) };
}

/** Tells whether there is a time zone of this name or offset. */
function isZone(zone: string): boolean {
  if (/^[+-]/.test(zone)) return /^[+-]([01]\d|2[0-3]):?[0-5]\d$/.test(zone);
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

/** Times as the clocks of a zone show them. */
function localTimes(times: BigInt64Array, zone: string): BigInt64Array {
  const fixed = fixedOffset(zone);
  return times.map((time) => time + (fixed ?? offsetAt(zone, time)));
}
