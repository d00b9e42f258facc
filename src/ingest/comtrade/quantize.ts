/**
 * Scales of channels that are written as integers.
 *
 * @module
 */

import type { ComtradeType } from "./configuration.ts";

/** Smallest and largest sample of each type that is no missing one. */
const LIMITS: Readonly<Record<ComtradeType, readonly [number, number]>> = {
  ASCII: [-99_999, 99_998],
  BINARY: [-32_767, 32_767],
  BINARY32: [-2_147_483_647, 2_147_483_647],
  FLOAT32: [-3.4028234663852886e38, 3.4028234663852886e38],
};

/** Integers and scale of a channel to write: value = `a` × sample + `b`. */
export interface Quantized {
  readonly a: number;
  readonly b: number;
  /** Smallest and largest sample. */
  readonly low: number;
  readonly high: number;
  /** True if samples are integers. */
  readonly isInteger: boolean;
  /** Largest difference between a value and what is read back. */
  readonly resolution: number;
}

/** The range of a channel's values. */
export class ChannelRange {
  #min = Infinity;
  #max = -Infinity;
  #isInteger = true;

  /** Takes values; those that are no finite numbers are missing ones. */
  push(values: Float64Array): void {
    for (const value of values) {
      if (value - value !== 0) continue;
      if (value < this.#min) this.#min = value;
      if (value > this.#max) this.#max = value;
      if (this.#isInteger && !Number.isInteger(value)) this.#isInteger = false;
    }
  }

  /**
   * The scale for a type.
   *
   * @throws {RangeError} If values are beyond it.
   */
  quantize(type: ComtradeType): Quantized {
    const [low, high] = LIMITS[type];
    const [min, max] = this.#min > this.#max ? [0, 0] : [this.#min, this.#max];
    if (type === "FLOAT32") {
      if (min < low || max > high) {
        throw new RangeError(`Cannot write COMTRADE: ${min < low ? min : max} is beyond float32`);
      }
      const resolution = Math.max(Math.abs(min), Math.abs(max)) * 2 ** -24;
      return { a: 1, b: 0, low, high, isInteger: false, resolution };
    }
    const range = { low, high, isInteger: true };
    if (this.#isInteger && min >= low && max <= high) {
      return { a: 1, b: 0, ...range, resolution: 0 };
    }
    const b = min / 2 + max / 2;
    if (min === max) return { a: 1, b, ...range, resolution: 0 };
    const a = (max / 2 - min / 2) / Math.min(high, -low);
    if (!(a > 0)) return { a: Number.MIN_VALUE, b, ...range, resolution: max - min };
    return { a, b, ...range, resolution: a / 2 };
  }
}

/**
 * The sample of a value.
 *
 * @throws {RangeError} If the value is beyond the scale: it was not there when that was made.
 */
export function sampleOf(value: number, { a, b, low, high }: Quantized): number {
  const sample = Math.round((value - b) / a);
  if (sample >= low && sample <= high) return sample;
  if (sample < low - 1 || sample > high + 1) {
    throw new RangeError("Cannot write COMTRADE: the streams changed while they were read");
  }
  return sample < low ? low : high;
}
