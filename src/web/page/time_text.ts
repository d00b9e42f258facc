/** Thin stand-in for ticks and text of times. @module */

const SECOND = 1_000_000_000n;
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat("en-CA", {
      ...(zone === "local" ? {} : { timeZone: zone }),
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
    });
    formats.set(zone, format);
  }
  return format;
}

/** Wall-clock time in a zone, with 9 digits. */
export function momentText(time: bigint, zone: string, digits = 9): string {
  const fraction = ((time % SECOND) + SECOND) % SECOND;
  const ms = Number((time - fraction) / 1_000_000n);
  const parts = Object.fromEntries(
    formatOf(zone).formatToParts(ms).map(({ type, value }) => [type, value]),
  );
  const text =
    `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute}:${parts.second}`;
  return digits === 0 ? text : `${text}.${fraction.toString().padStart(9, "0").slice(0, digits)}`;
}

const UNITS: readonly [string, number][] = [
  ["y", 365.25 * 86400e9],
  ["d", 86400e9],
  ["h", 3600e9],
  ["min", 60e9],
  ["s", 1e9],
  ["ms", 1e6],
  ["µs", 1e3],
  ["ns", 1],
];

/** A duration for people, three or four digits. */
export function durationText(ns: bigint | number): string {
  const n = Number(ns);
  for (const [unit, size] of UNITS) {
    if (Math.abs(n) >= size) return `${Number((n / size).toPrecision(4))} ${unit}`;
  }
  return `${n} ns`;
}
