/**
 * Times that are probably wrong.
 *
 * @module
 */

const NS_PER_MS = 1_000_000n;
const EARLIEST = BigInt(Date.UTC(1990, 0, 1)) * NS_PER_MS;
const DAY = 86_400_000_000_000n;

/**
 * Warnings about times.
 *
 * @param first First time, ns.
 * @param last Last time, ns.
 * @param steps Rows with the time of the row before, or one before it.
 * @param rows Rows looked at.
 */
export function timeWarnings(
  first: bigint | undefined,
  last: bigint | undefined,
  steps: { duplicates: number; backward: number } = { duplicates: 0, backward: 0 },
  rows = 0,
): string[] {
  const found: string[] = [];
  if (first === undefined || last === undefined) return found;
  if (first < EARLIEST) found.push(`The first time is ${iso(first)}, earlier than 1990`);
  if (last > BigInt(Date.now()) * NS_PER_MS + DAY) {
    found.push(`The last time is ${iso(last)}, after tomorrow`);
  }
  const { duplicates, backward } = steps;
  if (duplicates * 10 > rows) {
    found.push(
      `${duplicates} of ${rows} rows have the time of the row before: is the clock in another column, ` +
        "or is this a long table?",
    );
  }
  if (backward > 0) {
    found.push(`${backward} of ${rows} rows have a time before that of the row before`);
  }
  return found;
}

/** A time as RFC 3339, to the second. */
function iso(ns: bigint): string {
  const ms = Number(ns / NS_PER_MS);
  return Math.abs(ms) > 8.64e15 ? `${ns} ns` : new Date(ms).toISOString();
}
