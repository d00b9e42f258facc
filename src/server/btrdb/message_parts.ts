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

/**
 * Divides a message between its fields. Its parts are messages of the same type; merged in their order
 * they are the whole.
 *
 * @param schema Type of the message.
 * @param bytes The message.
 * @param most Most fields and list elements, those of its parts included.
 * @returns The parts. Yields between them.
 * @throws {GrpcFailure} RESOURCE_EXHAUSTED if there are more, or too many in one field.
 * @throws If the bytes are no message.
 */
export function* messageParts(
  schema: DescMessage,
  bytes: Uint8Array,
  most: number,
): Generator<undefined, Uint8Array[]> {
  const reader = new BinaryReader(bytes);
  const parts: Uint8Array[] = [];
  let from = 0, inPart = 0, all = 0;
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const n = countField(reader, schema, 0);
    all += n;
    if (all > most) throw tooMany("the request", most);
    if (inPart + n > PART_FIELDS && inPart > 0) {
      parts.push(bytes.subarray(from, start));
      [from, inPart] = [start, 0];
      yield;
    }
    inPart += n;
  }
  parts.push(bytes.subarray(from));
  return parts;
}

function tooMany(what: string, most: number): GrpcFailure {
  return new GrpcFailure(
    GrpcStatus.RESOURCE_EXHAUSTED,
    `${what} has more than ${most} fields`,
  );
}

/** Passes over the next field; 1 and the number of fields and list elements in it. */
function countField(
  reader: BinaryReader,
  schema: DescMessage | undefined,
  depth: number,
): number {
  const [number, type] = reader.tag();
  if (type === WireType.StartGroup) return 1 + countGroup(reader, number, depth + 1);
  const field = schema && fieldOf(schema, number);
  if (type !== WireType.LengthDelimited || field === undefined) {
    reader.skip(type, number);
    return 1;
  }
  const part = reader.bytes();
  if (field.message !== undefined) return 1 + countMessage(field.message, part, depth + 1);
  return isPacked(field) ? 1 + part.length : 1;
}

/** The fields of a message within the request. */
function countMessage(schema: DescMessage, bytes: Uint8Array, depth: number): number {
  checkDepth(depth);
  const reader = new BinaryReader(bytes);
  let n = 0;
  while (reader.pos < reader.len) n = withinPart(n + countField(reader, schema, depth));
  return n;
}

/** Passes over the rest of a group. No type of this API has one, and decoding passes over it too. */
function countGroup(reader: BinaryReader, number: number, depth: number): number {
  checkDepth(depth);
  for (let n = 0;;) {
    const start = reader.pos;
    const [inner, type] = reader.tag();
    if (type === WireType.EndGroup) {
      if (inner !== number) throw new Error("invalid end group tag");
      return n;
    }
    reader.pos = start;
    n = withinPart(n + countField(reader, undefined, depth));
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
