/**
 * Parquet files, written in steps of a page: the library's own writer writes a column of a row group in
 * one, and has nested and variant columns besides.
 *
 * @module
 */

import type {
  ColumnChunk,
  CompressionCodec,
  DecodedArray,
  RowGroup,
  SchemaElement,
} from "hyparquet";
import { writeColumn } from "hyparquet-writer/src/column.js";
import { writeIndexes } from "hyparquet-writer/src/indexes.js";
import { snappyCompress } from "hyparquet-writer/src/snappy.js";
import { giveWay, inSlices } from "../core/pacer.ts";
import { footerInSteps } from "./parquet_footer.ts";
import type { PageWriter } from "./parquet_page_writer.ts";

/** Rows of a page. A step takes 2 to 4 ms of CPU time. */
const PAGE_ROWS = 16_384;

/** Columns of row groups whose indexes of pages are written in one step. */
const STEP_INDEXES = 64;

/** First and last bytes of a file. */
const MARK = 0x31524150;

/** A column of a row group. */
export interface ParquetValues {
  readonly encoding: "BYTE_STREAM_SPLIT" | "DELTA_BINARY_PACKED";
  /** Some of its rows, made when they are written; null: none. */
  readonly part: (from: number, to: number) => DecodedArray;
}

/** Options of a file. */
export interface ParquetFileOptions {
  /** Root and columns, none of which is nested or repeated. */
  readonly schema: SchemaElement[];
  readonly codec: CompressionCodec;
  readonly createdBy: string;
  /** Compresses pages where the codec is `"ZSTD"`. */
  readonly zstd: (bytes: Uint8Array) => Uint8Array;
}

/** The chunk of a column, as the footer has it. */
type ChunkMetadata = NonNullable<ColumnChunk["meta_data"]>;
type Statistics = NonNullable<ChunkMetadata["statistics"]> & { nan_count?: bigint };

/** Writes a file. */
export class ParquetFileWriter {
  readonly #bytes: PageWriter;
  readonly #options: ParquetFileOptions;
  readonly #groups: RowGroup[] = [];
  readonly #indexes: Parameters<typeof writeIndexes>[1] = [];
  #rows = 0n;

  /** @param bytes Takes the bytes. */
  constructor(bytes: PageWriter, options: ParquetFileOptions) {
    this.#bytes = bytes;
    this.#options = options;
    bytes.appendUint32(MARK);
  }

  /**
   * Writes a row group, and gives way before each page.
   *
   * @param rows Rows; none are no row group.
   * @param columns Its columns, in the order of the schema.
   * @param flush Takes what has been written, after each page.
   */
  async rowGroup(
    rows: number,
    columns: readonly ParquetValues[],
    flush: () => Promise<void>,
  ): Promise<void> {
    if (rows === 0) return;
    const bytes = this.#bytes;
    const start = bytes.offset;
    const chunks: ColumnChunk[] = [];
    for (const [c, { encoding, part }] of columns.entries()) {
      const pages: ColumnChunk[] = [];
      const page_locations = [];
      for (let from = 0; from < rows; from += PAGE_ROWS) {
        await giveWay();
        const at = bytes.offset;
        const values = part(from, Math.min(rows, from + PAGE_ROWS));
        pages.push(bytes.page(() => this.#page(this.#options.schema[c + 1]!, encoding, values)));
        const compressed_page_size = bytes.offset - at;
        page_locations.push({
          offset: BigInt(at),
          compressed_page_size,
          first_row_index: BigInt(from),
        });
        await flush();
      }
      const chunk = joinedChunk(pages);
      chunks.push(chunk);
      this.#indexes.push({ chunk, offsetIndex: { page_locations } });
    }
    this.#groups.push({
      columns: chunks,
      total_byte_size: sum(chunks, ({ total_uncompressed_size }) => total_uncompressed_size),
      num_rows: BigInt(rows),
      total_compressed_size: BigInt(bytes.offset - start),
    });
    this.#rows += BigInt(rows);
  }

  /** A page, as a chunk of its own. */
  #page(
    element: SchemaElement,
    encoding: ParquetValues["encoding"],
    values: DecodedArray,
  ): ColumnChunk {
    const { schema, codec, zstd } = this.#options;
    const isOptional = element.repetition_type === "OPTIONAL";
    const column = {
      columnName: element.name,
      element,
      schemaPath: [schema[0]!, element],
      codec,
      compressors: { SNAPPY: snappyCompress, ZSTD: zstd },
      stats: true,
      pageSize: 0,
      columnIndex: false,
      offsetIndex: false,
      encoding,
    };
    const pageData = {
      values,
      definitionLevels: isOptional ? Array.from(values, (value) => value === null ? 0 : 1) : [],
      repetitionLevels: [],
      maxDefinitionLevel: isOptional ? 1 : 0,
    };
    return writeColumn({ writer: this.#bytes, column, pageData }).chunk;
  }

  /** Writes what follows all row groups, and gives way while it does. */
  async finish(): Promise<void> {
    const { schema, createdBy } = this.#options;
    for (let from = 0; from < this.#indexes.length; from += STEP_INDEXES) {
      writeIndexes(this.#bytes, this.#indexes.slice(from, from + STEP_INDEXES));
      await giveWay();
    }
    const footer = {
      version: 2,
      created_by: createdBy,
      schema,
      num_rows: this.#rows,
      row_groups: this.#groups,
    };
    await inSlices(footerInSteps(this.#bytes, footer));
    this.#bytes.appendUint32(MARK);
  }
}

function sum(chunks: readonly ColumnChunk[], of: (chunk: ChunkMetadata) => bigint): bigint {
  return chunks.reduce((total, { meta_data }) => total + of(meta_data!), 0n);
}

/** Chunks of a page each, which follow each other, as one. */
function joinedChunk(pages: readonly ColumnChunk[]): ColumnChunk {
  const [first] = pages;
  const all = pages.map(({ meta_data }) => meta_data!);
  const meta_data: ChunkMetadata = {
    ...all[0]!,
    num_values: sum(pages, ({ num_values }) => num_values),
    total_compressed_size: sum(pages, ({ total_compressed_size }) => total_compressed_size),
    total_uncompressed_size: sum(pages, ({ total_uncompressed_size }) => total_uncompressed_size),
    statistics: joinedStatistics(all.map(({ statistics }) => statistics!)),
    encoding_stats: all[0]!.encoding_stats!.map((stats) => ({ ...stats, count: pages.length })),
  };
  return { ...first!, meta_data };
}

function joinedStatistics(all: readonly Statistics[]): Statistics {
  const joined = { ...all[0]! };
  for (const { min_value: min, max_value: max, null_count, nan_count } of all.slice(1)) {
    if (min !== undefined && !(joined.min_value! <= min)) joined.min_value = min;
    if (max !== undefined && !(joined.max_value! >= max)) joined.max_value = max;
    joined.null_count = (joined.null_count ?? 0n) + (null_count ?? 0n);
    if (nan_count !== undefined) joined.nan_count = (joined.nan_count ?? 0n) + nan_count;
  }
  return joined;
}
