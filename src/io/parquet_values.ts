/**
 * Numbers in Parquet pages, unpacked in pieces (parquet-format, Encodings.md): a page of a few bytes
 * may hold millions of them.
 *
 * @module
 */

import type { SchemaElement } from "hyparquet";
import { RangeReader, RunCursor } from "./parquet_runs.ts";

/** Unpacked numbers; booleans are 0 and 1. */
export type ParquetNumbers =
  | Uint8Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/** Values that are there of one page, in their order. */
export interface ValueCursor {
  /** Unpacks the next `n` to `out`, from `at` on. */
  take(out: ParquetNumbers, at: number, n: number): void;
}

/** Bytes of a page behind its levels. */
export interface PageValues {
  readonly encoding: string;
  readonly bytes: Uint8Array;
  /** Number of values that are there. */
  readonly count: number;
  readonly dictionary: ParquetNumbers | undefined;
}

const ENCODINGS = [
  "PLAIN",
  "PLAIN_DICTIONARY",
  "RLE_DICTIONARY",
  "RLE",
  "DELTA_BINARY_PACKED",
  "BYTE_STREAM_SPLIT",
];

/** Tells whether values of a column can be unpacked here. */
export function hasNumbers({ type }: SchemaElement, encodings: readonly string[]): boolean {
  if (!/^(BOOLEAN|INT32|INT64|FLOAT|DOUBLE)$/.test(type ?? "")) return false;
  return encodings.every((encoding) =>
    ENCODINGS.includes(encoding) && (encoding !== "RLE" || type === "BOOLEAN") &&
    (encoding !== "DELTA_BINARY_PACKED" || /^INT/.test(type!)) &&
    (encoding !== "BYTE_STREAM_SPLIT" || type !== "BOOLEAN")
  );
}

/** Makes an array for the numbers of a column. */
export function numbersOf(element: SchemaElement, length: number): ParquetNumbers {
  const { type, converted_type: converted, logical_type: logical } = element;
  const isUnsigned = (bits: number): boolean =>
    converted === `UINT_${bits}` ||
    logical?.type === "INTEGER" && logical.bitWidth === bits && !logical.isSigned;
  if (type === "DOUBLE") return new Float64Array(length);
  if (type === "FLOAT") return new Float32Array(length);
  if (type === "BOOLEAN") return new Uint8Array(length);
  if (type === "INT32") return isUnsigned(32) ? new Uint32Array(length) : new Int32Array(length);
  return isUnsigned(64) ? new BigUint64Array(length) : new BigInt64Array(length);
}

/** Begins to unpack the values of a page. */
export function openValues(page: PageValues): ValueCursor {
  const { encoding, bytes, dictionary } = page;
  const reader = new RangeReader(bytes, 0, bytes.length);
  if (encoding === "RLE") return new BooleanCursor(new RunCursor(reader.part(reader.uint32()), 1));
  if (encoding === "PLAIN") return new PlainCursor(bytes);
  if (encoding === "BYTE_STREAM_SPLIT") return new SplitCursor(bytes, page.count);
  if (encoding === "DELTA_BINARY_PACKED") return new DeltaCursor(reader);
  if (dictionary === undefined) throw damaged("indices and no dictionary");
  return new DictionaryCursor(new RunCursor(reader, reader.byte()), dictionary);
}

class PlainCursor implements ValueCursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  take(out: ParquetNumbers, at: number, n: number): void {
    if (out instanceof Uint8Array) {
      for (let i = at; i < at + n; i++, this.#at++) {
        out[i] = this.#bytes[this.#at >>> 3]! >>> (this.#at & 7) & 1;
      }
      return;
    }
    const size = n * out.BYTES_PER_ELEMENT;
    bytesOf(out, at, n).set(this.#bytes.subarray(this.#at, this.#at + size));
    this.#at += size;
  }
}

/** The first bytes of all values, then the second ones, and so on. */
class SplitCursor implements ValueCursor {
  readonly #bytes: Uint8Array;
  readonly #count: number;
  #at = 0;

  constructor(bytes: Uint8Array, count: number) {
    this.#bytes = bytes;
    this.#count = count;
  }

  take(out: ParquetNumbers, at: number, n: number): void {
    const width = out.BYTES_PER_ELEMENT;
    const to = bytesOf(out, at, n);
    for (let byte = 0; byte < width; byte++) {
      const from = byte * this.#count + this.#at;
      for (let i = 0; i < n; i++) to[i * width + byte] = this.#bytes[from + i]!;
    }
    this.#at += n;
  }
}

class BooleanCursor implements ValueCursor {
  readonly #runs: RunCursor;

  constructor(runs: RunCursor) {
    this.#runs = runs;
  }

  take(out: ParquetNumbers, at: number, n: number): void {
    this.#runs.each(
      n,
      (value, i, count) => (out as Uint8Array).fill(value, at + i, at + i + count),
    );
  }
}

class DictionaryCursor implements ValueCursor {
  readonly #runs: RunCursor;
  readonly #dictionary: ParquetNumbers;

  constructor(runs: RunCursor, dictionary: ParquetNumbers) {
    this.#runs = runs;
    this.#dictionary = dictionary;
  }

  take(out: ParquetNumbers, at: number, n: number): void {
    // Both are of the same type.
    const [to, dictionary] = [out as Float64Array, this.#dictionary as Float64Array];
    this.#runs.each(n, (index, i, count) => {
      if (index >= dictionary.length) {
        throw damaged(`index ${index} of ${dictionary.length} values`);
      }
      const value = dictionary[index]!;
      if (count === 1) to[at + i] = value;
      else to.fill(value, at + i, at + i + count);
    });
  }
}

/** Differences, in blocks of miniblocks of as many bits each as its largest one needs. */
class DeltaCursor implements ValueCursor {
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

  constructor(reader: RangeReader) {
    this.#reader = reader;
    const block = reader.varint();
    this.#miniblocks = reader.varint();
    this.#perMiniblock = block / this.#miniblocks;
    reader.varint();
    this.#value = zigzag(reader);
  }

  take(out: ParquetNumbers, at: number, n: number): void {
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
  }

  #take(bits: number): number {
    while (this.#held < bits) {
      this.#word += this.#reader.byte() * 2 ** this.#held;
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

function bytesOf(out: ParquetNumbers, at: number, n: number): Uint8Array {
  const width = out.BYTES_PER_ELEMENT;
  return new Uint8Array(out.buffer, out.byteOffset + at * width, n * width);
}

function damaged(what: string): RangeError {
  return new RangeError(`Cannot read Parquet: ${what}; the file is damaged`);
}
