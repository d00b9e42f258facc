/**
 * Times at equal distances, handled as their halves of 32 bits: a bigint for each time would be an
 * object of its own for the collector of garbage.
 *
 * @module
 */

const HALF = 2 ** 32;

/** Integers of 64 bits as their halves, the lower one first. */
export function halvesOf({ buffer, byteOffset, length }: BigInt64Array): Int32Array {
  return new Int32Array(buffer, byteOffset, 2 * length);
}

/**
 * The end of the times from `from` on each of which is `step` ns after the one before.
 *
 * @param from Index of the first one.
 * @returns The first index behind it at which that is not so; the length if there is none.
 */
export function regularUntil(times: BigInt64Array, from: number, step: bigint): number {
  const halves = halvesOf(times), end = times.length;
  const stepLow = Number(BigInt.asUintN(32, step)), stepHigh = Number(step >> 32n);
  let at = from + 1;
  for (; at < end; at++) {
    const sum = (halves[2 * at - 2]! >>> 0) + stepLow;
    const carry = sum >= HALF ? 1 : 0;
    // A sum beyond 64 bits has an upper half that no time has.
    if ((halves[2 * at]! >>> 0) !== sum - carry * HALF) break;
    if (halves[2 * at + 1] !== halves[2 * at - 1]! + stepHigh + carry) break;
  }
  return at;
}

/** Fills a column with times from `start` on, each `step` ns after the one before. */
export function fillRegular(times: BigInt64Array, start: bigint, step: bigint): void {
  const halves = halvesOf(times);
  const stepLow = Number(BigInt.asUintN(32, step)), stepHigh = Number(step >> 32n);
  let low = Number(BigInt.asUintN(32, start)), high = Number(start >> 32n);
  for (let i = 0; i < halves.length; i += 2) {
    halves[i] = low;
    halves[i + 1] = high;
    low += stepLow;
    const carry = low >= HALF ? 1 : 0;
    low -= carry * HALF;
    high += stepHigh + carry;
  }
}
