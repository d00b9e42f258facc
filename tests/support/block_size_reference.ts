/** The size of a block by a plain trial of all its forms. */

import type { RawColumns } from "../../src/core/columns.ts";

/** A form of a run: what the encoder chooses by, and what it takes in the end. */
interface Form {
  bits: number;
  bytes: number;
}

const wrap = (v: bigint): bigint => BigInt.asIntN(64, v);
const widthOf = (v: bigint): number => v === 0n ? 0 : v.toString(2).length;

function packed(run: readonly bigint[], order: number): Form {
  let differenced = [...run];
  for (let k = 0; k < order; k++) {
    differenced = differenced.map((v, i) => wrap(v - (differenced[i - 1] ?? 0n)));
  }
  const form = { bits: 64 * order, bytes: 1 + 8 * order };
  let base = 0n;
  for (let at = order; at < run.length; at += 64) {
    const mini = differenced.slice(at, at + 64);
    const low = mini.reduce((a, b) => a < b ? a : b);
    const high = mini.reduce((a, b) => a > b ? a : b);
    const step = wrap(low - base);
    const stepBytes = (widthOf(step < 0n ? -2n * step - 1n : 2n * step) + 7) >> 3;
    const width = widthOf(BigInt.asUintN(64, high - low));
    form.bits += width * mini.length + 16 + 8 * stepBytes;
    form.bytes += 2 + stepBytes + ((width * mini.length + 7) >> 3);
    base = low;
  }
  return form;
}

/** The first of the forms with the fewest bits. */
function shortest(forms: readonly Form[]): Form {
  return forms.reduce((best, form) => form.bits < best.bits ? form : best);
}

function shortestRun(run: readonly bigint[]): Form {
  return shortest([0, 1, 2].filter((order) => order < run.length).map((k) => packed(run, k)));
}

function bitsOf(value: number): bigint {
  return new BigUint64Array(Float64Array.of(value).buffer)[0]!;
}

function asBits(values: readonly number[]): bigint[] {
  const bits = values.map(bitsOf);
  let zeros = 0n;
  while (zeros < 52n && bits.every((v) => (v >> zeros & 1n) === 0n)) zeros++;
  return bits.map((v) => {
    const magnitude = BigInt.asUintN(63, v) >> zeros;
    return v >> 63n === 0n ? magnitude : -magnitude - 1n;
  });
}

/** The values times 10^k or 2^k, for the smallest k with which all are whole. */
function scaled(values: readonly number[], base: number, most: number): bigint[] | undefined {
  for (let k = 0; k <= most; k++) {
    const whole = values.map((v) => base === 2 ? v * base ** k : nearestEven(v * base ** k));
    const fits = values.every((v, i) =>
      Number.isInteger(whole[i]!) && Math.abs(whole[i]!) < 2 ** 53 && !Object.is(v, -0) &&
      Object.is(whole[i]! / base ** k, v)
    );
    if (fits) return whole.map(BigInt);
  }
  return undefined;
}

function nearestEven(v: number): number {
  const floor = Math.floor(v);
  const up = v - floor > 0.5 || (v - floor === 0.5 && floor % 2 !== 0);
  return up ? floor + 1 : floor;
}

/** Bytes of the block of some points. */
export function blockSize({ times, values }: RawColumns): number {
  const numbers = [...values];
  const runs = [asBits(numbers), scaled(numbers, 10, 12), scaled(numbers, 2, 60)];
  const forms = runs.flatMap((run) => run === undefined ? [] : [shortestRun(run)]);
  return 4 + shortestRun([...times]).bytes + 2 + shortest(forms).bytes;
}
