/**
 * Dictionaries of values of Parquet that are bytes.
 *
 * @module
 */

import type { SchemaElement } from "hyparquet";
import { freePage, freeValues } from "./page_memory.ts";
import { byteWidth, type FromBytes } from "./parquet_bytes.ts";

/** Bytes of the length before a text in PLAIN encoding. */
const LENGTH_BYTES = 4;

/** The column of a dictionary. */
export interface DictionaryColumn {
  readonly element: SchemaElement;
  /** Makes values of bytes, where they are not numbers. */
  readonly from: FromBytes;
}

/** A dictionary of values that are bytes, each made when it is wanted: as objects they are long. */
export class ByteDictionary {
  /** Number of values. */
  readonly length: number;
  readonly #bytes: Uint8Array;
  readonly #from: FromBytes;
  /** Beginnings of the values, and where the next one would begin. */
  readonly #starts: Uint32Array;
  /** Bytes of the length before each value. */
  readonly #head: number;

  readonly #isOwn: boolean;

  /**
   * @param bytes Its page, whose lengths were checked.
   * @param count Number of values.
   * @param isOwn True if the page is in memory of its own, which goes with the dictionary.
   */
  constructor(
    { element, from }: DictionaryColumn,
    bytes: Uint8Array,
    count: number,
    isOwn: boolean,
  ) {
    this.#isOwn = isOwn;
    const width = byteWidth(element);
    this.length = count;
    this.#bytes = bytes;
    this.#from = from;
    this.#head = width === 0 ? LENGTH_BYTES : 0;
    this.#starts = new Uint32Array(count + 1);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0, at = 0; i < count; i++) {
      at += width === 0 ? LENGTH_BYTES + view.getUint32(at, true) : width;
      this.#starts[i + 1] = at;
    }
  }

  /** Bytes that one takes whose page has some bytes. */
  static size(bytes: number, count: number): number {
    return bytes + Uint32Array.BYTES_PER_ELEMENT * (count + 1);
  }

  /** A value. */
  at(index: number): unknown {
    const start = this.#starts[index]! + this.#head;
    return this.#from.read(this.#bytes.subarray(start, this.#starts[index + 1]));
  }

  /** Frees its memory. */
  free(): void {
    if (this.#isOwn) freePage(this.#bytes);
    freeValues(this.#starts);
  }
}
