/**
 * Values of Parquet that are bytes: texts, decimals and halves of any length, and times of 96 bits
 * (parquet-format, Encodings.md and LogicalTypes.md), unpacked in pieces.
 *
 * @module
 */

import type { SchemaElement } from "hyparquet";
import { DeltaCursor } from "./parquet_delta.ts";
import { RangeReader } from "./parquet_runs.ts";
import type { RoundedNumbers } from "./rounded_numbers.ts";

/** Makes a value of its bytes. */
export interface FromBytes {
  /** True if it makes doubles: a column of those takes a quarter of the memory of objects. */
  readonly isDouble: boolean;
  /** Counts values that no double holds, where they are decimals. */
  readonly rounded?: RoundedNumbers;
  /** The value. */
  read(bytes: Uint8Array): unknown;
}

/** Bytes of a text that are read: no time is longer, and more is not wanted of any. */
const MAX_TEXT_BYTES = 256;

/** Days from the beginning of Julian days to 1970, and the ns of one. */
const JULIAN_1970 = 2_440_588n;
const DAY_NS = 86_400_000_000_000n;

/** Encodings of values of a fixed length, and of texts. */
const FIXED = ["PLAIN", "PLAIN_DICTIONARY", "RLE_DICTIONARY", "BYTE_STREAM_SPLIT"];
const TEXTS = [
  "PLAIN",
  "PLAIN_DICTIONARY",
  "RLE_DICTIONARY",
  "DELTA_LENGTH_BYTE_ARRAY",
  "DELTA_BYTE_ARRAY",
];

/** Tells whether values that are bytes can be unpacked from an encoding. */
export function isByteEncoding({ type }: SchemaElement, encoding: string): boolean {
  if (type === "BYTE_ARRAY") return TEXTS.includes(encoding);
  if (type === "FIXED_LEN_BYTE_ARRAY") return [...FIXED, "DELTA_BYTE_ARRAY"].includes(encoding);
  return type === "INT96" && FIXED.slice(0, 3).includes(encoding);
}

/** Bytes of each value; 0 where they are as long as they say. */
export function byteWidth({ type, type_length }: SchemaElement): number {
  return type === "INT96" ? 12 : type === "BYTE_ARRAY" ? 0 : type_length ?? 0;
}

const DECODER = new TextDecoder();

/** A text of which the end is left out where it is long. */
export function textFrom(bytes: Uint8Array): string {
  const isLong = bytes.length > MAX_TEXT_BYTES;
  const text = DECODER.decode(isLong ? bytes.subarray(0, MAX_TEXT_BYTES) : bytes);
  return isLong ? `${text}…` : text;
}

/** A signed integer of any length, the most significant byte first. */
export function integerFrom(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = value << 8n | BigInt(byte);
  return BigInt.asIntN(8 * bytes.length, value);
}

/** A number of 16 bits, of IEEE 754. */
export function halfFrom(bytes: Uint8Array): number {
  const [low, high] = [bytes[0]!, bytes[1]!];
  const sign = high >> 7 === 1 ? -1 : 1;
  const exponent = high >> 2 & 0x1f;
  const fraction = (high & 3) << 8 | low;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}

/** Days and ns of one, as ns since 1970. */
export function int96From(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 12);
  const days = BigInt(view.getInt32(8, true)) - JULIAN_1970;
  return days * DAY_NS + view.getBigInt64(0, true);
}

/** Bytes of the values of a page, one after the other. */
export interface ByteValues {
  /** The bytes of the next value, for a moment. */
  next(): Uint8Array;
  /** Passes over values. */
  skip(n: number): void;
}

/**
 * Begins to unpack the values of a page.
 *
 * @param bytes The page behind its levels, looked through by {@linkcode checkByteValues}.
 * @param count Number of values that are there.
 */
export function byteValues(
  element: SchemaElement,
  encoding: string,
  bytes: Uint8Array,
  count: number,
): ByteValues {
  const width = byteWidth(element);
  const reader = new RangeReader(bytes, 0, bytes.length);
  if (encoding === "BYTE_STREAM_SPLIT") return split(bytes, width, count);
  if (encoding === "PLAIN" && width > 0) {
    return { next: () => reader.bytes(width), skip: (n) => reader.part(n * width) };
  }
  if (encoding === "PLAIN") return oneByOne(() => reader.bytes(reader.uint32()));
  if (encoding === "DELTA_LENGTH_BYTE_ARRAY") {
    const lengths = DeltaCursor.all(reader, count);
    let at = 0;
    return oneByOne(() => reader.bytes(lengths[at++]!));
  }
  const [prefixes, suffixes] = [DeltaCursor.all(reader, count), DeltaCursor.all(reader, count)];
  let at = 0;
  let last = new Uint8Array(0);
  return oneByOne(() => {
    const prefix = prefixes[at]!;
    const suffix = reader.bytes(suffixes[at++]!);
    const value = new Uint8Array(prefix + suffix.length);
    value.set(last.subarray(0, prefix));
    value.set(suffix, prefix);
    return last = value;
  });
}

function oneByOne(next: () => Uint8Array): ByteValues {
  return {
    next,
    skip: (n) => {
      for (let i = 0; i < n; i++) next();
    },
  };
}

function split(bytes: Uint8Array, width: number, count: number): ByteValues {
  let at = 0;
  return {
    next: () => {
      const value = Uint8Array.from({ length: width }, (_, k) => bytes[k * count + at]!);
      at++;
      return value;
    },
    skip: (n) => {
      at += n;
    },
  };
}

/**
 * Checks the lengths of the values of a page.
 *
 * @param page Its bytes behind the levels.
 * @param n Number of values that are there.
 * @param most Most bytes of all of them.
 * @throws {RangeError} If they are longer than their page, or unpack to more.
 */
export function checkByteValues(
  element: SchemaElement,
  encoding: string,
  page: RangeReader,
  n: number,
  most: number,
): void {
  const width = byteWidth(element);
  if (encoding === "PLAIN" && width === 0) {
    for (let i = 0; i < n; i++) page.part(page.uint32());
  } else if (encoding === "PLAIN" || encoding === "BYTE_STREAM_SPLIT") page.part(n * width);
  else if (encoding === "DELTA_LENGTH_BYTE_ARRAY") {
    for (const length of DeltaCursor.all(page, n)) page.part(length);
  } else if (encoding === "DELTA_BYTE_ARRAY") {
    const [prefixes, suffixes] = [DeltaCursor.all(page, n), DeltaCursor.all(page, n)];
    let last = 0;
    let all = 0;
    for (let i = 0; i < n; i++) {
      page.part(suffixes[i]!);
      if (prefixes[i]! < 0 || prefixes[i]! > last) {
        throw damaged("a text begins with more than the last");
      }
      last = prefixes[i]! + suffixes[i]!;
      all += last;
      if (width !== 0 && last !== width) throw damaged(`a value of ${last} bytes, not ${width}`);
      if (all > most) throw damaged(`a page whose texts have more than ${most} bytes`);
    }
  }
}

function damaged(what: string): RangeError {
  return new RangeError(`Cannot read Parquet: ${what}; the file is damaged`);
}
