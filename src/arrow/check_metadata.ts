/**
 * Checks the metadata of Arrow IPC streams and files, which are flatbuffers, before a decoder
 * trusts their lengths (Arrow columnar format, "Serialization and interprocess communication").
 *
 * @module
 */

import { invalid, quotedName } from "./arrow_error.ts";
import { type BatchParts, checkBatch } from "./check_batch.ts";
import {
  type Blocks,
  compareBlocks,
  compareSchemas,
  type Footer,
  footerOf,
  isArrowMark,
} from "./file_footer.ts";
import { FlatBuffer, type FlatBufferBounds, inside, tableCount } from "./flat_buffer.ts";
import { checkPairs, type SchemaLayout, schemaLayout } from "./schema_layout.ts";

const CONTINUATION = 0xffffffff;
/** Bytes of a file before its messages: its mark, and two zeros. */
const FILE_START_BYTES = 8;
/** Most columns of all batches together: a decoder makes objects of each. */
const MAX_PARTS = 1 << 20;
/** Most dictionaries, and of dictionaries times batches: a decoder compares each with each. */
const MAX_DICTIONARIES = 4096;
const MAX_PAIRINGS = 1 << 26;

/** V4 and V5; buffers of versions before them have another form. */
const VERSIONS: readonly number[] = [3, 4];

/** Kinds of messages. */
const SCHEMA = 1;
const DICTIONARY = 2;
const BATCH = 3;

/** A message of an IPC stream or file. */
export type ArrowMessage =
  & BatchParts
  & {
    /** The message with its body. */
    readonly bytes: Uint8Array;
    /** Bytes before its body. */
    readonly metadataBytes: number;
  }
  & (
    | { readonly kind: "schema"; readonly layout: SchemaLayout }
    | { readonly kind: "dictionary" | "batch" }
  );

/** Bounds on metadata. */
export interface MetadataBounds {
  /** Columns of all batches together, each batch counted as one more. */
  readonly maxParts?: number | undefined;
  /** Bytes of the metadata of a message, and of the footer of a file. */
  readonly maxBytes?: number | undefined;
  /** Fields and pairs of metadata in all. */
  readonly maxTables?: number | undefined;
  /** Columns of the schema, with those that are below others. */
  readonly maxColumns?: number | undefined;
}

/**
 * Checks that tables, vectors, texts and buffers are inside of their message and not more than it
 * has room for, and that batches have what their schema says.
 *
 * @param bytes A complete IPC stream or file.
 * @param bounds Its bounds.
 * @returns Its messages, in one piece or in the order in which they are read.
 * @throws {RangeError} If something is not, as everything outside of a `DataView` is.
 */
export function checkMetadata(
  bytes: Uint8Array,
  bounds?: MetadataBounds,
): Uint8Array | Uint8Array[] {
  const messages: Uint8Array[] = [];
  const checking = messagesOf(bytes, bounds);
  for (let step = checking.next();; step = checking.next()) {
    if (step.done) return step.value ?? messages;
    if (step.value !== undefined) messages.push(step.value.bytes);
  }
}

/**
 * Checks the same, and finds the messages. Yields each, and `undefined` between others that are checked
 * before their turn.
 *
 * @param bytes A complete IPC stream or file.
 * @param bounds Its bounds.
 * @returns The messages in the order in which they are read, and what they are in, if they are in that
 * order there: all of a stream, of a file what is between its mark and its footer.
 * @throws {RangeError} As {@linkcode checkMetadata}.
 */
