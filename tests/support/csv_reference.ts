/**
 * CSV the plain way: exact integers, strings, one row at a time. It is the reference for the
 * kernel.
 *
 * @module
 */

import type { RawColumns, StatColumns } from "../../src/core/columns.ts";
import type { CsvNumbers } from "../../src/kernel/mod.ts";

/** A finite double as mantissa · 2^exponent, without its sign. */
export function parts(x: number): { mantissa: bigint; exponent: number } {
  const [bits] = new BigUint64Array(Float64Array.of(Math.abs(x)).buffer);
  const biased = Number(bits! >> 52n);
  const fraction = bits! & ((1n << 52n) - 1n);
  return biased === 0
    ? { mantissa: fraction, exponent: -1074 }
    : { mantissa: fraction | (1n << 52n), exponent: biased - 1075 };
}

/** ECMAScript's text of any double, with the sign of zero. */
export function referenceShortest(x: number): string {
  return Object.is(x, -0) ? "-0" : String(x);
}

/** C's `%f` of any double, with the server's words for what is not finite. */
export function referenceFixed6(x: number): string {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "+Inf" : "-Inf";
  const { mantissa, exponent } = parts(x);
  let q = mantissa * 1_000_000n;
  if (exponent >= 0) q <<= BigInt(exponent);
  else {
    const unit = 1n << BigInt(-exponent);
    const rest = q % unit;
    q /= unit;
    if (2n * rest > unit || (2n * rest === unit && q % 2n === 1n)) q++;
  }
  const digits = q.toString().padStart(7, "0");
  const sign = Object.is(x, -0) || x < 0 ? "-" : "";
  return `${sign}${digits.slice(0, -6)}.${digits.slice(-6)}`;
}

/** A time as RFC 3339 with 0 or 9 decimals, days counted one year and one month after another. */
export function referenceTime(t: bigint, decimals: 0 | 9): string {
  const second = 1_000_000_000n;
  const within = ((t % second) + second) % second;
  const text = new Date(Number((t - within) / second) * 1000).toISOString().slice(0, 19);
  return decimals === 0 ? `${text}Z` : `${text}.${within.toString().padStart(9, "0")}Z`;
}

/** Rows by taking the earliest head again and again. */
export function referenceMerge(
  streams: readonly BigInt64Array[],
): { times: BigInt64Array; rows: Int32Array[] } {
  const at = streams.map(() => 0);
  const times: bigint[] = [];
  const rows: number[][] = streams.map(() => []);
  for (;;) {
    const heads = streams.flatMap((stream, s) => stream.slice(at[s]!, at[s]! + 1)[0] ?? []);
    if (heads.length === 0) break;
    const time = heads.reduce((a, b) => a < b ? a : b);
    times.push(time);
    streams.forEach((stream, s) => rows[s]!.push(stream[at[s]!] === time ? at[s]!++ : -1));
  }
  return { times: BigInt64Array.from(times), rows: rows.map((row) => Int32Array.from(row)) };
}

/** The rows of a CSV. */
export function referenceRows(
  streams: readonly (RawColumns | StatColumns)[],
  numbers: CsvNumbers,
  decimals: 0 | 9,
): string {
  const number = numbers === "fixed6" ? referenceFixed6 : referenceShortest;
  const { times, rows } = referenceMerge(streams.map((columns) => columns.times));
  let text = "";
  times.forEach((time, r) => {
    const cells = [time.toString(), referenceTime(time, decimals)];
    streams.forEach((columns, s) => cells.push(...cellsOf(columns, rows[s]![r]!, number)));
    text += cells.join(",") + "\n";
  });
  return text;
}

function cellsOf(
  columns: RawColumns | StatColumns,
  i: number,
  number: (x: number) => string,
): string[] {
  if ("values" in columns) return i < 0 ? [""] : [number(columns.values[i]!)];
  if (i < 0) return ["", "", "", ""];
  const { min, mean, max, count } = columns;
  if (count[i] === 0n && number !== referenceFixed6) return ["", "", "", "0"];
  return [number(min[i]!), number(mean[i]!), number(max[i]!), count[i]!.toString()];
}
