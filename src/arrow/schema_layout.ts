/**
 * Nodes and buffers that the batches of a schema have (Arrow columnar format, "Recordbatch message"
 * and "Buffer listing for each layout").
 *
 * @module
 */

import { Type } from "@uwdata/flechette";
import type { BTrDBError } from "../core/errors.ts";
import { invalid, quotedName } from "./arrow_error.ts";
import type { FlatBuffer } from "./flat_buffer.ts";

/** Most levels of fields below fields. */
const MAX_DEPTH = 64;

/** Most digits of a decimal of 256 bits. */
const MAX_SCALE = 76;

/** V5; unions had a validity bitmap before it. */
const VERSION_5 = 4;

/** A buffer of a node. */
export interface BufferLayout {
  /**
   * `"validity"`: a bit a row, or nothing if no row is null; `"values"`: so many bits a row;
   * `"offsets"`: so many bits a row, and once more; `"other"`: of any length.
   */
  readonly kind: "validity" | "values" | "offsets" | "other";
  readonly bits: number;
}

/** A column, or what is below one, in a batch. */
export interface NodeLayout {
  readonly buffers: readonly BufferLayout[];
  /** True if the batch says how many buffers follow these. */
  readonly isVariadic: boolean;
}

/** A column of a batch: its node, and those below it. */
export interface ColumnLayout {
  /** Its name, read when it is asked for. */
  readonly name: () => string;
  /** Its type, in which types that are read differently differ. */
  readonly type: TypeText;
  readonly nodes: readonly NodeLayout[];
}

/**
 * A type as text, made when it is asked for.
 *
 * @param hasIds True if numbers of dictionaries are in it, which writers give as they like.
 */
type TypeText = (hasIds: boolean) => string;

/** Columns and dictionaries of the batches of a schema. */
export interface SchemaLayout {
  readonly columns: readonly ColumnLayout[];
  /** The only column of the batches of each dictionary, by its number. */
  readonly dictionaries: ReadonlyMap<number, ColumnLayout>;
  /** Number of fields, with those that are below others. */
  readonly fields: number;
}

/** The layout while a schema is read. */
interface Reading {
  readonly buffer: FlatBuffer;
  /** True if unions have a validity bitmap. */
  readonly isOld: boolean;
  /** Most fields. */
  readonly maxColumns: number;
  readonly dictionaries: Map<number, ColumnLayout>;
  fields: number;
}

/**
 * Checks a schema, and finds what its batches have.
 *
 * @param buffer Its message, or the footer of a file.
 * @param schema Its table there.
 * @param version Version of the metadata.
 * @param maxColumns Most columns, with those that are below others.
 * @throws {RangeError} If something is outside of the message.
 * @throws {BTrDBError} 438 if it is no schema that can be read, or has too many columns.
 */
export function schemaLayout(
  buffer: FlatBuffer,
  schema: number,
  version: number,
  maxColumns: number = Infinity,
): SchemaLayout {
  if (schema === 0) throw invalid("it has no schema");
  if (buffer.short(schema, 0) !== 0) throw invalid("its numbers are big-endian");
  const reading: Reading = {
    buffer,
    isOld: version < VERSION_5,
    maxColumns,
    dictionaries: new Map(),
    fields: 0,
  };
  const columns: ColumnLayout[] = [];
  const { length } = buffer.vector(schema, 1, 4);
  if (length > maxColumns) throw tooMany(`${length} columns`, maxColumns);
  for (const field of buffer.tables(schema, 1)) {
    const nodes: NodeLayout[] = [];
    const type = addField(reading, field, nodes, 1);
    columns.push({ name: () => buffer.text(field, 0), type, nodes });
  }
  checkPairs(buffer, schema, 2);
  buffer.checkVector(schema, 3, 8);
  return { columns, dictionaries: reading.dictionaries, fields: reading.fields };
}

function tooMany(columns: string, maxColumns: number): BTrDBError {
  return invalid(`it has ${columns}, expected at most ${maxColumns}`);
}

/** Checks pairs of metadata. */
export function checkPairs(buffer: FlatBuffer, table: number, slot: number): void {
  for (const pair of buffer.tables(table, slot)) {
    buffer.checkVector(pair, 0, 1);
    buffer.checkVector(pair, 1, 1);
  }
}

/** Adds the nodes of a field. */
function addField(reading: Reading, field: number, nodes: NodeLayout[], depth: number): TypeText {
  const { buffer } = reading;
  if (depth > MAX_DEPTH) throw new RangeError(`more than ${MAX_DEPTH} levels of fields`);
  if (++reading.fields > reading.maxColumns) {
    throw tooMany(`${reading.fields} columns or more, with those below others`, reading.maxColumns);
  }
  buffer.checkVector(field, 0, 1);
  checkPairs(buffer, field, 6);
  const encoding = buffer.child(field, 4);
  if (encoding === 0) return addType(reading, field, nodes, depth);
  const below: NodeLayout[] = [];
  const type = addType(reading, field, below, depth);
  const id = buffer.long(encoding, 0);
  const known = reading.dictionaries.get(id);
  if (known !== undefined && known.type(true) !== type(true)) {
    throw invalid(`two columns of different types have dictionary ${id}`);
  }
  const name = () => buffer.text(field, 0);
  reading.dictionaries.set(id, { name, type, nodes: below });
  const indices = buffer.child(encoding, 1);
  const bits = indices === 0 ? 32 : buffer.int(indices, 0);
  nodes.push({ buffers: values(bits), isVariadic: false });
  // Absent: with a sign.
  const isSigned = indices === 0 ? 1 : buffer.byte(indices, 1);
  return (hasIds) => `${hasIds ? id : ""}:${bits}:${isSigned}[${type(hasIds)}]`;
}

