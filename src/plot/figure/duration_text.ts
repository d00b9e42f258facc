/**
 * Durations as people read them.
 *
 * @module
 */

const UNITS: readonly (readonly [name: string, ns: number])[] = [
  ["y", 365.25 * 86_400e9],
  ["d", 86_400e9],
  ["h", 3_600e9],
  ["min", 60e9],
  ["s", 1e9],
  ["ms", 1e6],
  ["µs", 1e3],
  ["ns", 1],
];

/** A duration in the largest unit that it is one of, `1.5 h`. @param ns Duration, ns. */
export function durationText(ns: bigint | number, digits = 4): string {
  const size = Number(ns);
  const [name, unit] = UNITS.find(([, unit]) => Math.abs(size) >= unit) ?? UNITS.at(-1)!;
  return `${Number((size / unit).toPrecision(digits))} ${name}`;
}
