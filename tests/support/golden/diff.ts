/** Support for the comparisons of recordings: equality, and differences in words. */

import type { Answer } from "./recording.ts";

/** Anything out of a recording. */
// deno-lint-ignore no-explicit-any
export type Recorded = any;

/** The names of the bugs that show in a step. */
export type Quirks = ReadonlySet<string>;

/** Tells whether two values are equal, numbers to the bit. */
export function same(a: unknown, b: unknown): boolean {
  if (typeof a === "number" && typeof b === "number") return Object.is(a, b);
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return a === b;
  const keysA = Object.keys(a), keysB = Object.keys(b);
  return keysA.length === keysB.length &&
    keysA.every((key) =>
      same((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key])
    );
}

/** A value in a message. */
export function show(value: unknown): string {
  const text = JSON.stringify(value, (_, v) => typeof v === "bigint" ? String(v) : v) ?? "nothing";
  return text.length > 400 ? `${text.slice(0, 400)}…` : text;
}

/** The difference of two values, if there is one. */
export function expectSame(what: string, actual: unknown, wanted: unknown): string[] {
  return same(actual, wanted) ? [] : [`${what}: ${show(actual)}, recorded ${show(wanted)}`];
}

/** The difference of an answer that must be an error with this code. */
export function expectStat(answer: Answer, code: number): string[] {
  return answer.stat?.code === code ? [] : [`stat: ${show(answer.stat)}, expected code ${code}`];
}

/** Number of rows that were recorded, in full or summed up. */
export function countOf(rows: Recorded): number {
  return Array.isArray(rows) ? rows.length : rows.count;
}
