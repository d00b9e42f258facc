/**
 * Numbers in Parquet pages, unpacked in pieces (parquet-format, Encodings.md): a page of a few bytes
 * may hold millions of them.
 *
 * @module
 */

import type { SchemaElement } from "hyparquet";
import { ByteDictionary } from "./parquet_byte_dictionary.ts";
import { type ByteValues, byteValues, type FromBytes, isByteEncoding } from "./parquet_bytes.ts";
import { DeltaCursor } from "./parquet_delta.ts";
import { RangeReader, RunCursor } from "./parquet_runs.ts";
import type { RoundedNumbers } from "./rounded_numbers.ts";

/** Unpacked numbers; booleans are 0 and 1. */
export type ParquetNumbers =
  | Uint8Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/** Unpacked values: numbers, or what is made of values that are bytes. */
export type ParquetValues = ParquetNumbers | unknown[];

/** Values to which indices point. */
export type Dictionary = ParquetValues | ByteDictionary | RoundedDictionary;

/** Doubles of decimals, some of which were rounded. */
export class RoundedDictionary {
  /** The doubles. */
  readonly values: Float64Array;
  /** 1 for those that were rounded. */
  readonly isRounded: Uint8Array;
  /** Counts those that are taken. */
  readonly rounded: RoundedNumbers;

  /** Takes the doubles and their marks as they are. */
  constructor(values: Float64Array, isRounded: Uint8Array, rounded: RoundedNumbers) {
    this.values = values;
    this.isRounded = isRounded;
    this.rounded = rounded;
  }
}

/** Values that are there of one page, in their order. */
export interface ValueCursor {
  /** Unpacks the next `n` to `out`, from `at` on. */
  take(out: ParquetValues, at: number, n: number): void;
  /** Passes over values; absent: they are taken to be passed over. */
  skip?(n: number): void;
}

/** Bytes of a page behind its levels. */
export interface PageValues {
  readonly encoding: string;
  readonly bytes: Uint8Array;
  /** Number of values that are there. */
  readonly count: number;
  readonly dictionary: Dictionary | undefined;
}

const ENCODINGS = [
  "PLAIN",
  "PLAIN_DICTIONARY",
  "RLE_DICTIONARY",
  "RLE",
  "DELTA_BINARY_PACKED",
  "BYTE_STREAM_SPLIT",
];

/** Tells whether values of a column are numbers, and not bytes of which something is made. */
export function isNumber({ type }: SchemaElement): boolean {
  return /^(BOOLEAN|INT32|INT64|FLOAT|DOUBLE)$/.test(type ?? "");
}

/** Tells whether values of a column can be unpacked from an encoding. */
export function isReadable(element: SchemaElement, encoding: string): boolean {
  const { type } = element;
  if (!isNumber(element)) return isByteEncoding(element, encoding);
  return ENCODINGS.includes(encoding) && (encoding !== "RLE" || type === "BOOLEAN") &&
    (encoding !== "DELTA_BINARY_PACKED" || /^INT/.test(type!)) &&
    (encoding !== "BYTE_STREAM_SPLIT" || type !== "BOOLEAN");
}

/**
 * Makes an array for the values of a column.
 *
 * @param from Makes values of bytes, where they are not numbers.
 */
export function arrayFor(
  element: SchemaElement,
  from: FromBytes,
  length: number,
): ParquetValues {
  if (!isNumber(element)) return from.isDouble ? new Float64Array(length) : new Array(length);
  const { type } = element;
  if (type === "DOUBLE") return new Float64Array(length);
  if (type === "FLOAT") return new Float32Array(length);
  if (type === "BOOLEAN") return new Uint8Array(length);
  if (type === "INT32") {
    return isUnsigned(element, 32) ? new Uint32Array(length) : new Int32Array(length);
  }
  return isUnsigned(element, 64) ? new BigUint64Array(length) : new BigInt64Array(length);
}

/**
 * Values in PLAIN encoding where they are, without a copy; `undefined` for those that are not stored
 * as an array has them.
 *
 * @param bytes Their bytes, which begin where an array of doubles may.
 */
export function asStored(
  element: SchemaElement,
  { buffer, byteOffset }: Uint8Array,
  count: number,
): ParquetNumbers | undefined {
  switch (isNumber(element) ? element.type : undefined) {
    case "DOUBLE":
      return new Float64Array(buffer, byteOffset, count);
    case "FLOAT":
      return new Float32Array(buffer, byteOffset, count);
    case "INT32":
      return isUnsigned(element, 32)
        ? new Uint32Array(buffer, byteOffset, count)
        : new Int32Array(buffer, byteOffset, count);
    case "INT64":
      return isUnsigned(element, 64)
        ? new BigUint64Array(buffer, byteOffset, count)
        : new BigInt64Array(buffer, byteOffset, count);
  }
  return undefined;
}

