/**
 * Arrow IPC streams of rows of many streams, written in steps: the Arrow library writes a table of
 * 10,000 columns in one, of up to 130 ms. (Arrow columnar format, "Serialization and Interprocess
 * Communication"; "FlatBuffer Internals".)
 *
 * @module
 */

import { type DataType, Type, Version } from "@uwdata/flechette";
import { type ColumnData, isFloat, type NamedColumn, validityOf } from "./named_columns.ts";

/** A column without its values. */
export type ColumnHead = Pick<NamedColumn, "name" | "type" | "nullable">;

/** Columns that are written in one step, and rows of one that takes a step of its own. */
const STEP_COLUMNS = 512, STEP_ROWS = 65_536;

const CONTINUATION = 0xffffffff;
/** Kinds of messages (`MessageHeader`). */
const SCHEMA = 1, RECORD_BATCH = 3;
/** Bytes before the metadata of a message. */
const PREFIX = 8;
/** Place of the header in the metadata, behind the table of the message. */
const HEADER = 40;
const END_OF_STREAM = 8;

/** Bytes of the table of a field, and of the longest table of a type. */
const FIELD_BYTES = 16, TYPE_BYTES = 12;

const utf8 = new TextEncoder();

/** Values of a column as they are written. */
interface Buffers {
  readonly data: ColumnData;
  /** Bytes of the data: half of them where doubles become float32. */
  readonly length: number;
  readonly nullCount: number;
  /** Empty: no row is null. */
  readonly validity: Uint8Array;
}

const NO_NULLS = { nullCount: 0, validity: new Uint8Array(0) };
const NO_BYTES = new Uint8Array(0);

/** Writes streams of the same columns: numbers of 64 bits, or doubles as float32. */
export class MultiIpc {
  readonly #columns: readonly ColumnHead[];
  /** The message of the schema, which all streams begin with. */
  #schema: Uint8Array | undefined;

  /** @param columns Names and types: timestamps, integers of 64 bits, float64 or float32. */
  constructor(columns: readonly ColumnHead[]) {
    this.#columns = columns;
  }

  /**
   * Writes rows as a complete IPC stream.
   *
   * @param data Values of each column, all of one length.
   */
  *write(data: readonly ColumnData[]): Generator<undefined, Uint8Array<ArrayBuffer>> {
    const bytes = yield* this.#messages(yield* this.#head(), data, END_OF_STREAM);
    new DataView(bytes.buffer).setUint32(bytes.length - END_OF_STREAM, CONTINUATION, true);
    return bytes;
  }

  /**
   * Writes rows as messages of a longer stream, without its end.
   *
   * @param data As for `write`.
   * @param isFirst True if the schema comes before them.
   */
  *writePart(
    data: readonly ColumnData[],
    isFirst: boolean,
  ): Generator<undefined, Uint8Array<ArrayBuffer>> {
    return yield* this.#messages(isFirst ? yield* this.#head() : NO_BYTES, data, 0);
  }

