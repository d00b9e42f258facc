/**
 * Decodes the messages of servers, with a bound on the objects that come of it.
 *
 * @module
 */

import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { BinaryReader } from "@bufbuild/protobuf/wire";

/**
 * Most fields and list elements of a message: a thousand streams, which is what servers put into one,
 * with 130 tags and annotations each.
 */
const MAX_FIELDS = 1 << 19;

/** Wire type of parts; the library's name for it would not be small in a page. */
const LENGTH_DELIMITED = 2;

/**
 * Decodes a message.
 *
 * @throws {Error} If the bytes are not such a message, or as {@linkcode checkFields}.
 */
export function decodeMessage<Desc extends DescMessage>(
  schema: Desc,
  bytes: Uint8Array,
): MessageShape<Desc> {
  checkFields(schema, bytes);
  return fromBinary(schema, bytes);
}

/**
 * Checks that decoding a message does not make more objects than it may.
 *
 * @throws {Error} If the bytes are not such a message, or have more than {@linkcode MAX_FIELDS} fields.
 */
export function checkFields(schema: DescMessage, bytes: Uint8Array): void {
  const mayBeMore = bytes.length > MAX_FIELDS;
  if (
    mayBeMore && countFields(schema, bytes, MAX_FIELDS) > MAX_FIELDS
  ) {
    throw new RangeError(`it has over ${MAX_FIELDS} fields`);
  }
}

/** The number of fields, or some number above `most`. No message of BTrDB has itself as a part. */
function countFields(schema: DescMessage, bytes: Uint8Array, most: number): number {
  const reader = new BinaryReader(bytes);
  let fields = 0;
  while (reader.pos < reader.len && fields++ < most) {
    const [number, type] = reader.tag();
    const part = type === LENGTH_DELIMITED &&
      schema.fields.find((field) => field.number === number)?.message;
    if (part) fields += countFields(part, reader.bytes(), most - fields);
    else reader.skip(type, number);
  }
  return fields;
}
