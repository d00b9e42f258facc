/**
 * Checks the metadata of a Parquet file against the file, before a number in them is believed: a
 * damaged footer can be read as one of a file without rows.
 *
 * @module
 */

import type { ColumnMetaData, FileMetaData } from "hyparquet";

/** Length of "PAR1" at either end, and of the length of the metadata before the last one. */
const MAGIC_BYTES = 4;
const LENGTH_BYTES = 4;

/**
 * Refuses metadata that contradict themselves or the size of the file.
 *
 * @param metadata Footer of the file.
 * @param byteLength Size of the file.
 * @throws {RangeError} If rows or row groups do not add up, or column chunks are outside of the file.
 */
export function checkParquetMetadata(metadata: FileMetaData, byteLength: number): void {
  const dataEnd = byteLength - metadata.metadata_length - LENGTH_BYTES - MAGIC_BYTES;
  const columns = metadata.schema.filter(({ type }) => type !== undefined);
  if (columns.length === 0) throw damaged("it has no columns");
  let rows = 0n;
  metadata.row_groups.forEach((group, i) => {
    if (group.num_rows < 0n) throw damaged(`row group ${i} has ${group.num_rows} rows`);
    rows += group.num_rows;
    if (group.columns.length !== columns.length) {
      throw damaged(`row group ${i} has ${group.columns.length} columns of ${columns.length}`);
    }
    for (const [c, { meta_data, file_path }] of group.columns.entries()) {
      const { name, type } = columns[c]!;
      if (meta_data?.type !== type || meta_data?.path_in_schema.at(-1) !== name) {
        throw damaged(`column ${c} of row group ${i} is another one than the schema has there`);
      }
      if (group.num_rows === 0n) continue;
      const isInside = file_path === undefined && meta_data !== undefined &&
        isWithin(meta_data, dataEnd);
      if (!isInside) throw damaged(`a column of row group ${i} is not in the file`);
    }
  });
  if (rows !== metadata.num_rows || rows > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw damaged(`it has ${metadata.num_rows} rows, and its row groups have ${rows}`);
  }
  if (metadata.row_groups.length === 0 && dataEnd > MAGIC_BYTES) {
    throw damaged(`it has no row groups, and ${dataEnd - MAGIC_BYTES} bytes of data`);
  }
}

function isWithin(chunk: ColumnMetaData, dataEnd: number): boolean {
  const { data_page_offset, dictionary_page_offset, total_compressed_size } = chunk;
  const hasDictionary = (dictionary_page_offset ?? 0n) > 0n;
  const start = hasDictionary && dictionary_page_offset! < data_page_offset
    ? dictionary_page_offset!
    : data_page_offset;
  return total_compressed_size >= 0n && start >= BigInt(MAGIC_BYTES) &&
    start + total_compressed_size <= BigInt(dataEnd);
}

function damaged(what: string): RangeError {
  return new RangeError(`Cannot read Parquet: ${what}; the file is damaged`);
}
