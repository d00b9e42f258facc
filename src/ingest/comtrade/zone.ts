/**
 * The clock of a recorder, which is that of some place.
 *
 * @module
 */

import { ImportError } from "../errors.ts";
import { formatTime } from "../../core/time.ts";
import { clockChanges, fixedOffset } from "../../core/clock_changes.ts";

/**
 * The moment at which the clocks of a place show a time.
 *
 * @param local Local time, ns since 1970 as if it were UTC.
 * @param tz Zone, such as `Europe/Berlin` or `+02:00`.
 * @param name Of the file, for errors.
 * @throws {ImportError} If they show it twice or never, because they are set back or forward.
 */
export function utcOf(local: bigint, tz: string, name: string): bigint {
  const fixed = fixedOffset(tz);
  if (fixed !== undefined) return local - fixed;
  const changes = clockChanges(tz);
  const found: bigint[] = [];
  for (let i = 0; i < changes.length; i += 2) {
    const time = local - changes[i + 1]!;
    if (time >= changes[i]! && (i + 2 >= changes.length || time < changes[i + 2]!)) {
      found.push(time);
    }
  }
  if (found.length === 1) return found[0]!;
  throw new ImportError(
    `Cannot read ${name}: clocks of ${tz} show ${formatTime(local).slice(0, -1)} ` +
      (found.length > 1 ? "twice" : "never"),
    { hint: "--tz takes an offset too, such as -05:00" },
  );
}
