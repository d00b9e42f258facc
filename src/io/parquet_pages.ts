/**
 * Checks of the pages of a Parquet column before they are unpacked. The maker of the file chose the
 * lengths and counts in it: a run of a few bytes can claim a billion values, and a page that is
 * shorter than it says would be read on into the next one.
 *
 * @module
 */

import type { AsyncBuffer, ColumnMetaData, PageHeader, SchemaElement } from "hyparquet";
import { nodeModule } from "../core/node_module.ts";
import { parquetHeader } from "hyparquet/src/column.js";
import { dictionarySize } from "./parquet_dictionary.ts";
import { checkByteValues, type FromBytes } from "./parquet_bytes.ts";
import { checkDelta } from "./parquet_delta.ts";
import { RangeReader, readRuns } from "./parquet_runs.ts";
import { freePage } from "./page_memory.ts";
import { isNumber, isReadable } from "./parquet_values.ts";
import { startOf } from "./parquet_metadata.ts";
import { checkThrift } from "./thrift_check.ts";

/** Missing in browsers, where checksums of pages are not looked at. */
const crc32 = nodeModule<typeof import("node:zlib")>("node:zlib")?.crc32;

/** Most values of a page that is unpacked at once: they take up to 50 bytes each, and garbage. */
const MAX_PAGE_VALUES: number = 2 ** 21;

/** Most bytes of a page, unpacked, that may have more values, where they are read in pieces. */
const MAX_DENSE_BYTES = 2 << 20;

/** Most bytes of a page, unpacked. */
const MAX_PAGE_BYTES: number = 64 << 20;

/** Bytes in which the header of a page is looked for, at first and where they are not enough. */
const HEADER_BYTES = [1024, 65_536] as const;

/** A column of a row group. */
export interface ColumnChunkPages {
  readonly meta: ColumnMetaData;
  readonly element: SchemaElement;
  /** Rows of the row group. */
  readonly rows: number;
  /** Makes values of bytes, where they are not numbers. */
  readonly from: FromBytes;
  /** Its place in the file, for errors: `column "a" of row group 0`. */
  readonly place: string;
}

/** Unpacks bytes to exactly `length`, in memory of their own. */
export type Unpack = (bytes: Uint8Array, length: number) => Uint8Array;

/** Bytes of a value in PLAIN encoding, for the types that are numbers. */
const WIDTHS: Readonly<Record<string, number>> = {
  INT32: 4,
  FLOAT: 4,
  INT64: 8,
  DOUBLE: 8,
  INT96: 12,
};

/**
 * Checks the pages of a column: lengths, checksums, numbers of values, and the runs in which levels and
 * indices of a dictionary are written.
 *
 * @param file The file.
 * @param chunk The column, whose bytes lie in the file.
 * @param unpack Unpacks a page; absent: pages are not compressed.
 * @returns Bytes of its dictionary and its longest page, unpacked.
 * @throws {RangeError} If something does not fit, or a page is larger than is read or of an encoding
 *   that is not.
 */
export async function checkPages(
  file: AsyncBuffer,
  chunk: ColumnChunkPages,
  unpack: Unpack | undefined,
): Promise<number> {
  let at = startOf(chunk.meta);
  const end = at + Number(chunk.meta.total_compressed_size);
  const checker = new PageChecker(chunk, unpack);
  while (at < end - 1 && checker.values < chunk.rows) {
    const { header, length } = await readHeader(file, at, end);
    const from = at + length;
    const size = natural(header.compressed_page_size, "length");
    if (size > MAX_PAGE_BYTES || from + size > end) throw damaged(`a page of ${size} bytes`);
    const isSummed = header.crc !== undefined && crc32 !== undefined;
    const bytes = isSummed || checker.needsBytes(header)
      ? new Uint8Array(await file.slice(from, from + size))
      : undefined;
    if (isSummed && (crc32(bytes!) | 0) !== (header.crc! | 0)) {
      throw damaged(`the page at byte ${at} (${chunk.place}) has another checksum than it says`);
    }
    checker.check(header, checker.needsBytes(header) ? bytes : undefined);
    at = from + size;
  }
  if (checker.values !== chunk.rows) {
    throw damaged(`its pages have ${checker.values} values for ${chunk.rows} rows`);
  }
  return checker.dictionaryBytes + checker.longest;
}

