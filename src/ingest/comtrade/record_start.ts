/**
 * Times of the first sample and of the trigger, UTC.
 *
 * @module
 */

import { ImportError } from "../errors.ts";
import type { Configuration } from "./configuration.ts";
import { utcOf } from "./zone.ts";
import type { ComtradeOptions } from "./comtrade_options.ts";

/**
 * Finds the times at which a record starts and was triggered, ns since 1970.
 *
 * @throws {ImportError} If the file does not say when it starts, or in which zone.
 */
export function timesOf(
  { first, trigger, timeCode, timeCodeText, revision }: Configuration,
  name: string,
  options: ComtradeOptions,
  notices: string[],
): { start: bigint; trigger: bigint | undefined } {
  const { tz } = options;
  if (timeCode === undefined && tz === undefined && !/^x?$/i.test(timeCodeText)) {
    throw new ImportError(
      `Cannot read ${name}: its time_code is ${JSON.stringify(timeCodeText.slice(0, 100))}, ` +
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
    throw new ImportError(`Cannot read ${name}: it does not say the time of the first sample`, {
      hint: "--start says it",
    });
  }
  return {
    start: options.start ?? toUtc(first!.local),
    trigger: trigger === undefined ? undefined : toUtc(trigger.local),
  };
}
