/**
 * Checksums of sets of points that do not depend on the order of equal times.
 *
 * @module
 */

import type { RawColumns } from "../../../mod.ts";

/**
 * A sum, modulo 2^64, of a hash of each point: equal for two sets of points only if they are the
 * same, apart from one chance in 2^64, and independent of their order.
 */
export class PointChecksum {
  #low = 0;
  #high = 0;
  #count = 0;

  /** Points seen. */
  get count(): number {
    return this.#count;
  }

  /** Adds points. */
  add({ times, values }: RawColumns): void {
    const n = times.length;
    const [low, high] = sumHashes(words(times), words(values), n);
    this.#low = (this.#low + low) | 0;
    this.#high = (this.#high + high) | 0;
    this.#count += n;
  }

  /** 16 hexadecimal digits. */
  toString(): string {
    const hex = (n: number): string => (n >>> 0).toString(16).padStart(8, "0");
    return hex(this.#high) + hex(this.#low);
  }
}

function words(column: BigInt64Array | Float64Array): Int32Array {
  return new Int32Array(column.buffer, column.byteOffset, 2 * column.length);
}

/** Two 32-bit sums with the mixing of MurmurHash3 (Appleby, 2011), with different seeds. */
function sumHashes(times: Int32Array, values: Int32Array, n: number): [number, number] {
  let low = 0;
  let high = 0;
  for (let i = 0; i < 2 * n; i += 2) {
    const a = times[i]!, b = times[i + 1]!, c = values[i]!, d = values[i + 1]!;
    let h = mix(mix(mix(mix(0x9747b28c, a), b), c), d);
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    low = (low + (h ^ (h >>> 16))) | 0;
    let g = mix(mix(mix(mix(0x3c6ef372, d), c), b), a);
    g = Math.imul(g ^ (g >>> 16), 0x85ebca6b);
    g = Math.imul(g ^ (g >>> 13), 0xc2b2ae35);
    high = (high + (g ^ (g >>> 16))) | 0;
  }
  return [low, high];
}

function mix(h: number, word: number): number {
  let k = Math.imul(word, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  h ^= k;
  return (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0;
}