/** Reads the header of the page at a position, before the end of its column. */
export async function readHeader(
  file: AsyncBuffer,
  at: number,
  end: number,
): Promise<{ header: PageHeader; length: number }> {
  for (const bytes of HEADER_BYTES) {
    const buffer = await file.slice(at, Math.min(end, at + bytes));
    const reader = { view: new DataView(buffer), offset: 0 };
    try {
      checkThrift(new Uint8Array(buffer), 0);
      return { header: ofItsType(parquetHeader(reader)), length: reader.offset };
    } catch (error) {
      if (at + bytes < end && bytes !== HEADER_BYTES.at(-1)) continue;
      const said = (error as Error).message.replace(
        /^Cannot read Parquet: |; the file is .*$/g,
        "",
      );
      throw damaged(`a header of a page: ${said}`);
    }
  }
  throw damaged("a header of a page");
}

/** Leaves the head that fits to the type of a page: no other one may be believed anywhere. */
function ofItsType(header: PageHeader): PageHeader {
  const { type, data_page_header, data_page_header_v2, dictionary_page_header, ...rest } = header;
  const own = type === "DATA_PAGE"
    ? { data_page_header }
    : type === "DATA_PAGE_V2"
    ? { data_page_header_v2 }
    : { dictionary_page_header };
  if (Object.values(own)[0] !== undefined) return { ...rest, type, ...own } as PageHeader;
  throw damaged(`a page of the kind ${type ?? "that there is not"} without its head`);
}

/** Checks one page after the other. */
class PageChecker {
  /** Values of the data pages so far. */
  values = 0;
  /** Bytes of the dictionary, and of the longest data page, unpacked. */
  dictionaryBytes = 0;
  longest = 0;
  readonly #chunk: ColumnChunkPages;
  readonly #unpack: Unpack | undefined;
  readonly #isOptional: boolean;
  #dictionary = 0;

  constructor(chunk: ColumnChunkPages, unpack: Unpack | undefined) {
    this.#chunk = chunk;
    this.#unpack = unpack;
    this.#isOptional = chunk.element.repetition_type === "OPTIONAL";
  }

  /** Tells whether a page has to be looked into. */
  needsBytes({ type, data_page_header, data_page_header_v2 }: PageHeader): boolean {
    const encoding = (data_page_header ?? data_page_header_v2)?.encoding;
    const isText = this.#chunk.element.type === "BYTE_ARRAY";
    return isText || (type !== "DICTIONARY_PAGE" && (this.#isOptional || encoding !== "PLAIN"));
  }

  check(header: PageHeader, bytes: Uint8Array | undefined): void {
    const size = header.compressed_page_size;
    const unpacked = natural(header.uncompressed_page_size, "unpacked length");
    if (unpacked > MAX_PAGE_BYTES) throw tooLarge(`${unpacked} bytes`, MAX_PAGE_BYTES);
    if (this.#unpack === undefined && unpacked !== size) {
      throw damaged(`a page of ${size} bytes that is said to have ${unpacked}`);
    }
    const width = this.#width;
    if (header.type === "DICTIONARY_PAGE") {
      const n = this.#countEntries(header.dictionary_page_header?.num_values);
      if (n * width > unpacked) throw damaged(`a dictionary of ${n} values in ${unpacked} bytes`);
      if (bytes !== undefined) {
        const page = this.#unpacked(bytes, unpacked);
        checkByteValues(this.#chunk.element, "PLAIN", reader(page), n, MAX_PAGE_BYTES);
        this.#free(page);
      }
      this.#dictionary = n;
      this.dictionaryBytes = dictionarySize(this.#chunk, unpacked, n);
      return;
    }
    this.longest = Math.max(this.longest, unpacked);
    if (header.type === "DATA_PAGE") this.#data(header, bytes, unpacked, width);
    else if (header.type === "DATA_PAGE_V2") this.#dataV2(header, bytes, unpacked, width);
    else throw damaged("a page of an unknown kind");
  }

  /** Bytes of a value; 0 for texts, 1/8 for booleans. */
  get #width(): number {
    const { type, type_length } = this.#chunk.element;
    if (type === "BOOLEAN") return 1 / 8;
    return type === "FIXED_LEN_BYTE_ARRAY" ? type_length ?? 0 : WIDTHS[type!] ?? 0;
  }

  #countEntries(value: number | undefined): number {
    const n = natural(value, "number of values");
    if (n > MAX_PAGE_VALUES) throw tooLarge(`${n} values`, MAX_PAGE_VALUES);
    return n;
  }

  #count(value: number | undefined, encoding: string, unpacked: number): number {
    const { element } = this.#chunk;
    if (!isReadable(element, encoding)) {
      throw new RangeError(
        `Cannot read Parquet: values of the type ${element.type} in the encoding ` +
          `${encoding ?? "of an unknown number"} are not read`,
      );
    }
    const n = natural(value, "number of values");
    const isRead = n <= MAX_PAGE_VALUES || unpacked <= MAX_DENSE_BYTES && isNumber(element);
    if (!isRead) throw tooLarge(`${n} values`, MAX_PAGE_VALUES);
    this.values += n;
    return n;
  }

  #data(
    header: PageHeader,
    bytes: Uint8Array | undefined,
    unpacked: number,
    width: number,
  ): void {
    const { encoding, num_values } = header.data_page_header!;
    const n = this.#count(num_values, encoding, unpacked);
    if (bytes === undefined) return checkPlain(n, width, unpacked);
    const page = this.#unpacked(bytes, unpacked);
    const rest = reader(page);
    let present = n;
    if (this.#isOptional) {
      const length = rest.uint32();
      present = readRuns(rest.part(length), 1, n, 2).ones;
    }
    this.#checkValues(encoding, rest, present, width, true);
    this.#free(page);
  }

