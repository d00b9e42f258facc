/**
 * Columns of points for properties: times with ties, gaps and the ends of the axis, values of every
 * kind a stream may hold.
 *
 * @module
 */

import fc from "fast-check";
import type { RawColumns, StatColumns } from "../../src/core/columns.ts";

/** Finite doubles that BTrDB takes, small integers (many ties) as often as all the others. */
export const value: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e100, max: 1e100 }),
  fc.constantFrom(-0, 5e-324, 1e9 + 1e-3),
);

/** Any 64 bits as a double, NaN of any payload and infinities among them. */
export const anyDouble: fc.Arbitrary<number> = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 5e-324, 1.5),
);

/** Times: near each other, all over the axis, at its ends. */
export const time: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt(-20n, 20n),
  fc.bigInt(-(1n << 60n), 3n << 60n),
  fc.bigInt(-(1n << 63n), (1n << 63n) - 1n),
  fc.constantFrom(0n, -1n, -(1n << 63n), (1n << 63n) - 1n, 1n << 60n),
);

/** Points in any order. */
export const points: fc.Arbitrary<RawColumns> = fc.array(fc.tuple(time, value), {
  maxLength: 60,
  size: "max",
}).map(toRaw);

/** Points whose times lie close together, in order. */
export const sortedPoints: fc.Arbitrary<RawColumns> = fc.tuple(
  fc.bigInt(-1000n, 1000n),
  fc.array(fc.tuple(fc.oneof(fc.constant(0n), fc.bigInt(0n, 9n), fc.bigInt(0n, 500n)), value), {
    maxLength: 80,
    size: "max",
  }),
).map(([start, steps]) => {
  let at = start;
  return toRaw(steps.map(([step, v]) => [at += step, v]));
});

/** Windows as `rewindow` makes them, in order, some of them empty. */
export const sortedWindows: fc.Arbitrary<StatColumns> = fc.tuple(
  sortedPoints,
  fc.array(fc.tuple(fc.nat(3), value, fc.nat(50)), { minLength: 80, maxLength: 80 }),
).map(([{ times, values }, extra]) => {
  const n = times.length;
  const columns: StatColumns = {
    times,
    min: new Float64Array(n),
    mean: new Float64Array(n),
    max: new Float64Array(n),
    count: new BigUint64Array(n),
    stddev: new Float64Array(n),
  };
  for (let i = 0; i < n; i++) {
    const [count, other, spread] = extra[i]!;
    if (count === 0) continue;
    const [a, b] = [values[i]!, count === 1 ? values[i]! : other];
    columns.min[i] = Math.min(a, b);
    columns.max[i] = Math.max(a, b);
    columns.mean[i] = a / 2 + b / 2;
    columns.count[i] = BigInt(count);
    columns.stddev![i] = count === 1 ? 0 : spread;
  }
  return columns;
});

/** Columns of pairs. */
export function toRaw(pairs: readonly (readonly [bigint, number])[]): RawColumns {
  return {
    times: BigInt64Array.from(pairs, ([t]) => t),
    values: Float64Array.from(pairs, ([, v]) => v),
  };
}
