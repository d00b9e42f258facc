/**
 * Doubles and decimals that are hard to print and to read.
 *
 * @module
 */

import fc from "fast-check";
import { parts } from "./csv_reference.ts";

/** The double with these bits. */
export function fromBits(bits: bigint): number {
  return new Float64Array(BigUint64Array.of(bits).buffer)[0]!;
}

const anyBits = fc.bigInt(0n, (1n << 64n) - 1n).map(fromBits).filter(Number.isFinite);

/** Measured values: up to 17 digits, up to 12 of them behind the point. */
const measured = fc.tuple(fc.bigInt(-(10n ** 17n), 10n ** 17n), fc.nat(17), fc.nat(12)).map(
  ([digits, cut, scale]) => Number(`${digits / 10n ** BigInt(cut)}e-${scale}`),
);

/** Exactly in the middle between two of six decimals, or a step beside it. */
const tie = fc.tuple(fc.bigInt(0n, 1n << 40n), fc.integer({ min: 1, max: 40 }), fc.nat(2)).map(
  ([odd, power, step]) => neighbour(Number(2n * odd + 1n) / 2 ** power, step - 1),
);

/** Powers of two and of ten and what stands beside them; the lower neighbour of 2^k is nearer. */
const power = fc.tuple(
  fc.oneof(
    fc.integer({ min: -1074, max: 1023 }).map((k) => 2 ** k),
    fc.integer({ min: -323, max: 308 }).map((k) => Number(`1e${k}`)),
  ),
  fc.integer({ min: -2, max: 2 }),
).map(([x, steps]) => neighbour(x, steps));

const subnormal = fc.bigInt(0n, (1n << 52n) - 1n).map(fromBits);

/** The double `steps` further on; finite ones only. */
function neighbour(x: number, steps: number): number {
  const [bits] = new BigInt64Array(Float64Array.of(x).buffer);
  const moved = fromBits(BigInt.asUintN(64, bits! + BigInt(steps)));
  return Number.isFinite(moved) ? moved : x;
}

/** Finite doubles of all kinds, both signs. */
export const hardDouble: fc.Arbitrary<number> = fc.tuple(
  fc.oneof(
    anyBits,
    measured,
    tie,
    power,
    subnormal,
    fc.integer({ min: -1_000_000, max: 1_000_000 }),
    fc.constantFrom(
      0,
      Number.MAX_VALUE,
      Number.MIN_VALUE,
      1e300,
      5e-324,
      9007199254740993,
      1 / 128,
    ),
  ),
  fc.boolean(),
).map(([x, negative]) => negative ? -x : x);

/** A natural number of many digits. */
const manyDigits = fc.tuple(fc.bigInt(0n, 10n ** 25n), fc.nat(60), fc.nat(900)).map(
  ([head, zeros, more]) => `${head}${"0".repeat(zeros)}${"7".repeat(more > 300 ? 0 : more)}`,
);

/** Digits with a point somewhere and an exponent. */
const anyDecimal = fc.tuple(manyDigits, fc.nat(1000), fc.integer({ min: -400, max: 400 })).map(
  ([digits, at, e]) => {
    const point = at % (digits.length + 1);
    return `${digits.slice(0, point)}.${digits.slice(point)}e${e - digits.length}`;
  },
);

const plainDecimal = fc.tuple(
  fc.constantFrom("", "-", "+"),
  fc.bigInt(0n, 10n ** 22n),
  fc.nat(25),
  fc.constantFrom("", "e5", "E-3", "e+22", "e-30"),
).map(([sign, n, scale, e]) => {
  const digits = n.toString().padStart(scale + 1, "0");
  const cut = digits.length - scale;
  return `${sign}${digits.slice(0, cut)}${scale > 0 ? "." + digits.slice(cut) : ""}${e}`;
});

/** The middle between a double and the next one, in full, or a digit beside it. */
const middle = fc.tuple(hardDouble, fc.constantFrom("", "1", "0000000000000000000001", "-")).map(
  ([x, tail]) => {
    const { mantissa, exponent } = parts(x);
    const twice = 2n * mantissa + 1n;
    const power = exponent - 1;
    const digits = power >= 0 ? twice << BigInt(power) : twice * 5n ** BigInt(-power);
    if (tail === "-") return `${digits - 1n}e${Math.min(power, 0)}`;
    return `${digits}${tail === "" ? "" : "." + tail}e${Math.min(power, 0)}`;
  },
);

/** Decimals of which many are hard to round. */
export const hardDecimal: fc.Arbitrary<string> = fc.oneof(
  hardDouble.map(String),
  hardDouble.map((x) => Math.abs(x) < 1e21 ? x.toFixed(20) : String(x)),
  plainDecimal,
  anyDecimal,
  middle,
);
