/**
 * Checks the metadata of Arrow IPC streams and files, which are flatbuffers, before a decoder
 * trusts their lengths (Arrow columnar format, "Serialization and interprocess communication").
 *
 * @module
 */

import { FlatBuffer, inside, type TableCount, tableCount } from "./flat_buffer.ts";
import { invalid } from "./arrow_error.ts";

const CONTINUATION = 0xffffffff;
const FILE_MAGIC = [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31];
/** Bytes at the end of a file: length of the footer, and the magic. */
const FILE_END_BYTES = 10;
/** Most levels of fields below fields. */
const MAX_DEPTH = 64;
/** Most columns of all batches together: a decoder makes objects of each. */
const MAX_PARTS = 1 << 20;
/** Most dictionaries, and of dictionaries times batches: a decoder compares each with each. */
const MAX_DICTIONARIES = 4096;
const MAX_PAIRINGS = 1 << 26;

/** V4; buffers of versions before it have another form. */
const FIRST_VERSION = 3;

/** Kinds of messages. */
const SCHEMA = 1;
const DICTIONARY = 2;
const BATCH = 3;

/** Bytes of the structs in vectors. */
const NODE_BYTES = 16;
const BUFFER_BYTES = 16;
const BLOCK_BYTES = 24;

/** A message of an IPC stream or file. */
export interface ArrowMessage {
  readonly kind: "schema" | "dictionary" | "batch" | "other";
  /** The message with its body. */
  readonly bytes: Uint8Array;
  /** Rows that a batch says to have. */
  readonly rows: number;
  /** Fields of a schema, or columns and what is below them in a batch. */
  readonly parts: number;
  /** Buffers that are compressed. */
  readonly compressed: readonly CompressedBuffer[];
}

/** A compressed buffer of a batch. */
export interface CompressedBuffer {
  /** 0: LZ4 frame, 1: ZSTD. */
  readonly codec: number;
  /** Its bytes, with their length when unpacked before them. */
  readonly bytes: Uint8Array;
}

/** Bounds on metadata. */
export interface MetadataBounds {
  /** Columns of all batches together, each batch counted as one more. */
  readonly maxParts?: number | undefined;
  /** Bytes of the metadata of a message, and of the footer of a file. */
  readonly maxBytes?: number | undefined;
  /** Fields and pairs of metadata in all. */
  readonly maxTables?: number | undefined;
}

/**
 * Checks that tables, vectors, texts and buffers are inside of their message and not more than it
 * has room for.
 *
 * @param bytes A complete IPC stream or file.
 * @param bounds Its bounds.
 * @throws {RangeError} If something is not, as everything outside of a `DataView` is.
 */
export function checkMetadata(bytes: Uint8Array, bounds?: MetadataBounds): void {
  const checking = messagesOf(bytes, bounds);
  while (!checking.next().done);
}

/**
 * Checks the same, and finds the messages.
 *
 * @param bytes A complete IPC stream or file.
 * @param bounds Its bounds.
 * @returns The messages in the order in which they are read; of a file without its schema, which is
 * in the footer and in the first message.
 * @throws {RangeError} As {@linkcode checkMetadata}.
 */
export function* messagesOf(
  bytes: Uint8Array,
  { maxParts = MAX_PARTS, maxBytes = Infinity, maxTables }: MetadataBounds = {},
): Generator<ArrowMessage, void, void> {
  const metadata: Metadata = { maxBytes, tables: tableCount(maxTables) };
  const isFile = FILE_MAGIC.every((byte, i) => bytes[i] === byte);
  const footer = isFile ? footerOf(bytes, metadata) : undefined;
  let fields = footer?.fields;
  let dictionaries = 0, batches = 0, parts = 0, read = 0;
  for (let i = 0; footer === undefined ? read + 8 <= bytes.length : i < footer.blocks.length; i++) {
    const message = messageAt(bytes, footer?.blocks[i] ?? read, metadata);
    if (message === undefined) {
      if (footer === undefined) return;
      continue;
    }
    // Messages of a file could share their bytes: a few would be read any number of times.
    read += inside(message.bytes.length, bytes.length - read);
    if (message.kind === "schema") fields ??= message.parts;
    else parts += 1 + Math.max(fields ?? 0, message.parts);
    if (message.kind === "dictionary") dictionaries++;
    if (message.kind === "batch") batches++;
    if (parts > maxParts) throw invalid(`its batches have more than ${maxParts} columns in all`);
    inside(dictionaries, MAX_DICTIONARIES);
    inside(dictionaries * batches, MAX_PAIRINGS);
    yield message;
  }
}

/** Bounds on the metadata that are read. */
interface Metadata {
  readonly maxBytes: number;
  readonly tables: TableCount;
}

/** A flatbuffer in `bytes`, if it is not longer than it may be. */
function flatBufferAt(
  view: DataView,
  from: number,
  length: number,
  { maxBytes, tables }: Metadata,
): FlatBuffer {
  if (length > maxBytes) {
    throw invalid(`the metadata of a message have ${length} bytes, expected at most ${maxBytes}`);
  }
  return new FlatBuffer(part(view, from, length), tables);
}

