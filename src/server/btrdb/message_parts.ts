/**
 * Divides requests into short parts before they are decoded: a message of 16 MiB can have millions of
 * fields, and decoding them at once would hold everything else up for seconds.
 *
 * @module
 */

import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { GrpcFailure, GrpcStatus } from "../transport/status.ts";

/** Deepest nesting that is looked at; no request is as deep. */
const MAX_DEPTH = 16;

/** Fields of a part, those of its parts included: they are decoded in a millisecond or so. */
const PART_FIELDS = 4_096;

/** Fields of a type by their numbers. */
const fieldsOf = new WeakMap<DescMessage, ReadonlyMap<number, DescField>>();

/** A list of a request whose length is known before any of it is decoded. */
export interface CountedList {
  /** The list, a field of the request itself. */
  readonly field: DescField;
  /** Throws if it has too many elements. */
  readonly check: (elements: number) => void;
}

/**
 * Divides a message between its fields. Its parts are messages of the same type; merged in their order
 * they are the whole. Makes no objects of the fields.
 *
 * @param schema Type of the message.
 * @param bytes The message.
 * @param most Most fields and list elements, those of its parts included.
 * @param list A list that is counted.
 * @returns The parts. Yields between them.
 * @throws {GrpcFailure} RESOURCE_EXHAUSTED if there are more, or too many in one field.
 * @throws If the bytes are no message, or what `list` throws.
 */
export function* messageParts(
  schema: DescMessage,
  bytes: Uint8Array,
  most: number,
  list?: CountedList,
): Generator<undefined, Uint8Array[]> {
  const reader = new BinaryReader(bytes);
  const parts: Uint8Array[] = [];
  const around: Around = { schema, depth: 0, end: reader.len };
  let from = 0, inPart = 0, all = 0, elements = 0;
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const tag = reader.uint32();
    if (tag >>> 3 === list?.field.number) elements++;
    const n = countField(reader, tag, around);
    all += n;
    if (all > most) throw tooMany("the request", most);
    if (inPart + n > PART_FIELDS && inPart > 0) {
      parts.push(bytes.subarray(from, start));
      [from, inPart] = [start, 0];
      yield;
    }
    inPart += n;
  }
  list?.check(elements);
  parts.push(bytes.subarray(from));
  return parts;
}

function tooMany(what: string, most: number): GrpcFailure {
  return new GrpcFailure(
    GrpcStatus.RESOURCE_EXHAUSTED,
    `${what} has more than ${most} fields`,
  );
}

/** The message or group of a field. */
interface Around {
  /** Its type; absent in groups. */
  readonly schema: DescMessage | undefined;
  readonly depth: number;
  /** Its end in the request. */
  readonly end: number;
}

/** Passes over the field of a tag; 1 and the number of fields and list elements in it. */
function countField(reader: BinaryReader, tag: number, around: Around): number {
  const { schema, depth, end } = around;
  const number = tag >>> 3, type: WireType = tag & 7;
  if (number === 0 || type > WireType.Bit32) {
    throw new Error(`illegal tag: field no ${number} wire type ${type}`);
  }
  if (type === WireType.StartGroup) {
    return 1 + countGroup(reader, number, { schema: undefined, depth: depth + 1, end });
  }
  if (type !== WireType.LengthDelimited) {
    skipNumber(reader, type);
    checkEnd(reader, end);
    return 1;
  }
  const length = reader.uint32();
  const start = reader.pos;
  reader.pos += length;
  checkEnd(reader, end);
  const field = schema && fieldOf(schema, number);
  if (field?.message !== undefined) {
    reader.pos = start;
    const inner = { schema: field.message, depth: depth + 1, end: start + length };
    return 1 + countMessage(reader, inner);
  }
  return field !== undefined && isPacked(field) ? 1 + length : 1;
}

/** Passes over a number. */
function skipNumber(reader: BinaryReader, type: WireType): void {
  if (type === WireType.Varint) reader.uint32();
  else if (type === WireType.Bit64) reader.pos += 8;
  else if (type === WireType.Bit32) reader.pos += 4;
  else throw new Error(`cannot skip wire type ${type}`);
}

function checkEnd(reader: BinaryReader, end: number): void {
  if (reader.pos > end) throw new RangeError("premature EOF");
}

/** The fields of a message within the request. */
function countMessage(reader: BinaryReader, around: Around): number {
  checkDepth(around.depth);
  let n = 0;
  while (reader.pos < around.end) {
    n = withinPart(n + countField(reader, reader.uint32(), around));
  }
  return n;
}

/** Passes over the rest of a group. No type of this API has one, and decoding passes over it too. */
function countGroup(reader: BinaryReader, number: number, around: Around): number {
  checkDepth(around.depth);
  for (let n = 0;;) {
    const tag = reader.uint32();
    if ((tag & 7) === WireType.EndGroup) {
      if (tag >>> 3 !== number) throw new Error("invalid end group tag");
      checkEnd(reader, around.end);
      return n;
    }
    n = withinPart(n + countField(reader, tag, around));
  }
}

function checkDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new RangeError("the message is too deep");
}

/** A number of fields of one field, which is decoded at once. */
function withinPart(fields: number): number {
  if (fields > PART_FIELDS) throw tooMany("a field of the request", PART_FIELDS);
  return fields;
}

function fieldOf(schema: DescMessage, number: number): DescField | undefined {
  let fields = fieldsOf.get(schema);
  if (fields === undefined) {
    fields = new Map(schema.fields.map((field) => [field.number, field]));
    fieldsOf.set(schema, fields);
  }
  return fields.get(number);
}

/** Tells whether the bytes of a field are a list of numbers, each at least one byte. */
function isPacked(field: DescField): boolean {
  return field.fieldKind === "list" &&
    (field.scalar === undefined ||
      (field.scalar !== ScalarType.STRING && field.scalar !== ScalarType.BYTES));
}