function isUnsigned(
  { converted_type: converted, logical_type: logical }: SchemaElement,
  bits: number,
): boolean {
  return converted === `UINT_${bits}` ||
    logical?.type === "INTEGER" && logical.bitWidth === bits && !logical.isSigned;
}

/**
 * Begins to unpack the values of a page.
 *
 * @param from Makes values of bytes, where they are not numbers.
 */
export function openValues(
  page: PageValues,
  element: SchemaElement,
  from: FromBytes,
): ValueCursor {
  const { encoding, bytes, dictionary, count } = page;
  const reader = new RangeReader(bytes, 0, bytes.length);
  if (encoding === "RLE") return new BooleanCursor(new RunCursor(reader.part(reader.uint32()), 1));
  const isIndex = encoding === "RLE_DICTIONARY" || encoding === "PLAIN_DICTIONARY";
  if (!isIndex && !isNumber(element)) {
    return new BytesCursor(byteValues(element, encoding, bytes, count), from);
  }
  if (encoding === "PLAIN") return new PlainCursor(bytes);
  if (encoding === "BYTE_STREAM_SPLIT") return new SplitCursor(bytes, count);
  if (encoding === "DELTA_BINARY_PACKED") return new DeltaCursor(reader);
  if (dictionary === undefined) throw damaged("indices and no dictionary");
  const runs = new RunCursor(reader, reader.byte());
  if (dictionary instanceof ByteDictionary) return new ByteDictionaryCursor(runs, dictionary);
  return dictionary instanceof RoundedDictionary
    ? new RoundedDictionaryCursor(runs, dictionary)
    : new DictionaryCursor(runs, dictionary);
}

class BytesCursor implements ValueCursor {
  readonly #values: ByteValues;
  readonly #from: FromBytes;

  constructor(values: ByteValues, from: FromBytes) {
    this.#values = values;
    this.#from = from;
  }

  take(out: unknown[], at: number, n: number): void {
    for (let i = at; i < at + n; i++) out[i] = this.#from.read(this.#values.next());
  }

  skip(n: number): void {
    this.#values.skip(n);
  }
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
  readonly #dictionary: ParquetValues;

  constructor(runs: RunCursor, dictionary: ParquetValues) {
    this.#runs = runs;
    this.#dictionary = dictionary;
  }

  take(out: ParquetValues, at: number, n: number): void {
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

class RoundedDictionaryCursor implements ValueCursor {
  readonly #runs: RunCursor;
  readonly #dictionary: RoundedDictionary;

  constructor(runs: RunCursor, dictionary: RoundedDictionary) {
    this.#runs = runs;
    this.#dictionary = dictionary;
  }

  take(out: ParquetValues, at: number, n: number): void {
    const { values, isRounded, rounded } = this.#dictionary;
    this.#runs.each(n, (index, i, count) => {
      if (index >= values.length) throw damaged(`index ${index} of ${values.length} values`);
      (out as Float64Array).fill(values[index]!, at + i, at + i + count);
      rounded.count += isRounded[index]! * count;
    });
  }

  skip(n: number): void {
    this.#runs.each(n, () => {});
  }
}

class ByteDictionaryCursor implements ValueCursor {
  readonly #runs: RunCursor;
  readonly #dictionary: ByteDictionary;

  constructor(runs: RunCursor, dictionary: ByteDictionary) {
    this.#runs = runs;
    this.#dictionary = dictionary;
  }

  take(out: unknown[], at: number, n: number): void {
    const { length } = this.#dictionary;
    this.#runs.each(n, (index, i, count) => {
      if (index >= length) throw damaged(`index ${index} of ${length} values`);
      out.fill(this.#dictionary.at(index), at + i, at + i + count);
    });
  }

  skip(n: number): void {
    this.#runs.each(n, () => {});
  }
}

function bytesOf(out: ParquetNumbers, at: number, n: number): Uint8Array {
  const width = out.BYTES_PER_ELEMENT;
  return new Uint8Array(out.buffer, out.byteOffset + at * width, n * width);
}

function damaged(what: string): RangeError {
  return new RangeError(`Cannot read Parquet: ${what}; the file is damaged`);
}