  *#head(): Generator<undefined, Uint8Array> {
    return this.#schema ??= yield* schemaMessage(this.#columns);
  }

  *#messages(
    head: Uint8Array,
    data: readonly ColumnData[],
    tail: number,
  ): Generator<undefined, Uint8Array<ArrayBuffer>> {
    const all: Buffers[] = [];
    let body = 0;
    for (const [c, { type, nullable }] of this.#columns.entries()) {
      const column = data[c]!;
      const nulls = nullable === true ? validityOf(column) : NO_NULLS;
      const length = column.length * (isFloat(type, 1) ? 4 : 8);
      all.push({ data: column, length, ...nulls });
      body += padded(length) + nulls.validity.length;
      if (c % STEP_COLUMNS === STEP_COLUMNS - 1 || isLong(column)) yield;
    }
    const metadata = batchMetadataBytes(all.length);
    const bytes = new Uint8Array(head.length + PREFIX + metadata + body + tail);
    bytes.set(head);
    yield;
    const rows = data[0]!.length;
    yield* writeBatchMetadata(messageView(bytes, head.length, metadata), rows, all, body);
    // Of all bytes: a view for each of thousands of columns would be garbage.
    const doubles = new Float64Array(bytes.buffer), floats = new Float32Array(bytes.buffer);
    const integers = new BigInt64Array(bytes.buffer);
    let at = head.length + PREFIX + metadata;
    for (const [c, { data: column, length, validity }] of all.entries()) {
      bytes.set(validity, at);
      at += validity.length;
      if (isFloat(this.#columns[c]!.type, 1)) floats.set(column as Float64Array, at / 4);
      else if (column instanceof Float64Array) doubles.set(column, at / 8);
      else integers.set(column as BigInt64Array, at / 8);
      at += padded(length);
      if (c % STEP_COLUMNS === STEP_COLUMNS - 1 || isLong(column)) yield;
    }
    return bytes;
  }
}

/** Tells whether a column is written in a step of its own. */
function isLong({ length }: ColumnData): boolean {
  return length > STEP_ROWS;
}

/** The message of a schema. */
function* schemaMessage(columns: readonly ColumnHead[]): Generator<undefined, Uint8Array> {
  const names: Uint8Array[] = [];
  let texts = 0;
  for (const [c, { name, type }] of columns.entries()) {
    const text = utf8.encode(name);
    names.push(text);
    texts += textBytes(text.length);
    if (type.typeId === Type.Timestamp) texts += textBytes(zoneOf(type).length);
    if (c % STEP_COLUMNS === STEP_COLUMNS - 1) yield;
  }
  const n = columns.length;
  // Before each type are eight bytes that tell where its fields are; those of all columns share one.
  const first = HEADER + 20 + 4 * n + 12;
  const most = padded(first + n * (FIELD_BYTES + 8 + TYPE_BYTES) + texts);
  const bytes = new Uint8Array(PREFIX + most);
  const view = messageView(bytes, 0, most);
  writeMessage(view, SCHEMA, HEADER + 8, 0);
  // Schema { endianness, fields }
  writeFields(view, HEADER, [8, 0, 4]);
  view.setInt32(HEADER + 8, 8, true);
  view.setUint32(HEADER + 12, 4, true);
  const vector = HEADER + 16;
  view.setUint32(vector, n, true);
  // Field { name, nullable, type_type, type }
  const fieldFields = vector + 4 + 4 * n;
  writeFields(view, fieldFields, [FIELD_BYTES, 4, 13, 12, 8]);
  let at = fieldFields + 12;
  for (const [c, { type, nullable }] of columns.entries()) {
    const slot = vector + 4 + 4 * c;
    const field = at;
    view.setUint32(slot, field - slot, true);
    view.setInt32(field, field - fieldFields, true);
    view.setUint8(field + 12, type.typeId);
    view.setUint8(field + 13, nullable === true ? 1 : 0);
    at = writeText(view, at + FIELD_BYTES, field + 4, names[c]!);
    at = writeType(view, at, field + 8, type);
    if (c % STEP_COLUMNS === STEP_COLUMNS - 1) yield;
  }
  messageView(bytes, 0, padded(at));
  return bytes.subarray(0, PREFIX + padded(at));
}

/** Writes a type, to which the field at `slot` leads; the end of it. */
function writeType(view: DataView, from: number, slot: number, type: DataType): number {
  const table = from + 8;
  view.setUint32(slot, table - slot, true);
  view.setInt32(table, 8, true);
  switch (type.typeId) {
    case Type.Float: // { precision }
      writeFields(view, from, [8, 4]);
      view.setInt16(table + 4, type.precision, true);
      return table + 8;
    case Type.Int: // { bitWidth, is_signed }
      writeFields(view, from, [12, 4, 8]);
      view.setInt32(table + 4, type.bitWidth, true);
      view.setUint8(table + 8, type.signed ? 1 : 0);
      return table + 12;
    case Type.Timestamp: { // { unit, timezone }
      const zone = zoneOf(type);
      writeFields(view, from, zone.length > 0 ? [12, 8, 4] : [12, 8]);
      view.setInt16(table + 8, type.unit, true);
      return zone.length > 0 ? writeText(view, table + 12, table + 4, zone) : table + 12;
    }
  }
  throw new RangeError(`Cannot write Arrow: a column has the type ${type.typeId}`);
}

/** The zone of a timestamp; empty: none. */
function zoneOf(type: DataType): Uint8Array {
  return utf8.encode(type.typeId === Type.Timestamp ? type.timezone ?? "" : "");
}

/** Bytes of a text with its length and its end. */
function textBytes(length: number): number {
  return (4 + length + 1 + 3) & ~3;
}

/** Writes a text, to which the field at `slot` leads; the end of it. */
function writeText(view: DataView, at: number, slot: number, text: Uint8Array): number {
  view.setUint32(slot, at - slot, true);
  view.setUint32(at, text.length, true);
  new Uint8Array(view.buffer, view.byteOffset + at + 4, text.length).set(text);
  return at + textBytes(text.length);
}

/** Places in the metadata of a batch. */
const BATCH_TABLE = HEADER + 12, NODES = HEADER + 36;

function batchMetadataBytes(columns: number): number {
  return padded(NODES + 4 + 16 * columns + 8 + 32 * columns);
}

/** Writes `RecordBatch { length, nodes, buffers }`: two buffers a column, the first one of nulls. */
function* writeBatchMetadata(
  view: DataView,
  rows: number,
  columns: readonly Buffers[],
  body: number,
): Generator<undefined, void> {
  const n = columns.length;
  const buffers = NODES + 4 + 16 * n + 4;
  writeMessage(view, RECORD_BATCH, BATCH_TABLE, body);
  writeFields(view, HEADER, [20, 4, 12, 16]);
  view.setInt32(BATCH_TABLE, 12, true);
  view.setUint32(BATCH_TABLE + 4, rows, true);
  view.setUint32(BATCH_TABLE + 12, NODES - BATCH_TABLE - 12, true);
  view.setUint32(BATCH_TABLE + 16, buffers - BATCH_TABLE - 16, true);
  view.setUint32(NODES, n, true);
  view.setUint32(buffers, 2 * n, true);
  let offset = 0;
  for (const [c, { length, nullCount, validity }] of columns.entries()) {
    view.setUint32(NODES + 4 + 16 * c, rows, true);
    view.setUint32(NODES + 12 + 16 * c, nullCount, true);
    const at = buffers + 4 + 32 * c;
    writeLong(view, at, offset);
    writeLong(view, at + 8, validity.length);
    offset += validity.length;
    writeLong(view, at + 16, offset);
    writeLong(view, at + 24, length);
    offset += padded(length);
    if (c % STEP_COLUMNS === STEP_COLUMNS - 1) yield;
  }
}

/** Writes what is before the metadata of a message; a view of the metadata. */
function messageView(bytes: Uint8Array<ArrayBuffer>, at: number, length: number): DataView {
  const prefix = new DataView(bytes.buffer, at, PREFIX);
  prefix.setUint32(0, CONTINUATION, true);
  prefix.setUint32(4, length, true);
  return new DataView(bytes.buffer, at + PREFIX, length);
}

/** Writes `Message { version, header_type, header, bodyLength }`, before {@linkcode HEADER}. */
function writeMessage(view: DataView, kind: number, header: number, body: number): void {
  view.setUint32(0, 16, true);
  writeFields(view, 4, [20, 16, 18, 4, 8]);
  view.setInt32(16, 12, true);
  view.setUint32(20, header - 20, true);
  writeLong(view, 24, body);
  view.setInt16(32, Version.V5, true);
  view.setUint8(34, kind);
}

/** Writes what tells where the fields of a table are: bytes of the table, and each field in it, 0: none. */
function writeFields(view: DataView, at: number, fields: readonly number[]): void {
  view.setUint16(at, 2 + 2 * fields.length, true);
  for (const [i, field] of fields.entries()) view.setUint16(at + 2 + 2 * i, field, true);
}

function writeLong(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true);
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
}

/** The next multiple of eight. */
function padded(length: number): number {
  return Math.ceil(length / 8) * 8;
}
