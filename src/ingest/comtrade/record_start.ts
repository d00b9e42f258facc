/**
 * Times of the first sample and of the trigger, UTC.
 *
 * @module
 */

import { formatTime } from "../../core/time.ts";
import { ImportError } from "../errors.ts";
import type { Configuration } from "./configuration.ts";
import { FIRST_YEAR, LAST_YEAR } from "./stamp.ts";
import { utcOf } from "./zone.ts";
import type { ComtradeOptions } from "./comtrade_options.ts";

/**
 * Finds the times at which a record starts and was triggered, ns since 1970.
 *
 * @throws {ImportError} If the file does not say when it starts, or in which zone.
 */
export function timesOf(
  { first, firstText, trigger, timeCode, timeCodeText, revision }: Configuration,
  name: string,
  options: ComtradeOptions,
  notices: string[],
): { start: bigint; trigger: bigint | undefined } {
  const { tz } = options;
  if (timeCode === undefined && tz === undefined && !/^x?$/i.test(timeCodeText)) {
    throw new ImportError(
      `Cannot read ${name}: its time_code is ${shown(timeCodeText)}, ` +
        "expected an offset such as -5h30",
      { hint: "--tz says the zone of the recorder's clock" },
    );
  }
  if (timeCode === undefined && options.start === undefined) {
    const why = revision === 2013 ? "does not say" : `of ${revision} cannot say`;
    const read = tz === undefined ? "UTC; --tz names another" : tz;
    notices.push(`${name} ${why} the time zone of its clock, read as ${read}`);
  }
  const toUtc = (local: bigint) =>
    timeCode !== undefined ? local - timeCode : utcOf(local, tz ?? "UTC", name);
  if (options.start === undefined && first === undefined) {
    const isSaid = firstText.replaceAll(",", "").trim() !== "";
    const problem = isSaid
      ? `the time of its first sample is ${shown(firstText)}, expected ` +
        `${revision === 1991 ? "mm/dd/yy" : "dd/mm/yyyy"},hh:mm:ss.ssssss with a day of ` +
        `${FIRST_YEAR} to ${LAST_YEAR}, 00:00:00 to 23:59:59, or 24:00:00`
      : "it does not say the time of the first sample";
    throw new ImportError(`Cannot read ${name}: ${problem}`, { hint: "--start says it" });
  }
  return {
    start: options.start ?? toUtc(first!.local),
    trigger: trigger === undefined ? undefined : toUtc(trigger.local),
  };
}

/** Remarks on a clock whose times the file itself calls doubtful. */
export function clockNotices(
  { timeQuality = "0", leapSecond = "0" }: Configuration,
  name: string,
): string[] {
  const notices: string[] = [];
  if (!/^[0-9a-f]$/i.test(timeQuality)) {
    notices.push(`${name} has the clock's quality ${shown(timeQuality)}, expected 0 to F`);
  } else if (timeQuality.toUpperCase() === "F") {
    notices.push(`${name} says that its clock had failed: its times may be wrong`);
  }
  if (leapSecond === "1" || leapSecond === "2") {
    const what = leapSecond === "1" ? "added" : "removed";
    notices.push(
      `${name} says that a leap second was ${what} during the record: its samples are counted on ` +
        "over it, and those behind it may be a second off",
    );
  } else if (!/^[03]$/.test(leapSecond)) {
    notices.push(`${name} has the leap second ${shown(leapSecond)}, expected 0 to 3`);
  }
  return notices;
}

/** Farthest that a trigger may be from the samples: more is a wrong date in one of the two times. */
const DAY_NS = 86_400_000_000_000n;

/**
 * Remarks on a trigger that is on another day than the samples.
 *
 * @param record Times of the first sample and of the trigger.
 * @param last Time of the last sample.
 */
export function triggerNotices(
  { first, trigger }: { readonly first: bigint; readonly trigger: bigint | undefined },
  last: bigint,
  name: string,
): string[] {
  if (trigger === undefined || (trigger > first - DAY_NS && trigger < last + DAY_NS)) return [];
  return [
    `${name} was triggered at ${formatTime(trigger)}, more than a day away from its samples: ` +
    "one of the two dates may be wrong",
  ];
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