/** Checks the footer of a file; its fields, and where its messages are, which only it says. */
function footerOf(
  bytes: Uint8Array,
  metadata: Metadata,
): { fields: number; blocks: readonly number[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = view.byteLength - FILE_END_BYTES;
  const length = view.getUint32(end, true);
  const footer = flatBufferAt(view, end - length, length, metadata);
  const root = footer.root();
  const fields = checkSchema(footer, footer.child(root, 1));
  checkPairs(footer, root, 4);
  const blocks = [2, 3].flatMap((slot) => footer.longs(root, slot, BLOCK_BYTES));
  return { fields, blocks };
}

/** Checks the message at `at`; undefined if it is the end of a stream. */
function messageAt(bytes: Uint8Array, at: number, metadata: Metadata): ArrowMessage | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isMarked = view.getUint32(at, true) === CONTINUATION;
  const from = at + (isMarked ? 8 : 4);
  const length = view.getUint32(from - 4, true);
  if (length === 0) return undefined;
  const buffer = flatBufferAt(view, from, length, metadata);
  const root = buffer.root();
  if (buffer.short(root, 0) < FIRST_VERSION) throw new RangeError("a version before 0.8");
  const kind = buffer.byte(root, 1);
  const header = buffer.child(root, 2);
  const bodyBytes = Math.max(0, buffer.long(root, 3));
  const body = from + length;
  inside(bodyBytes, bytes.length - body);
  const message = bytes.subarray(at, body + bodyBytes);
  checkPairs(buffer, root, 4);
  if (kind === SCHEMA) {
    const parts = checkSchema(buffer, header);
    return { kind: "schema", bytes: message, rows: 0, parts, compressed: [] };
  }
  const isDictionary = kind === DICTIONARY && header !== 0;
  const batch = isDictionary ? buffer.child(header, 1) : kind === BATCH ? header : 0;
  if (batch === 0) return { kind: "other", bytes: message, rows: 0, parts: 0, compressed: [] };
  const rows = buffer.long(batch, 0);
  if (rows < 0) throw new RangeError(`a batch of ${rows} rows`);
  return {
    kind: isDictionary ? "dictionary" : "batch",
    bytes: message,
    rows,
    parts: buffer.vector(batch, 1, NODE_BYTES).length,
    compressed: checkBuffers(buffer, batch, bytes.subarray(body, body + bodyBytes)),
  };
}

function part(view: DataView, from: number, length: number): DataView {
  return new DataView(view.buffer, view.byteOffset + from, inside(length, view.byteLength - from));
}

/** Checks the buffers of a batch; those that are compressed. */
function checkBuffers(buffer: FlatBuffer, batch: number, body: Uint8Array): CompressedBuffer[] {
  buffer.vector(batch, 4, 8);
  const offsets = buffer.longs(batch, 2, BUFFER_BYTES);
  const lengths = buffer.longs(batch, 2, BUFFER_BYTES, 8);
  const compression = buffer.child(batch, 3);
  const compressed: CompressedBuffer[] = [];
  offsets.forEach((offset, i) => {
    const length = lengths[i]!;
    if (offset < 0 || length < 0) throw new RangeError(`a buffer of ${length} bytes at ${offset}`);
    inside(offset + length, body.length);
    if (compression === 0 || length === 0) return;
    const codec = buffer.byte(compression, 0);
    compressed.push({ codec, bytes: body.subarray(offset, offset + length) });
  });
  return compressed;
}

/** Checks a schema; the number of its fields. */
function checkSchema(buffer: FlatBuffer, schema: number): number {
  if (schema === 0) return 0;
  if (buffer.short(schema, 0) !== 0) throw invalid("its numbers are big-endian");
  const fields = checkFields(buffer, schema, 1, 0);
  checkPairs(buffer, schema, 2);
  buffer.vector(schema, 3, 8);
  return fields;
}

function checkFields(buffer: FlatBuffer, table: number, slot: number, depth: number): number {
  if (depth > MAX_DEPTH) throw new RangeError(`more than ${MAX_DEPTH} levels of fields`);
  let count = 0;
  for (const field of buffer.tables(table, slot)) {
    buffer.vector(field, 0, 1);
    const type = buffer.child(field, 3);
    // Of all types, a union alone has a vector, timestamps have a text in the same slot.
    if (type !== 0 && buffer.byte(field, 2) === UNION) buffer.vector(type, 1, 4);
    if (type !== 0 && buffer.byte(field, 2) === TIMESTAMP) buffer.vector(type, 1, 1);
    if (type !== 0 && buffer.byte(field, 2) === DECIMAL) checkScale(buffer.int(type, 1));
    count += 1 + checkFields(buffer, field, 5, depth + 1);
    checkPairs(buffer, field, 6);
  }
  return count;
}

const DECIMAL = 7;
const TIMESTAMP = 10;
const UNION = 14;

/** Most digits of a decimal of 256 bits. */
const MAX_SCALE = 76;

/** Checks the scale of a decimal: a decoder computes ten to that power with every digit. */
function checkScale(scale: number): void {
  if (scale >= 0 && scale <= MAX_SCALE) return;
  throw invalid(`a column of decimals has scale ${scale}, expected 0 to ${MAX_SCALE}`);
}

function checkPairs(buffer: FlatBuffer, table: number, slot: number): void {
  for (const pair of buffer.tables(table, slot)) {
    buffer.vector(pair, 0, 1);
    buffer.vector(pair, 1, 1);
  }
}
