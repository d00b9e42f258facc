/**
 * Checks the metadata of a Parquet file against the file, before a number in them is believed: a
 * damaged footer can be read as one of a file without rows.
 *
 * @module
 */

import {
  type AsyncBuffer,
  type ColumnMetaData,
  type FileMetaData,
  parquetMetadata,
  type SchemaElement,
} from "hyparquet";
import { checkThrift } from "./thrift_check.ts";

/** Length of "PAR1" at either end, and of the length of the metadata before the last one. */
const MAGIC_BYTES = 4;
const LENGTH_BYTES = 4;

/** "PAR1", and "PARE" of files whose metadata are encrypted. */
const MAGIC = 0x31524150;
const ENCRYPTED_MAGIC = 0x45524150;

/** Deepest nesting of columns. */
const MAX_DEPTH = 100;

/**
 * Reads the end of the file, with its metadata.
 *
 * @param file The file.
 * @returns Metadata that end within their bytes, their length and "PAR1".
 * @throws {RangeError} If they do not, or the file is encrypted.
 */
export async function readFooter(file: AsyncBuffer): Promise<ArrayBuffer> {
  const { byteLength } = file;
  const tailBytes = LENGTH_BYTES + MAGIC_BYTES;
  if (byteLength < MAGIC_BYTES + tailBytes) throw damaged(`it has ${byteLength} bytes`);
  const tail = new DataView(await file.slice(byteLength - tailBytes, byteLength));
  const magic = tail.getUint32(LENGTH_BYTES, true);
  if (magic === ENCRYPTED_MAGIC) {
    throw new RangeError("Cannot read Parquet: the file is encrypted, and no keys are taken");
  }
  if (magic !== MAGIC) throw damaged("it does not end with PAR1");
  const length = tail.getUint32(0, true) + tailBytes;
  if (length > byteLength - MAGIC_BYTES) throw damaged(`its metadata have ${length} bytes`);
  const footer = await file.slice(byteLength - length, byteLength);
  checkThrift(new Uint8Array(footer, 0, length - tailBytes), 0);
  return footer;
}

/**
 * Decodes the metadata at the end of a file.
 *
 * @param footer As {@linkcode readFooter} reads it.
 * @throws {RangeError} If a field is missing that all files have.
 */
export function metadataOf(footer: ArrayBuffer): FileMetaData {
  try {
    return parquetMetadata(footer, { geoparquet: false });
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    const what = "its metadata lack a field that all files have; the file is damaged";
    throw new RangeError(`Cannot read Parquet: ${what}`, { cause });
  }
}

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
  checkSchema(metadata.schema);
  if (columns.length === 0) throw damaged("it has no columns");
  const chunks: { start: number; end: number }[] = [];
  let rows = 0n;
  metadata.row_groups.forEach((group, i) => {
    if (group.num_rows < 0n) throw damaged(`row group ${i} has ${group.num_rows} rows`);
    rows += group.num_rows;
    if (group.columns.length !== columns.length) {
      throw damaged(`row group ${i} has ${group.columns.length} columns of ${columns.length}`);
    }
    for (const [c, chunk] of group.columns.entries()) {
      const { meta_data, file_path, crypto_metadata } = chunk;
      if (crypto_metadata !== undefined) {
        throw new RangeError(
          `Cannot read Parquet: column ${c} of row group ${i} is encrypted, and no keys are taken`,
        );
      }
      const { name, type } = columns[c]!;
      if (meta_data?.type !== type || meta_data?.path_in_schema.at(-1) !== name) {
        throw damaged(`column ${c} of row group ${i} is another one than the schema has there`);
      }
      if (group.num_rows === 0n) continue;
      const isInside = file_path === undefined && meta_data !== undefined &&
        isWithin(meta_data, dataEnd);
      if (!isInside) throw damaged(`a column of row group ${i} is not in the file`);
      const start = startOf(meta_data);
      chunks.push({ start, end: start + Number(meta_data.total_compressed_size) });
    }
  });
  checkApart(chunks);
  if (rows !== metadata.num_rows || rows > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw damaged(`it has ${metadata.num_rows} rows, and its row groups have ${rows}`);
  }
  if (metadata.row_groups.length === 0 && dataEnd > MAGIC_BYTES) {
    throw damaged(`it has no row groups, and ${dataEnd - MAGIC_BYTES} bytes of data`);
  }
}

function isWithin(chunk: ColumnMetaData, dataEnd: number): boolean {
  const { total_compressed_size: size } = chunk;
  const start = startOf(chunk);
  return size >= 0n && start >= MAGIC_BYTES && start + Number(size) <= dataEnd;
}

/** Position of the first page of a column. */
export function startOf({ data_page_offset, dictionary_page_offset }: ColumnMetaData): number {
  const hasDictionary = (dictionary_page_offset ?? 0n) > 0n &&
    dictionary_page_offset! < data_page_offset;
  return Number(hasDictionary ? dictionary_page_offset : data_page_offset);
}

/** Refuses columns on the same bytes: a few of them could stand for any number of points. */
function checkApart(chunks: { start: number; end: number }[]): void {
  chunks.sort((a, b) => a.start - b.start);
  for (let i = 1; i < chunks.length; i++) {
    if (chunks[i]!.start < chunks[i - 1]!.end) {
      throw damaged("two of its columns have the same bytes");
    }
  }
}

/** Refuses schemas that are no tree, or a deep one. */
function checkSchema(schema: readonly SchemaElement[]): void {
  // Elements that are to come at each level.
  const left = [1];
  for (const { type, num_children: children = 0 } of schema) {
    while (left.at(-1) === 0) left.pop();
    const isTree = left.length > 0 && Number.isInteger(children) && children >= 0 &&
      (type === undefined || children === 0);
    if (!isTree) throw damaged("its schema is no tree");
    if (left.length > MAX_DEPTH) throw damaged(`its schema has more than ${MAX_DEPTH} levels`);
    left[left.length - 1]!--;
    left.push(children);
  }
  if (left.some((n) => n !== 0)) throw damaged("its schema is no tree");
}

function damaged(what: string): RangeError {
  return new RangeError(`Cannot read Parquet: ${what}; the file is damaged`);
}
