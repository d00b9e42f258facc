/**
 * Checks the metadata of Arrow IPC streams and files, which are flatbuffers, before a decoder
 * believes their lengths (Arrow columnar format, "Serialization and interprocess communication").
 *
 * @module
 */

const CONTINUATION = 0xffffffff;
const FILE_MAGIC = [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31];
/** Bytes at the end of a file: length of the footer, and the magic. */
const FILE_END_BYTES = 10;
/** Most levels of fields below fields. */
const MAX_DEPTH = 64;
/** Most fields and pairs of metadata in all: a decoder makes an object of each. */
const MAX_TABLES = 1 << 18;

/** Kinds of messages. */
const SCHEMA = 1;
const DICTIONARY = 2;
const BATCH = 3;

/** Bytes of the structs in vectors. */
const NODE_BYTES = 16;
const BUFFER_BYTES = 16;
const BLOCK_BYTES = 24;

/**
 * Checks that tables, vectors and texts are inside of their message and not more than it has room
 * for.
 *
 * @param bytes A complete IPC stream or file.
 * @throws {RangeError} If something is not, as everything outside of a `DataView` is.
 */
export function checkMetadata(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tables = { left: MAX_TABLES };
  if (FILE_MAGIC.every((byte, i) => bytes[i] === byte)) {
    for (const at of blocksOf(view, tables)) checkMessageAt(view, at, tables);
    return;
  }
  for (let at = 0; at + 8 <= bytes.length;) {
    const end = checkMessageAt(view, at, tables);
    if (end === undefined) return;
    at = end;
  }
}

/** Checks the footer of a file; offsets of its messages. Only the footer says where they are. */
function blocksOf(view: DataView, tables: { left: number }): number[] {
  const end = view.byteLength - FILE_END_BYTES;
  const length = view.getUint32(end, true);
  const footer = new FlatBuffer(part(view, end - length, length), tables);
  const root = footer.root();
  checkSchema(footer, footer.child(root, 1));
  checkPairs(footer, root, 4);
  return [...footer.longs(root, 2, BLOCK_BYTES), ...footer.longs(root, 3, BLOCK_BYTES)].map(Number);
}

/** Checks the message at `at`; its end, or undefined if it is the end of a stream. */
function checkMessageAt(view: DataView, at: number, tables: { left: number }): number | undefined {
  const isMarked = view.getUint32(at, true) === CONTINUATION;
  const from = at + (isMarked ? 8 : 4);
  const length = view.getUint32(from - 4, true);
  if (length === 0) return undefined;
  return from + length + checkMessage(new FlatBuffer(part(view, from, length), tables));
}

function part(view: DataView, from: number, length: number): DataView {
  return new DataView(view.buffer, view.byteOffset + from, inside(length, view.byteLength - from));
}

function inside(length: number, room: number): number {
  if (length > room) throw new RangeError(`a length of ${length} in ${room} bytes`);
  return length;
}

/** Checks a message; bytes of its body. */
function checkMessage(buffer: FlatBuffer): number {
  const root = buffer.root();
  const kind = buffer.byte(root, 1);
  const header = buffer.child(root, 2);
  if (kind === SCHEMA) checkSchema(buffer, header);
  else if (kind === BATCH) checkBatch(buffer, header);
  else if (kind === DICTIONARY && header !== 0) checkBatch(buffer, buffer.child(header, 1));
  checkPairs(buffer, root, 4);
  return Math.max(0, Number(buffer.long(root, 3)));
}

function checkBatch(buffer: FlatBuffer, batch: number): void {
  if (batch === 0) return;
  buffer.vector(batch, 1, NODE_BYTES);
  buffer.vector(batch, 2, BUFFER_BYTES);
  buffer.vector(batch, 4, 8);
}

function checkSchema(buffer: FlatBuffer, schema: number): void {
  if (schema === 0) return;
  checkFields(buffer, schema, 1, 0);
  checkPairs(buffer, schema, 2);
  buffer.vector(schema, 3, 8);
}

function checkFields(buffer: FlatBuffer, table: number, slot: number, depth: number): void {
  if (depth > MAX_DEPTH) throw new RangeError(`more than ${MAX_DEPTH} levels of fields`);
  for (const field of buffer.tables(table, slot)) {
    buffer.vector(field, 0, 1);
    const type = buffer.child(field, 3);
    // Of all types, a union alone has a vector, timestamps have a text in the same slot.
    if (type !== 0 && buffer.byte(field, 2) === UNION) buffer.vector(type, 1, 4);
    if (type !== 0 && buffer.byte(field, 2) === TIMESTAMP) buffer.vector(type, 1, 1);
    checkFields(buffer, field, 5, depth + 1);
    checkPairs(buffer, field, 6);
  }
}

const TIMESTAMP = 10;
const UNION = 14;

function checkPairs(buffer: FlatBuffer, table: number, slot: number): void {
  for (const pair of buffer.tables(table, slot)) {
    buffer.vector(pair, 0, 1);
    buffer.vector(pair, 1, 1);
  }
}

/** A flatbuffer; whatever is outside of it throws. */
class FlatBuffer {
  readonly #view: DataView;
  /** Tables that may still be visited: offsets may lead many times to the same one. */
  readonly #tables: { left: number };

  constructor(view: DataView, tables: { left: number }) {
    this.#view = view;
    this.#tables = tables;
  }

  root(): number {
    return this.#view.getUint32(0, true);
  }

  byte(table: number, slot: number): number {
    const at = this.#field(table, slot);
    return at === 0 ? 0 : this.#view.getUint8(at);
  }

  long(table: number, slot: number): bigint {
    const at = this.#field(table, slot);
    return at === 0 ? 0n : this.#view.getBigInt64(at, true);
  }

  /** The table that a field leads to; 0: none. */
  child(table: number, slot: number): number {
    const at = this.#field(table, slot);
    return at === 0 ? 0 : this.#at(at);
  }

  /** First element and number of elements of a vector or text. */
  vector(table: number, slot: number, elementBytes: number): { from: number; length: number } {
    const at = this.#field(table, slot);
    if (at === 0) return { from: 0, length: 0 };
    const from = this.#at(at) + 4;
    const length = this.#view.getUint32(from - 4, true);
    inside(length * elementBytes, this.#view.byteLength - from);
    return { from, length };
  }

  /** The first longs of the structs of a vector. */
  longs(table: number, slot: number, elementBytes: number): bigint[] {
    const { from, length } = this.vector(table, slot, elementBytes);
    const all: bigint[] = [];
    for (let i = 0; i < length; i++) {
      all.push(this.#view.getBigInt64(from + elementBytes * i, true));
    }
    return all;
  }

  /** The tables of a vector. */
  *tables(table: number, slot: number): Generator<number, void, void> {
    const { from, length } = this.vector(table, slot, 4);
    for (let i = 0; i < length; i++) {
      if (--this.#tables.left < 0) throw new RangeError(`more than ${MAX_TABLES} fields`);
      yield this.#at(from + 4 * i);
    }
  }

  #at(offset: number): number {
    return offset + this.#view.getUint32(offset, true);
  }

  #field(table: number, slot: number): number {
    const fields = table - this.#view.getInt32(table, true);
    const size = this.#view.getUint16(fields, true);
    const at = 4 + 2 * slot < size ? this.#view.getUint16(fields + 4 + 2 * slot, true) : 0;
    return at === 0 ? 0 : table + at;
  }
}
