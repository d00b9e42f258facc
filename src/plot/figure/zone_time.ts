/**
 * Wall-clock times in time zones, with nanoseconds. `Intl` knows the zones; what is below a
 * millisecond is kept beside it.
 *
 * @module
 */

/** One second, ns. */
const SECOND = 1_000_000_000n;

const MILLISECOND = 1_000_000n;
const DAY = 86_400n * SECOND;

const formats = new Map<string, Intl.DateTimeFormat>();

/** The zone's calendar and clock, proleptic Gregorian, 24 hours. */
function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      calendar: "iso8601",
      numberingSystem: "latn",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
      hourCycle: "h23",
    });
    formats.set(zone, format);
  }
  return format;
}

/** Tells whether a zone is known, `Europe/Berlin` or `UTC`. */
export function isZone(zone: string): boolean {
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}

function floorTo(time: bigint, step: bigint): bigint {
  const rest = time % step;
  return rest < 0n ? time - rest - step : time - rest;
}

/**
 * Difference of the clock of a zone to UTC at a moment, ns; positive in the east.
 *
 * @param time Moment, ns since the Unix epoch.
 * @param zone Zone.
 */
export function zoneOffset(time: bigint, zone: string): bigint {
  if (zone === "UTC") return 0n;
  const seconds = floorTo(time, SECOND);
  const parts = formatOf(zone).formatToParts(Number(seconds / MILLISECOND));
  const number = (type: string) => Number(parts.find((part) => part.type === type)!.value);
  const date = [number("year"), number("month") - 1, number("day")] as const;
  const wall = Date.UTC(...date, number("hour"), number("minute"), number("second"));
  return BigInt(wall) * MILLISECOND - seconds;
}

/** A wall-clock time as if it were in UTC, ns since the Unix epoch. */
export function toWall(time: bigint, zone: string): bigint {
  return time + zoneOffset(time, zone);
}

/**
 * The moments at which the clock of a zone shows a time: one, two where the clock is set back, none
 * where it is set forward.
 *
 * @param wall Wall-clock time as if it were in UTC.
 */
export function fromWall(wall: bigint, zone: string): bigint[] {
  if (zone === "UTC") return [wall];
  const offsets = new Set([zoneOffset(wall - DAY, zone), zoneOffset(wall + DAY, zone)]);
  return [...offsets].map((offset) => wall - offset)
    .filter((time) => toWall(time, zone) === wall)
    .sort((a, b) => (a < b ? -1 : 1));
}

/**
 * Text of a moment, `2026-01-31 12:00:00.123456789`.
 *
 * @param time Moment, ns since the Unix epoch.
 * @param zone Zone whose clock is read.
 */
export function momentText(time: bigint, zone: string): string {
  return wallText(toWall(time, zone));
}

/** Text of a wall-clock time as if it were in UTC. */
export function wallText(wall: bigint): string {
  const seconds = floorTo(wall, SECOND);
  const text = new Date(Number(seconds / MILLISECOND)).toISOString();
  const fraction = (wall - seconds).toString().padStart(9, "0");
  return `${text.slice(0, 10)} ${text.slice(11, 19)}.${fraction}`;
}

/** Difference of a zone to UTC as text, `UTC+02:00`. */
export function offsetText(time: bigint, zone: string): string {
  const minutes = Number(zoneOffset(time, zone) / (60n * SECOND));
  if (minutes === 0) return "UTC";
  const size = Math.abs(minutes);
  const two = (n: number) => String(n).padStart(2, "0");
  return `UTC${minutes < 0 ? "−" : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}
