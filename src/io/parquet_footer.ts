/**
 * The footer of a Parquet file, written in short steps: the library's own writer takes 7 to 22 ms for
 * that of a thousand columns (parquet.thrift, "FileMetaData").
 *
 * @module
 */

import type { ByteWriter } from "hyparquet-writer";
import type { ColumnChunk, FileMetaData, SchemaElement } from "hyparquet";
import {
  CompressionCodecs,
  ConvertedTypes,
  Encodings,
  FieldRepetitionTypes,
  PageTypes,
  ParquetTypes,
} from "hyparquet/src/constants.js";
import { logicalType } from "hyparquet-writer/src/metadata.js";
import { serializeTCompactProtocol } from "hyparquet-writer/src/thrift.js";
import { unconvertStatistics } from "hyparquet-writer/src/unconvert.js";

/** Columns that are written in one step. */
const STEP_COLUMNS = 64;

/** Types of Thrift's compact protocol. */
const [I32, I64, BINARY, LIST, STRUCT] = [5, 6, 8, 9, 12] as const;

/** Elements of a list from which on their number stands behind its head. */
const LONG_LIST = 15;

/** End of a struct. */
const STOP = 0;

/** A part of the footer, as Thrift numbers its fields. */
type Struct = Parameters<typeof serializeTCompactProtocol>[1];

/** Metadata of a file without nested columns, keys and values. */
export type FlatMetadata = Pick<
  FileMetaData,
  "version" | "created_by" | "schema" | "num_rows" | "row_groups"
>;

/**
 * Writes the footer and its length. Yields after each step.
 *
 * @param out Takes the bytes.
 * @param metadata Contents. A row group has a chunk of each column, in the order of the schema.
 */
export function* footerInSteps(
  out: ByteWriter,
  { version, created_by, schema, num_rows, row_groups }: FlatMetadata,
): Generator<undefined, void> {
  const columns = schema.slice(1);
  const start = out.offset;
  field(out, 1, I32);
  out.appendZigZag(version);
  field(out, 1, LIST);
  yield* structs(out, schema.length, (i) => schemaStruct(schema[i]!));
  field(out, 1, I64);
  out.appendZigZag(num_rows);
  field(out, 1, LIST);
  listHead(out, row_groups.length);
  for (const group of row_groups) {
    field(out, 1, LIST);
    yield* structs(out, columns.length, (i) => chunkStruct(group.columns[i]!, columns[i]!));
    field(out, 1, I64);
    out.appendZigZag(group.total_byte_size);
    field(out, 1, I64);
    out.appendZigZag(group.num_rows);
    field(out, 3, I64);
    out.appendZigZag(group.total_compressed_size!);
    out.appendUint8(STOP);
  }
  field(out, 2, BINARY);
  const program = new TextEncoder().encode(created_by);
  out.appendVarInt(program.length);
  out.appendBytes(program);
  field(out, 1, LIST);
  // The order of each type's own values.
  yield* structs(out, columns.length, () => ({ field_1: {} }));
  out.appendUint8(STOP);
  out.appendUint32(out.offset - start);
}

/** The head of a field whose number is `distance` more than that of the field before. */
function field(out: ByteWriter, distance: number, type: number): void {
  out.appendUint8(distance << 4 | type);
}

function listHead(out: ByteWriter, n: number): void {
  out.appendUint8(Math.min(n, LONG_LIST) << 4 | STRUCT);
  if (n >= LONG_LIST) out.appendVarInt(n);
}

/** A list of structs, each made when it is written. */
function* structs(
  out: ByteWriter,
  n: number,
  make: (i: number) => Struct,
): Generator<undefined, void> {
  listHead(out, n);
  for (let i = 0; i < n; i++) {
    serializeTCompactProtocol(out, make(i));
    if (i % STEP_COLUMNS === STEP_COLUMNS - 1) yield;
  }
}

/** Position of a name in an enumeration of the format; undefined without a name. */
function numberOf(names: readonly (string | undefined)[], name: string | undefined) {
  return name === undefined ? undefined : names.indexOf(name);
}

function schemaStruct(element: SchemaElement): Struct {
  return {
    field_1: numberOf(ParquetTypes, element.type),
    field_3: numberOf(FieldRepetitionTypes, element.repetition_type),
    field_4: element.name,
    field_5: element.num_children,
    field_6: numberOf(ConvertedTypes, element.converted_type),
    field_10: logicalType(element.logical_type),
  };
}

function chunkStruct(chunk: ColumnChunk, element: SchemaElement): Struct {
  const data = chunk.meta_data!;
  return {
    field_2: chunk.file_offset,
    field_3: {
      field_1: numberOf(ParquetTypes, data.type),
      field_2: data.encodings.map((encoding) => numberOf(Encodings, encoding)),
      field_3: data.path_in_schema,
      field_4: numberOf(CompressionCodecs, data.codec),
      field_5: data.num_values,
      field_6: data.total_uncompressed_size,
      field_7: data.total_compressed_size,
      field_9: data.data_page_offset,
      field_12: data.statistics && unconvertStatistics(data.statistics, element),
      field_13: data.encoding_stats?.map(({ page_type, encoding, count }) => ({
        field_1: numberOf(PageTypes, page_type),
        field_2: numberOf(Encodings, encoding),
        field_3: count,
      })),
    },
    field_4: chunk.offset_index_offset,
    field_5: chunk.offset_index_length,
  };
}
