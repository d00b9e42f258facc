/**
 * The plain way to align points: every row looks at every point.
 *
 * @module
 */

import type { AlignCount, RawColumns } from "@btrdb/btrdb";

/** Rules of {@linkcode plainAlign}. */
export interface PlainRules {
  start: bigint;
  end: bigint;
  /** Rows a second, a whole number. */
  rate: number;
  tolerance: bigint;
  fill: "none" | "previous" | "linear";
  maxGap: bigint;
}

/** Rows of one stream, and how they came about. */
export function plainAlign(
  { times, values }: RawColumns,
  { start, end, rate, tolerance, fill, maxGap }: PlainRules,
): { times: bigint[]; values: number[]; count: AlignCount } {
  const rows: bigint[] = [];
  for (let i = 0n;; i++) {
    // i / rate seconds to the nearest ns.
    const time = start + (i * 2_000_000_000n + BigInt(rate)) / (2n * BigInt(rate));
    if (time >= end) break;
    rows.push(time);
  }
  const used = new Set<number>();
  let filled = 0n;
  const out = rows.map((row) => {
    const before = times.findLastIndex((time) => time <= row);
    const after = times.findIndex((time) => time > row);
    const [a, b] = [
      before < 0 ? Infinity : Number(row - times[before]!),
      after < 0 ? Infinity : Number(times[after]! - row),
    ];
    const nearest = a <= b ? before : after;
    if (Math.min(a, b) <= Number(tolerance)) {
      used.add(nearest);
      return values[nearest]!;
    }
    if (fill === "previous" && a <= Number(maxGap)) {
      filled++;
      return values[before]!;
    }
    if (fill === "linear" && a + b <= Number(maxGap)) {
      filled++;
      const share = a / (a + b);
      return values[before]! * (1 - share) + values[after]! * share;
    }
    return NaN;
  });
  const last = (rows.at(-1) ?? start) + tolerance;
  const inside = times.filter((time) => time >= start - tolerance && (time < end || time <= last));
  const matched = BigInt(used.size);
  const count = {
    matched,
    filled,
    missing: BigInt(rows.length) - matched - filled,
    unused: BigInt(inside.length) - matched,
  };
  return { times: rows, values: out, count };
}
