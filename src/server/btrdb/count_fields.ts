/**
 * Counts what a request is made of before it is decoded: a message of 16 MiB can have millions of
 * fields, and decoding them would hold everything else up for seconds.
 *
 * @module
 */

import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";

/** Deepest nesting that is looked at; no request is as deep. */
const MAX_DEPTH = 16;

/** Fields of a type by their numbers. */
const fieldsOf = new WeakMap<DescMessage, ReadonlyMap<number, DescField>>();

/**
 * The number of fields and list elements of a message, those of its parts included.
 *
 * @param schema Type of the message.
 * @param bytes The message.
 * @param most Counting ends above it.
 * @throws If the bytes are no message.
 */
export function countFields(schema: DescMessage, bytes: Uint8Array, most: number): number {
  return count(schema, bytes, most, 0);
}

function count(schema: DescMessage, bytes: Uint8Array, most: number, depth: number): number {
  if (depth > MAX_DEPTH) throw new RangeError("the message is too deep");
  let fields = fieldsOf.get(schema);
  if (fields === undefined) {
    fields = new Map(schema.fields.map((field) => [field.number, field]));
    fieldsOf.set(schema, fields);
  }
  const reader = new BinaryReader(bytes);
  let n = 0;
  while (reader.pos < reader.len && n <= most) {
    const [number, type] = reader.tag();
    const field = fields.get(number);
    n++;
    if (type !== WireType.LengthDelimited || field === undefined) {
      reader.skip(type, number);
      continue;
    }
    const part = reader.bytes();
    if (field.message !== undefined) n += count(field.message, part, most - n, depth + 1);
    else if (isPacked(field)) n += part.length;
  }
  return n;
}

/** Tells whether the bytes of a field are a list of numbers, each at least one byte. */
function isPacked(field: DescField): boolean {
  return field.fieldKind === "list" &&
    (field.scalar === undefined ||
      (field.scalar !== ScalarType.STRING && field.scalar !== ScalarType.BYTES));
}
