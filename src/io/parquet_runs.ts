/**
 * Runs of small integers in Parquet pages (parquet-format, Encodings.md, "RLE / Bit-Packing Hybrid"),
 * looked at without unpacking them.
 *
 * @module
 */

/** Reads from a part of some bytes, and never beyond it. */
export class RangeReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, from: number, to: number) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#end - this.#at;
  }

  byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  uint32(): number {
    const at = this.#take(4);
    return new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, 4).getUint32(0, true);
  }

  /** An unsigned integer of up to 31 bits in groups of 7, the least significant first. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) {
        if (value < 2 ** 31) return value;
        break;
      }
    }
    throw new RangeError(
      "Cannot read Parquet: a number of a run is too large; the file is damaged",
    );
  }

  /** The next bytes. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** A reader that goes on from here, while this one stays. */
  copy(): RangeReader {
    return new RangeReader(this.#bytes, this.#at, this.#end);
  }

  /** The next bytes as a reader of their own. */
  part(length: number): RangeReader {
    const at = this.#take(length);
    return new RangeReader(this.#bytes, at, at + length);
  }

  #take(n: number): number {
    const at = this.#at;
    if (n < 0 || n > this.#end - at) {
      throw new RangeError("Cannot read Parquet: a page ends too early; the file is damaged");
    }
    this.#at = at + n;
    return at;
  }
}

/** Most values by which a writer fills up its last block: DuckDB writes 256 at a time. */
const MAX_FILLING = 1023;

/**
 * Reads the runs of `n` integers.
 *
 * @param bits Bits of each.
 * @param limit End of the values they may have, exclusive.
 * @returns Number of those that are 1.
 * @throws {RangeError} If the runs have fewer integers or, but for what fills up the last block,
 *   more, or one is too large.
 */
export function readRuns(
  reader: RangeReader,
  bits: number,
  n: number,
  limit: number,
): { ones: number } {
  let seen = 0;
  let ones = 0;
  const see = (value: number, count: number) => {
    if (value >= limit) {
      throw new RangeError(
        `Cannot read Parquet: ${value} among values below ${limit}; the file is damaged`,
      );
    }
    if (value === 1) ones += count;
  };
  while (seen < n) {
    const head = reader.varint();
    const count = (head & 1) === 1 ? (head >>> 1) * 8 : head >>> 1;
    const isTooLong = count - (n - seen) > ((head & 1) === 1 ? MAX_FILLING : 0);
    if (count === 0 || isTooLong) {
      throw new RangeError(
        `Cannot read Parquet: a run of ${count} where ${n - seen} are left; the file is damaged`,
      );
    }
    if ((head & 1) === 0) {
      let value = 0;
      for (let i = 0; i < bits; i += 8) value += reader.byte() * 2 ** i;
      see(value, count);
    } else {
      seePacked(reader.part((count / 8) * bits), bits, Math.min(count, n - seen), see);
    }
    seen += count;
  }
  return { ones };
}

function seePacked(
  reader: RangeReader,
  bits: number,
  n: number,
  see: (value: number, count: number) => void,
): void {
  let word = 0;
  let held = 0;
  const size = 2 ** bits;
  for (let i = 0; i < n; i++) {
    while (held < bits) {
      word += reader.byte() * 2 ** held;
      held += 8;
    }
    const value = word % size;
    word = (word - value) / size;
    held -= bits;
    see(value, 1);
  }
}

/** Unpacks runs in pieces, after {@linkcode readRuns} has found nothing wrong with them. */
export class RunCursor {
  readonly #reader: RangeReader;
  readonly #bits: number;
  #left = 0;
  #value = 0;
  /** Bytes of a run of different values; absent: all are the same. */
  #series: RangeReader | undefined;
  #word = 0;
  #held = 0;

  /** @param bits Bits of each integer; 0: all are 0, and nothing is read. */
  constructor(reader: RangeReader, bits: number) {
    this.#reader = reader;
    this.#bits = bits;
    if (bits === 0) this.#left = Infinity;
  }

  /**
   * Unpacks the next `n`.
   *
   * @param see Called with a value, how many of the `n` are before it, and how often it follows.
   */
  each(n: number, see: (value: number, at: number, count: number) => void): void {
    for (let at = 0; at < n;) {
      if (this.#left === 0) this.#begin();
      const count = Math.min(n - at, this.#left);
      if (this.#series === undefined) see(this.#value, at, count);
      else for (let i = 0; i < count; i++) see(this.#next(this.#series), at + i, 1);
      this.#left -= count;
      at += count;
    }
  }

  #begin(): void {
    const head = this.#reader.varint();
    this.#left = (head & 1) === 1 ? (head >>> 1) * 8 : head >>> 1;
    this.#series = undefined;
    this.#value = this.#word = this.#held = 0;
    if (this.#left === 0) {
      throw new RangeError("Cannot read Parquet: a run of 0 values; the file is damaged");
    }
    if ((head & 1) === 1) this.#series = this.#reader.part((this.#left / 8) * this.#bits);
    else for (let i = 0; i < this.#bits; i += 8) this.#value += this.#reader.byte() * 2 ** i;
  }

  #next(series: RangeReader): number {
    while (this.#held < this.#bits) {
      this.#word += series.byte() * 2 ** this.#held;
      this.#held += 8;
    }
    const size = 2 ** this.#bits;
    const value = this.#word % size;
    this.#word = (this.#word - value) / size;
    this.#held -= this.#bits;
    return value;
  }
}
