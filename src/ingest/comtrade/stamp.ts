/**
 * Dates and times of day in configurations of COMTRADE.
 *
 * @module
 */

/** A date and a time of day, on the clock of the recorder. */
export interface Stamp {
  /** Nanoseconds since 1970 on that clock. */
  readonly local: bigint;
  /** Digits of the fraction of a second. */
  readonly digits: number;
}

/** Order of day and month: the first edition has the month first. */
export type DateOrder = "day first" | "month first";

/** Two-digit years below this are of this century. */
const PIVOT = 70;

/** First year whose days all fit into 64 bits of ns. */
export const FIRST_YEAR = 1678;

/** Last year whose days all fit into 64 bits of ns. */
export const LAST_YEAR = 2261;

/** Without blanks around it: those before an end that is missing would be tried in every way. */
const STAMP =
  /^(\d{1,4})[/.-](\d{1,2})[/.-](\d{1,4})\s*,\s*(\d{1,2})\s*:\s*(\d{1,2})\s*:\s*(\d{1,2})(?:[.](\d{0,12}))?\s*,?$/;

/**
 * Parses `dd/mm/yyyy,hh:mm:ss.ffffff`.
 *
 * @param order Order of day and month.
 * @returns `undefined` if the text is no such time, there is no such day, it is a leap second, which
 *   would shift all samples behind it, or it does not fit into 64 bits of ns.
 */
export function parseStamp(text: string, order: DateOrder): Stamp | undefined {
  const match = STAMP.exec(text.trim());
  if (match === null) return undefined;
  const [a, b, c, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const isYearFirst = match[1]!.length === 4;
  // A year of one digit or three has lost some.
  if ((isYearFirst ? match[3]! : match[1]!).length > 2) return undefined;
  if (!isYearFirst && match[3]!.length % 2 === 1) return undefined;
  const [day, month] = isYearFirst ? [c, b] : order === "day first" ? [a, b] : [b, a];
  const year = yearOf(isYearFirst ? match[1]! : match[3]!);
  if (year < FIRST_YEAR || year > LAST_YEAR) return undefined;
  if (month < 1 || month > 12 || hour > 24 || minute > 59 || second > 59) return undefined;
  if (hour === 24 && minute + second > 0) return undefined;
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCDate() !== day || date.getUTCMonth() !== month - 1) return undefined;
  const fraction = match[7] ?? "";
  const seconds = BigInt(date.getTime() / 1000 + hour * 3600 + minute * 60 + second);
  // More than nine digits are rounded.
  const nanoseconds = BigInt(fraction.slice(0, 9).padEnd(9, "0")) +
    (Number(fraction[9] ?? 0) >= 5 ? 1n : 0n);
  return { local: seconds * 1_000_000_000n + nanoseconds, digits: fraction.length };
}

function yearOf(text: string): number {
  const year = Number(text);
  if (text.length > 2) return year;
  return year < PIVOT ? 2000 + year : 1900 + year;
}

/** Largest offset of a place from UTC, hours. */
const MAX_HOURS = 14;

/** The offset of a `time_code` such as `-5h30`, ns; `undefined` where it says nothing, or no offset. */
export function parseTimeCode(text: string): bigint | undefined {
  const match = /^\s*([+-]?)(\d{1,2})(?:h(\d{1,2})?)?\s*$/i.exec(text);
  if (match === null) return undefined;
  const [hours, rest] = [Number(match[2]), Number(match[3] ?? 0)];
  if (rest > 59 || hours * 60 + rest > MAX_HOURS * 60) return undefined;
  const minutes = BigInt(hours * 60 + rest);
  return (match[1] === "-" ? -minutes : minutes) * 60_000_000_000n;
}
