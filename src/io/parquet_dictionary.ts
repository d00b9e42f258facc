/**
 * Dictionaries of Parquet columns (parquet-format, Encodings.md, "Dictionary Encoding").
 *
 * @module
 */

import { freePage, freeValues } from "./page_memory.ts";
import { ByteDictionary, type DictionaryColumn } from "./parquet_byte_dictionary.ts";
import {
  arrayFor,
  asStored,
  type Dictionary,
  isNumber,
  openValues,
  RoundedDictionary,
  type ValueCursor,
} from "./parquet_values.ts";
import type { RoundedNumbers } from "./rounded_numbers.ts";

/** Bytes of the widest number, which is where arrays of any number may begin. */
const ALIGNMENT = 8;

/** Bytes that a dictionary takes whose page has some bytes, unpacked. */
export function dictionarySize(
  { element, from }: DictionaryColumn,
  bytes: number,
  count: number,
): number {
  if (isNumber(element)) return bytes;
  if (from.isDouble) return (Float64Array.BYTES_PER_ELEMENT + 1) * count;
  return ByteDictionary.size(bytes, count);
}

/**
 * Makes a dictionary of its page.
 *
 * @param bytes The page, whose values were counted.
 * @param count Number of values.
 * @param isOwn True if the page is in memory of its own, which the dictionary takes over.
 */
export function dictionaryOf(
  column: DictionaryColumn,
  bytes: Uint8Array,
  count: number,
  isOwn: boolean,
): Dictionary {
  const { element, from } = column;
  if (!isNumber(element) && !from.isDouble) {
    return new ByteDictionary(column, bytes, count, isOwn);
  }
  if (isOwn && bytes.byteOffset % ALIGNMENT === 0) {
    const stored = asStored(element, bytes, count);
    if (stored !== undefined) return stored;
  }
  const plain = { encoding: "PLAIN", bytes, count, dictionary: undefined };
  const cursor = openValues(plain, element, from);
  if (!isNumber(element) && from.rounded !== undefined) {
    const decimals = decimalsOf(cursor, count, from.rounded);
    if (isOwn) freePage(bytes);
    return decimals;
  }
  const values = arrayFor(element, from, count);
  cursor.take(values, 0, count);
  if (isOwn) freePage(bytes);
  return values;
}

/**
 * Doubles of a dictionary of decimals; with marks of those that were rounded, if there are any. They
 * are counted when they are taken, and not here.
 */
function decimalsOf(
  cursor: ValueCursor,
  count: number,
  rounded: RoundedNumbers,
): Float64Array | RoundedDictionary {
  const values = new Float64Array(count);
  const before = rounded.count;
  let marks: Uint8Array | undefined;
  for (let i = 0; i < count; i++) {
    cursor.take(values, i, 1);
    if (rounded.count === before) continue;
    marks ??= new Uint8Array(count);
    marks[i] = 1;
    rounded.count = before;
  }
  return marks === undefined ? values : new RoundedDictionary(values, marks, rounded);
}

/** Frees the memory of a dictionary. */
export function freeDictionary(dictionary: Dictionary): void {
  if (dictionary instanceof ByteDictionary) dictionary.free();
  else if (dictionary instanceof RoundedDictionary) freeValues(dictionary.values);
  else freeValues(dictionary);
}
