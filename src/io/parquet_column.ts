/**
 * Columns of Parquet files, read in pieces of pages.
 *
 * @module
 */

import type { AsyncBuffer, PageHeader } from "hyparquet";
import { dictionaryOf, dictionarySize, freeDictionary } from "./parquet_dictionary.ts";
import { freePage } from "./page_memory.ts";
import { startOf } from "./parquet_metadata.ts";
import { type ColumnChunkPages, readHeader, type Unpack } from "./parquet_pages.ts";
import { RangeReader, readRuns, RunCursor } from "./parquet_runs.ts";
import {
  arrayFor,
  type Dictionary,
  isNumber,
  openValues,
  type ParquetValues,
  type ValueCursor,
} from "./parquet_values.ts";

/** Values that are passed over at a time. */
const SKIPPED = 65_536;

/** A page that is being read. */
interface OpenPage {
  /** Rows that are left. */
  left: number;
  /** Bytes it holds. */
  readonly bytes: number;
  /** The memory that was unpacked for it alone. */
  readonly own: Uint8Array | undefined;
  /** 1 for rows with a value, 0 for null; absent: all have one. */
  readonly levels: RunCursor | undefined;
  readonly values: ValueCursor;
}

/** A column of one row group, whose pages were checked. */
export class ParquetColumn {
  /** Most bytes that {@linkcode held} can be. */
  readonly mostHeld: number;
  readonly #file: AsyncBuffer;
  readonly #chunk: ColumnChunkPages;
  readonly #unpack: Unpack | undefined;
  #dictionary: Dictionary | undefined;
  #dictionaryBytes = 0;
  /** Position of the next page in the file. */
  #at: number;
  /** Next row. */
  #row = 0;
  #page: OpenPage | undefined;

  /**
   * @param file The file.
   * @param chunk The column.
   * @param unpack Unpacks a page; absent: pages are not compressed.
   * @param mostHeld Bytes of its dictionary and its longest page.
   */
  constructor(
    file: AsyncBuffer,
    chunk: ColumnChunkPages,
    unpack: Unpack | undefined,
    mostHeld: number,
  ) {
    this.mostHeld = mostHeld;
    this.#file = file;
    this.#chunk = chunk;
    this.#unpack = unpack;
    this.#at = startOf(chunk.meta);
  }