export function* messagesOf(
  bytes: Uint8Array,
  { maxParts = MAX_PARTS, maxBytes = Infinity, maxTables, maxColumns }: MetadataBounds = {},
): Generator<ArrowMessage | undefined, Uint8Array | undefined, void> {
  const metadata: FlatBufferBounds = { maxBytes, tables: tableCount(maxTables), maxColumns };
  const footer = isArrowMark(bytes, 0) ? footerOf(bytes, metadata) : undefined;
  const start = footer === undefined ? 0 : FILE_START_BYTES;
  const all = bytes.subarray(0, footer?.at);
  const isStream = footer === undefined || startsWithMark(all.subarray(start));
  const messages = isStream ? inOrder(all, start, metadata) : named(all, footer, metadata);
  const blocks: Blocks = { dictionary: [], batch: [] };
  let fields = 0;
  let parts = 0;
  for (const message of messages) {
    if (message === undefined) {
      yield;
      continue;
    }
    if (message.kind === "schema") {
      fields = message.parts;
      if (isStream && footer !== undefined) compareSchemas(footer.layout(), message.layout);
    } else {
      blocks[message.kind].push(message.bytes.byteOffset - bytes.byteOffset);
      parts += 1 + Math.max(fields, message.parts);
    }
    if (parts > maxParts) throw invalid(`its batches have more than ${maxParts} columns in all`);
    inside(blocks.dictionary.length, MAX_DICTIONARIES);
    inside(blocks.dictionary.length * blocks.batch.length, MAX_PAIRINGS);
    yield message;
  }
  if (footer !== undefined) compareBlocks(footer.blocks, blocks);
  return isStream ? all.subarray(start) : undefined;
}

/**
 * The layout of the schema in a message.
 *
 * @param bytes Its message.
 * @throws {BTrDBError} 438 if it is none.
 */
export function schemaOfMessage(bytes: Uint8Array): SchemaLayout {
  const [message] = messagesOf(bytes);
  if (message?.kind !== "schema") throw invalid("it does not begin with a schema");
  return message.layout;
}

/** The messages of a stream, or of a file that has a stream in it. */
function* inOrder(
  bytes: Uint8Array,
  start: number,
  metadata: FlatBufferBounds,
): Generator<ArrowMessage, void, void> {
  const known = new Set<number>();
  let layout: SchemaLayout | undefined;
  for (let at = start; at < bytes.length;) {
    const message = messageAt(bytes, at, metadata, known, layout);
    if ("end" in message) {
      if (start === 0) checkEnd(bytes, message.end);
      return;
    }
    if (message.kind === "schema") layout = message.layout;
    yield message;
    at += message.bytes.length;
  }
}

/**
 * The messages that a footer names, which stand one behind another. Some writers put no length before the
 * schema, which is in the footer again, and dictionaries behind the batches: these are read first, if
 * none adds to another or takes its place.
 */
function* named(
  bytes: Uint8Array,
  footer: Footer,
  metadata: FlatBufferBounds,
): Generator<ArrowMessage | undefined, void, void> {
  const layout = footer.layout();
  const schema = footer.schemaMessage();
  yield {
    kind: "schema",
    bytes: schema,
    metadataBytes: schema.length,
    layout,
    parts: layout.fields,
    rows: 0,
    compressed: [],
  };
  const { dictionary, batch } = footer.blocks;
  inside(dictionary.length, MAX_DICTIONARIES);
  const known = new Set<number>();
  const at = (offset: number): ArrowMessage => {
    const message = messageAt(bytes, offset, metadata, known, layout);
    if (!("end" in message)) return message;
    throw invalid(`the footer of the file names an end, at byte ${offset}`);
  };
  const dictionaries: ArrowMessage[] = [];
  for (const offset of inPlace(dictionary)) {
    dictionaries.push(at(offset));
    yield;
  }
  const areFirst = known.size === dictionaries.length;
  if (areFirst) yield* dictionaries;
  else known.clear();
  const offsets = inPlace([...dictionary, ...batch]);
  let end = offsets[0] ?? endOfSchema(bytes);
  checkStart(bytes.subarray(0, end), metadata);
  for (const offset of offsets) {
    if (offset !== end) {
      throw invalid(`the footer of the file names byte ${offset}, expected ${end}`);
    }
    const message = at(offset);
    if (!(areFirst && message.kind === "dictionary")) yield message;
    end = offset + message.bytes.length;
  }
  if (end === bytes.length) return;
  if ("end" in messageAt(bytes, end, metadata, known, layout)) return;
  throw invalid(`the footer of the file does not name the batch at byte ${end}`);
}

/** The end of the schema of a file without batches, which may have the mark of their end. */
function endOfSchema(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const mark = bytes.length - 8;
  return view.getBigUint64(mark, true) === BigInt(CONTINUATION) ? mark : bytes.length;
}