  #dataV2(
    header: PageHeader,
    bytes: Uint8Array | undefined,
    unpacked: number,
    width: number,
  ): void {
    const { encoding, num_values, num_rows, num_nulls, is_compressed, ...levels } = header
      .data_page_header_v2!;
    const n = this.#count(num_values, encoding, unpacked);
    if (num_rows !== n) throw damaged(`a page of ${num_rows} rows and ${n} values`);
    const repetition = natural(levels.repetition_levels_byte_length, "length of levels");
    const definition = natural(levels.definition_levels_byte_length, "length of levels");
    const head = repetition + definition;
    if (head > Math.min(unpacked, header.compressed_page_size)) {
      throw damaged("levels longer than their page");
    }
    if (bytes === undefined) return checkPlain(n, width, unpacked - head);
    let present = n;
    if (this.#isOptional) {
      present = readRuns(new RangeReader(bytes, repetition, head), 1, n, 2).ones;
    }
    if (present !== n - num_nulls) throw damaged(`a page of ${num_nulls} nulls, which it has not`);
    const rest = bytes.subarray(head);
    const page = is_compressed === false ? rest : this.#unpacked(rest, unpacked - head);
    this.#checkValues(encoding, reader(page), present, width, false);
    if (page !== rest) this.#free(page);
  }

  #unpacked(bytes: Uint8Array, length: number): Uint8Array {
    if (this.#unpack === undefined) return bytes;
    const page = this.#unpack(bytes, length);
    if (page.length !== length) throw damaged(`a page that unpacks to ${page.length} bytes`);
    return page;
  }

  #free(page: Uint8Array): void {
    if (this.#unpack !== undefined) freePage(page);
  }

  #checkValues(
    encoding: string,
    reader: RangeReader,
    n: number,
    width: number,
    isFirstVersion: boolean,
  ): void {
    const { element } = this.#chunk;
    const isIndex = encoding === "RLE_DICTIONARY" || encoding === "PLAIN_DICTIONARY";
    if (!isIndex && !isNumber(element)) {
      checkByteValues(element, encoding, reader, n, MAX_PAGE_BYTES);
    } else if (encoding === "RLE" && element.type === "BOOLEAN") {
      readRuns(reader.part(reader.uint32()), 1, n, 2);
    } else if (encoding === "PLAIN" || encoding === "BYTE_STREAM_SPLIT") {
      checkPlain(n, width, reader.left);
    } else if (isIndex) {
      const bits = reader.byte();
      if (bits > 32) throw damaged(`indices of ${bits} bits`);
      if (bits === 0 && isFirstVersion) {
        if (n > 0 && this.#dictionary === 0) throw damaged("indices and no dictionary");
      } else readRuns(reader, bits, n, this.#dictionary);
    } else if (encoding === "DELTA_BINARY_PACKED") {
      checkDelta(reader, n);
    }
  }
}

function reader(bytes: Uint8Array): RangeReader {
  return new RangeReader(bytes, 0, bytes.length);
}

function checkPlain(n: number, width: number, bytes: number): void {
  if (n * width > bytes) throw damaged(`a page of ${n} values in ${bytes} bytes`);
}

function natural(value: number | undefined, what: string): number {
  if (Number.isInteger(value) && value! >= 0) return value!;
  throw damaged(`a page whose ${what} is ${value}`);
}

function tooLarge(what: string, most: number): RangeError {
  return new RangeError(
    `Cannot read Parquet: a page has ${what}, at most ${most} are read; write smaller pages`,
  );
}

function damaged(what: string): RangeError {
  return new RangeError(`Cannot read Parquet: ${what}; the file is damaged`);
}