  /** True if its values are numbers, and not bytes of which something is made. */
  get isOfNumbers(): boolean {
    return isNumber(this.#chunk.element);
  }

  /** Bytes of the page and the dictionary that are kept for the next rows. */
  get held(): number {
    return (this.#page?.bytes ?? 0) + this.#dictionaryBytes;
  }

  /** Gives back what is kept: the next rows are looked for from the beginning. */
  release(): void {
    this.#at = startOf(this.#chunk.meta);
    this.#row = 0;
    this.#drop();
    if (this.#dictionary !== undefined) freeDictionary(this.#dictionary);
    this.#dictionary = undefined;
    this.#dictionaryBytes = 0;
  }

  /**
   * Reads rows.
   *
   * @param from The first one, counted in the row group.
   * @param n Number of them, all in the row group.
   * @returns Their values; where some are null, NaN or an array that has null.
   */
  async read(from: number, n: number): Promise<ArrayLike<unknown>> {
    if (from < this.#row) this.release();
    const { element } = this.#chunk;
    while (this.#row < from) {
      const page = await this.#open(from - this.#row);
      if (page === undefined) continue;
      const count = Math.min(page.left, from - this.#row, SKIPPED);
      this.#pass(page, count);
    }
    const out = arrayFor(element, this.#chunk.from, n);
    const isOptional = element.repetition_type === "OPTIONAL";
    const present = isOptional ? new Uint8Array(n) : undefined;
    let nulls = 0;
    for (let at = 0; at < n;) {
      const page = (await this.#open(0))!;
      const count = Math.min(page.left, n - at);
      nulls += this.#take(page, out, present, at, count);
      at += count;
    }
    if (this.#page?.left === 0) this.#drop();
    return nulls === 0 ? out : withNulls(out, present!);
  }

  /** Ends the page that is being read. */
  #drop(): void {
    if (this.#page?.own !== undefined) freePage(this.#page.own);
    this.#page = undefined;
  }

  /** The page of the next row; `undefined` where a page of at most `skip` rows was passed over. */
  async #open(skip: number): Promise<OpenPage | undefined> {
    while (this.#page === undefined || this.#page.left === 0) {
      this.#drop();
      const end = startOf(this.#chunk.meta) + Number(this.#chunk.meta.total_compressed_size);
      const { header, length } = await readHeader(this.#file, this.#at, end);
      const from = this.#at + length;
      this.#at = from + header.compressed_page_size;
      const rows = (header.data_page_header ?? header.data_page_header_v2)?.num_values ?? 0;
      if (header.type !== "DICTIONARY_PAGE" && rows <= skip) {
        this.#row += rows;
        return undefined;
      }
      const bytes = new Uint8Array(await this.#file.slice(from, this.#at));
      if (header.type === "DICTIONARY_PAGE") this.#readDictionary(header, bytes);
      else if (header.data_page_header !== undefined) this.#page = this.#pageOf(header, bytes);
      else this.#page = this.#pageOfV2(header, bytes);
    }
    return this.#page;
  }

  #readDictionary(header: PageHeader, compressed: Uint8Array): void {
    const bytes = this.#unpacked(compressed, header.uncompressed_page_size);
    const { num_values: count } = header.dictionary_page_header!;
    this.#dictionaryBytes = dictionarySize(this.#chunk, header.uncompressed_page_size, count);
    this.#dictionary = dictionaryOf(this.#chunk, bytes, count, bytes !== compressed);
  }

  #pageOf(header: PageHeader, compressed: Uint8Array): OpenPage {
    const { num_values: left, encoding } = header.data_page_header!;
    const bytes = this.#unpacked(compressed, header.uncompressed_page_size);
    const reader = new RangeReader(bytes, 0, bytes.length);
    const hasLevels = this.#chunk.element.repetition_type === "OPTIONAL";
    const size = hasLevels ? reader.uint32() : 0;
    const levels = hasLevels ? new RunCursor(reader.part(size), 1) : undefined;
    const head = hasLevels ? 4 + size : 0;
    const present = hasLevels ? readRuns(new RangeReader(bytes, 4, head), 1, left, 2).ones : left;
    const own = bytes === compressed ? undefined : bytes;
    return this.#pageWith(bytes.subarray(head), { left, present, encoding, levels, own });
  }

  #pageOfV2(header: PageHeader, compressed: Uint8Array): OpenPage {
    const v2 = header.data_page_header_v2!;
    const from = v2.repetition_levels_byte_length;
    const head = from + v2.definition_levels_byte_length;
    const hasLevels = this.#chunk.element.repetition_type === "OPTIONAL";
    // Of their own, so that the bytes behind them can go.
    const levels = hasLevels
      ? new RunCursor(new RangeReader(compressed.slice(0, head), from, head), 1)
      : undefined;
    const rest = compressed.subarray(head);
    const bytes = v2.is_compressed === false
      ? rest
      : this.#unpacked(rest, header.uncompressed_page_size - head);
    const { num_values: left, encoding } = v2;
    const own = bytes === rest ? undefined : bytes;
    return this.#pageWith(bytes, { left, present: left - v2.num_nulls, encoding, levels, own });
  }

  #pageWith(
    bytes: Uint8Array,
    page: Pick<OpenPage, "left" | "levels" | "own"> & { present: number; encoding: string },
  ): OpenPage {
    const { left, present: count, encoding, levels, own } = page;
    // Nulls alone may have no bytes at all.
    const dictionary = this.#dictionary;
    const values = bytes.length === 0
      ? NOTHING
      : openValues({ encoding, bytes, count, dictionary }, this.#chunk.element, this.#chunk.from);
    return { left, bytes: own?.length ?? bytes.buffer.byteLength, own, levels, values };
  }

  #unpacked(bytes: Uint8Array, length: number): Uint8Array {
    if (this.#unpack === undefined) return bytes;
    const page = this.#unpack(bytes, length);
    if (page.length === length) return page;
    throw new RangeError(
      `Cannot read Parquet: a page unpacks to ${page.length} bytes of ${length}; the file is damaged`,
    );
  }

  /** Passes over rows. */
  #pass(page: OpenPage, n: number): void {
    let there = page.levels === undefined ? n : 0;
    page.levels?.each(n, (level, _, count) => {
      there += level * count;
    });
    if (page.values.skip !== undefined) page.values.skip(there);
    else if (there > 0) {
      page.values.take(arrayFor(this.#chunk.element, this.#chunk.from, there), 0, there);
    }
    page.left -= n;
    this.#row += n;
  }

  /** Takes values to where they belong; number of nulls. */
  #take(
    page: OpenPage,
    out: ParquetValues,
    present: Uint8Array | undefined,
    at: number,
    n: number,
  ): number {
    let there = n;
    const marks = page.levels === undefined
      ? undefined
      : present?.subarray(at, at + n) ?? new Uint8Array(n);
    if (marks !== undefined) {
      there = 0;
      page.levels!.each(n, (level, i, count) => {
        marks.fill(level, i, i + count);
        there += level * count;
      });
    }
    if (there > 0) page.values.take(out, at, there);
    if (there < n) {
      for (let i = n - 1, from = there - 1; i >= 0 && from < i; i--) {
        if (marks![i] === 1) out[at + i] = out[at + from--]!;
      }
    }
    page.left -= n;
    this.#row += n;
    return n - there;
  }
}

const NOTHING: ValueCursor = {
  take: () => {
    throw new RangeError("Cannot read Parquet: a page has no values; the file is damaged");
  },
};

function withNulls(values: ParquetValues, present: Uint8Array): ArrayLike<unknown> {
  if (values instanceof Float64Array || values instanceof Float32Array) {
    for (let i = 0; i < values.length; i++) if (present[i] === 0) values[i] = NaN;
    return values;
  }
  return Array.from(present, (level, i) => level === 0 ? null : values[i]!);
}
