/**
 * Differences in Parquet pages (parquet-format, Encodings.md, "Delta Encoding").
 *
 * @module
 */

import type { RangeReader } from "./parquet_runs.ts";

/** Differences, in blocks of miniblocks of as many bits each as its largest one needs. */
export class DeltaCursor {
  readonly #reader: RangeReader;
  readonly #miniblocks: number;
  readonly #perMiniblock: number;
  #value: bigint;
  #isFirst = true;
  #least = 0n;
  #widths: number[] = [];
  #bits = 0;
  #left = 0;
  #word = 0;
  #held = 0;
  /** Bytes of the differences of a miniblock. */
  #series: RangeReader;

  constructor(reader: RangeReader) {
    this.#reader = this.#series = reader;
    const block = reader.varint();
    this.#miniblocks = reader.varint();
    this.#perMiniblock = block / this.#miniblocks;
    reader.varint();
    this.#value = zigzag(reader);
  }

  /**
   * Unpacks all differences of a page, and leaves the reader behind them.
   *
   * @param n Their number; nothing is read where it is 0.
   * @throws {RangeError} If there are not as many.
   */
  static all(reader: RangeReader, n: number): Int32Array {
    const out = new Int32Array(n);
    if (n === 0) return out;
    checkDelta(reader.copy(), n);
    new DeltaCursor(reader).take(out, 0, n);
    return out;
  }

  take(
    out: Int32Array | BigInt64Array | Uint32Array | BigUint64Array,
    at: number,
    n: number,
  ): void {
    const isSmall = out.BYTES_PER_ELEMENT === 4;
    for (let i = at; i < at + n; i++) {
      if (this.#isFirst) this.#isFirst = false;
      else {
        const difference = this.#difference();
        this.#value = BigInt.asIntN(64, this.#value + this.#least + difference);
      }
      // An array of the type keeps the low bits, as the format wants it.
      if (isSmall) (out as Int32Array)[i] = Number(BigInt.asIntN(32, this.#value));
      else (out as BigInt64Array)[i] = this.#value;
    }
  }

  #difference(): bigint {
    if (this.#left === 0) this.#begin();
    this.#left--;
    const bits = this.#bits;
    if (bits === 0) return 0n;
    if (bits <= 32) return BigInt(this.#take(bits));
    const low = this.#take(32);
    return BigInt(this.#take(bits - 32)) << 32n | BigInt(low);
  }

  #begin(): void {
    if (this.#widths.length === 0) {
      this.#least = zigzag(this.#reader);
      for (let i = 0; i < this.#miniblocks; i++) this.#widths.push(this.#reader.byte());
    }
    this.#bits = this.#widths.shift()!;
    if (this.#bits > 64) throw damaged(`differences of ${this.#bits} bits`);
    this.#left = this.#perMiniblock;
    this.#word = this.#held = 0;
    // The last one of a page is not filled up by all writers.
    const size = this.#perMiniblock / 8 * this.#bits;
    this.#series = this.#reader.part(Math.min(size, this.#reader.left));
  }

  #take(bits: number): number {
    while (this.#held < bits) {
      this.#word += this.#series.byte() * 2 ** this.#held;
      this.#held += 8;
    }
    const size = 2 ** bits;
    const value = this.#word % size;
    this.#word = (this.#word - value) / size;
    this.#held -= bits;
    return value;
  }
}

/** A signed integer of 64 bits in groups of 7, the least significant first. */
function zigzag(reader: RangeReader): bigint {
  let value = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = reader.byte();
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return BigInt.asIntN(64, value >> 1n ^ -(value & 1n));
  }
  throw damaged("a difference of more than 64 bits");
}

/**
 * Checks the head of differences: sizes of blocks, and the number of values.
 *
 * @throws {RangeError} If they are not `n`, or in blocks that no writer makes.
 */
export function checkDelta(reader: RangeReader, n: number): void {
  if (n === 0) return;
  const [block, miniblocks, count] = [reader.varint(), reader.varint(), reader.varint()];
  const isPossible = block > 0 && block <= 65_536 && block % 128 === 0 && miniblocks > 0 &&
    miniblocks <= block / 32 && (block / miniblocks) % 32 === 0;
  if (!isPossible || count !== n) {
    throw damaged(`differences of ${count} values in blocks of ${block} / ${miniblocks}, not ${n}`);
  }
}

function damaged(what: string): RangeError {
  return new RangeError(`Cannot read Parquet: ${what}; the file is damaged`);
}