const VALIDITY: BufferLayout = { kind: "validity", bits: 1 };
const OTHER: BufferLayout = { kind: "other", bits: 0 };

/** The buffers of the commonest numbers: one object less for each column. */
const VALUES_64: readonly BufferLayout[] = [VALIDITY, { kind: "values", bits: 64 }];

function values(bits: number): readonly BufferLayout[] {
  return bits === 64 ? VALUES_64 : [VALIDITY, { kind: "values", bits }];
}

function offsets(bits: number): BufferLayout[] {
  return [VALIDITY, { kind: "offsets", bits }];
}

/** Adds the node of a type, and those below it. */
function addType(reading: Reading, field: number, nodes: NodeLayout[], depth: number): TypeText {
  const { buffer } = reading;
  const id = buffer.byte(field, 2);
  const type = buffer.child(field, 3);
  const { buffers, numbers } = buffersOf(reading, id, type);
  nodes.push({ buffers, isVariadic: id === Type.BinaryView || id === Type.Utf8View });
  const below = buffer.tables(field, 5).map((child) => addField(reading, child, nodes, depth + 1));
  return (hasIds) => {
    const zone = id === Type.Timestamp && type !== 0 ? [quotedName(buffer.text(type, 1))] : [];
    return `${id}(${[...numbers, ...zone, ...below.map((text) => text(hasIds))].join(",")})`;
  };
}

/** The buffers of a type, and the numbers that belong to it. */
function buffersOf(
  { buffer, isOld }: Reading,
  id: number,
  type: number,
): { buffers: readonly BufferLayout[]; numbers: readonly number[] } {
  const of = (buffers: readonly BufferLayout[], ...numbers: number[]) => ({ buffers, numbers });
  const short = (slot: number, absent = 0) =>
    type === 0 ? absent : buffer.short(type, slot, absent);
  const int = (slot: number, absent = 0) => type === 0 ? absent : buffer.int(type, slot, absent);
  switch (id) {
    case Type.Null:
    case Type.RunEndEncoded:
      return of([]);
    case Type.Int:
      return of(values(int(0)), int(0), type === 0 ? 0 : buffer.byte(type, 1));
    case Type.Float:
      return of(values(16 << short(0)), short(0));
    case Type.Bool:
      return of(values(1));
    case Type.Decimal:
      checkScale(int(1));
      return of(values(int(2, 128)), int(0), int(1), int(2, 128));
    // 0: days; absent: ms.
    case Type.Date:
      return of(values(short(0, 1) === 0 ? 32 : 64), short(0, 1));
    // 0: s, 1 and absent: ms, 2: µs, 3: ns.
    case Type.Time:
      return of(values(short(0, 1) < 2 ? 32 : 64), short(0, 1));
    case Type.Timestamp:
      if (type !== 0) buffer.checkVector(type, 1, 1);
      return of(values(64), short(0));
    case Type.Duration:
      return of(values(64), short(0, 1));
    // 0: months, 1: days and ms, 2: months, days and ns.
    case Type.Interval:
      return of(values(32 << short(0)), short(0));
    case Type.FixedSizeBinary:
      return of(values(8 * int(0)), int(0));
    case Type.Utf8:
    case Type.Binary:
      return of([...offsets(32), OTHER]);
    case Type.LargeUtf8:
    case Type.LargeBinary:
      return of([...offsets(64), OTHER]);
    case Type.Utf8View:
    case Type.BinaryView:
      return of(values(128));
    case Type.List:
    case Type.Map:
      return of(offsets(32));
    case Type.LargeList:
      return of(offsets(64));
    case Type.ListView:
      return of([...values(32), { kind: "values", bits: 32 }]);
    case Type.LargeListView:
      return of([...values(64), { kind: "values", bits: 64 }]);
    case Type.Struct:
    case Type.FixedSizeList:
      return of([VALIDITY], int(0));
    // 0: sparse, 1: dense, with an offset a row.
    case Type.Union: {
      if (type !== 0) buffer.checkVector(type, 1, 4);
      const [validity, ids] = values(8);
      const dense: BufferLayout[] = short(0) === 0 ? [] : [{ kind: "values", bits: 32 }];
      return of([...(isOld ? [validity!] : []), ids!, ...dense], short(0));
    }
    default:
      throw invalid(`it has a column of type ${id}, expected 1 to 26`);
  }
}

/** Checks the scale of a decimal: a decoder computes ten to that power with every digit. */
function checkScale(scale: number): void {
  if (scale >= 0 && scale <= MAX_SCALE) return;
  throw invalid(`a column of decimals has scale ${scale}, expected 0 to ${MAX_SCALE}`);
}
