/**
 * Output of the demo: headings, timed steps, tables.
 *
 * @module
 */

import { formatTime, type StatColumns } from "@btrdb/btrdb";

/** A whole number with commas. */
export function thousands(n: number | bigint): string {
  return n.toLocaleString("en-US");
}

/** Points per second, rounded to what can be meant. */
export function rate(points: number, seconds: number): string {
  const perSecond = points / Math.max(seconds, 1e-6);
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(1)} M points/s`;
  if (perSecond >= 1e3) return `${(perSecond / 1e3).toFixed(1)} k points/s`;
  return `${perSecond.toFixed(0)} points/s`;
}

/** A duration in ns as people say it. */
export function duration(ns: bigint): string {
  const units = [[86400e9, "d"], [3600e9, "h"], [60e9, "min"], [1e9, "s"], [1e6, "ms"], [
    1e3,
    "µs",
  ]];
  for (const [size, name] of units as [number, string][]) {
    if (Number(ns) >= size) return `${Number((Number(ns) / size).toPrecision(4))} ${name}`;
  }
  return `${ns} ns`;
}

/** A named piece of work that the demo did, and how long it took. */
export interface Step {
  readonly name: string;
  readonly seconds: number;
  /** Points that went through it. */
  readonly points: number;
}

/** Does pieces of work and remembers how long each took. */
export class Stopwatch {
  readonly steps: Step[] = [];

  /**
   * Runs one piece of work.
   *
   * @param name Name of the step, for the table.
   * @param points Number of points processed, known before or after.
   * @param work The work.
   * @returns The result of the work.
   */
  async time<T>(
    name: string,
    points: number | ((result: T) => number),
    work: () => T | Promise<T>,
  ): Promise<T> {
    const began = performance.now();
    const result = await work();
    const seconds = (performance.now() - began) / 1000;
    const count = typeof points === "number" ? points : points(result);
    this.steps.push({ name, seconds, points: count });
    return result;
  }

  /** The table of all steps. */
  table(): string {
    const rows = this.steps.map(({ name, seconds, points }) => [
      name,
      `${(seconds * 1000).toFixed(1)} ms`,
      points === 0 ? "" : thousands(points),
      points === 0 ? "" : rate(points, seconds),
    ]);
    return alignColumns([["step", "time", "points", "speed"], ...rows]);
  }
}

/** Rows as text columns: the first one to the left, the others to the right. */
export function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, c) => Math.max(...rows.map((row) => row[c]!.length)));
  return rows.map((row) =>
    "  " + row.map((cell, c) => c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!))
      .join("  ").trimEnd() +
    "\n"
  ).join("");
}

/** Windows as a table. */
export function windowTable(windows: StatColumns): string {
  const cells = (i: number): string[] => [
    formatTime(windows.times[i]!),
    ...[windows.min, windows.mean, windows.max].map((column) =>
      windows.count[i] === 0n ? "–" : column[i]!.toFixed(3)
    ),
    thousands(windows.count[i]!),
  ];
  const rows = Array.from({ length: windows.times.length }, (_, i) => cells(i));
  return alignColumns([["window", "min", "mean", "max", "points"], ...rows]);
}