/** Checks that there is nothing but a schema before the first message that a footer names. */
function checkStart(bytes: Uint8Array, metadata: FlatBufferBounds): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // Arrow before 0.15 puts only a length before a message, and Polars nothing.
  if (FILE_START_BYTES + 4 + view.getUint32(FILE_START_BYTES, true) === bytes.length) return;
  const length = bytes.length - FILE_START_BYTES;
  const buffer = FlatBuffer.at(view, FILE_START_BYTES, length, metadata);
  const root = buffer.root();
  schemaLayout(buffer, buffer.child(root, 2), buffer.short(root, 0), metadata.maxColumns);
  checkPairs(buffer, root, 4);
  buffer.checkEnd();
}

/** Offsets in the order of their places. */
function inPlace(offsets: readonly number[]): number[] {
  return [...offsets].sort((a, b) => a - b);
}

function startsWithMark(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 4).every((byte) => byte === 0xff);
}

/** Checks that nothing follows the end of a stream but zeros up to a multiple of 8 bytes. */
function checkEnd(bytes: Uint8Array, end: number): void {
  const rest = bytes.subarray(end);
  if (rest.length < 8 && rest.every((byte) => byte === 0)) return;
  throw invalid(`the stream ends at byte ${end}, and more bytes follow`);
}

/** The end of the messages of a stream. */
interface End {
  readonly end: number;
}

/**
 * Checks the message at `at`.
 *
 * @param known Numbers of the dictionaries before it; one that it has is added.
 * @param schema The layout of the schema before it.
 */
function messageAt(
  bytes: Uint8Array,
  at: number,
  metadata: FlatBufferBounds,
  known: Set<number>,
  schema: SchemaLayout | undefined,
): End | ArrowMessage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isMarked = view.getUint32(at, true) === CONTINUATION;
  const from = at + (isMarked ? 8 : 4);
  const length = view.getUint32(from - 4, true);
  if (length === 0) return { end: from };
  const buffer = FlatBuffer.at(view, from, length, metadata);
  const root = buffer.root();
  const version = buffer.short(root, 0);
  if (!VERSIONS.includes(version)) {
    throw invalid(`a message has metadata of version V${version + 1}, expected V4 or V5`);
  }
  const kind = buffer.byte(root, 1);
  const header = buffer.child(root, 2);
  const bodyBytes = buffer.long(root, 3);
  const body = from + length;
  if (bodyBytes < 0) throw invalid(`a message says that its body has ${bodyBytes} bytes`);
  inside(bodyBytes, bytes.length - body);
  const message = bytes.subarray(at, body + bodyBytes);
  const metadataBytes = body - at;
  checkPairs(buffer, root, 4);
  if (header === 0) throw invalid("a message is empty");
  if (kind === SCHEMA) {
    if (schema !== undefined) throw invalid("it has more than one schema");
    const layout = schemaLayout(buffer, header, version, metadata.maxColumns);
    return {
      kind: "schema",
      bytes: message,
      metadataBytes,
      rows: 0,
      parts: layout.fields,
      compressed: [],
      layout,
    };
  }
  if (schema === undefined) throw invalid("it does not begin with a schema");
  const own = bytes.subarray(body, body + bodyBytes);
  if (kind === BATCH) {
    for (const [id, { name }] of schema.dictionaries) {
      if (known.has(id)) continue;
      throw invalid(`a batch stands before dictionary ${id} of column ${quotedName(name())}`);
    }
    const parts = checkBatch(buffer, header, own, schema.columns);
    return { kind: "batch", bytes: message, metadataBytes, ...parts };
  }
  if (kind !== DICTIONARY) {
    throw invalid(`a message is of kind ${kind}, expected 1 (schema), 2 (dictionary) or 3 (batch)`);
  }
  const id = buffer.long(header, 0);
  const batch = buffer.child(header, 1);
  const values = schema.dictionaries.get(id);
  if (values === undefined) throw invalid(`no column has dictionary ${id}`);
  if (batch === 0) throw invalid(`dictionary ${id} is empty`);
  known.add(id);
  const parts = checkBatch(buffer, batch, own, [values]);
  return { kind: "dictionary", bytes: message, metadataBytes, ...parts };
}
