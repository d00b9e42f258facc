/**
 * Dictionaries of Parquet columns (parquet-format, Encodings.md, "Dictionary Encoding").
 *
 * @module
 */

import { freePage, freeValues } from "./page_memory.ts";
import { ByteDictionary, type DictionaryColumn } from "./parquet_byte_dictionary.ts";
import { arrayFor, asStored, type Dictionary, isNumber, openValues } from "./parquet_values.ts";

/** Bytes of the widest number, which is where arrays of any number may begin. */
const ALIGNMENT = 8;

/** Bytes that a dictionary takes whose page has some bytes, unpacked. */
export function dictionarySize(
  { element, from }: DictionaryColumn,
  bytes: number,
  count: number,
): number {
  if (isNumber(element)) return bytes;
  if (from.isDouble) return Float64Array.BYTES_PER_ELEMENT * count;
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
  const values = arrayFor(element, from, count);
  openValues({ encoding: "PLAIN", bytes, count, dictionary: undefined }, element, from)
    .take(values, 0, count);
  if (isOwn) freePage(bytes);
  return values;
}

/** Frees the memory of a dictionary. */
export function freeDictionary(dictionary: Dictionary): void {
  if (dictionary instanceof ByteDictionary) dictionary.free();
  else freeValues(dictionary);
}
