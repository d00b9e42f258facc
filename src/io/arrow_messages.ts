/**
 * Messages of Arrow IPC streams and files.
 *
 * @module
 */

import {
  type Blocks,
  compareBlocks,
  compareSchemas,
  footerOf,
  isArrowMark,
  MAX_FOOTER_BYTES,
} from "../arrow/file_footer.ts";
import { schemaOfMessage } from "../arrow/check_metadata.ts";
import { FlatBuffer, tableCount } from "../arrow/flat_buffer.ts";
import { invalid } from "../arrow/arrow_error.ts";
import { checkBytes } from "../core/check_bytes.ts";
import { concatBytes } from "../core/bytes.ts";

/** End of an IPC stream: a message without a body. */
export const END_OF_STREAM: Uint8Array = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);
const CONTINUATION = 0xffffffff;
/** Bytes by which a file and a stream are told apart: the mark of a file, and what follows. */
const FIRST_BYTES = 12;
/** Longest file that is held in memory, because its messages can only be found by its footer. */
const MAX_FILE_BYTES = 2 ** 30;
/** Longest message read: beyond it the bytes are no Arrow stream. */
const MAX_MESSAGE_BYTES = 2 ** 31 - 1;
/** Longest metadata of a message, such as a schema: decoding them takes twenty times as much memory. */
const MAX_METADATA_BYTES = 2 ** 24;

/** A message of an IPC stream. */
export interface Message {
  /** `"file"`: all of a file whose batches only its footer tells. */
  readonly kind: "schema" | "dictionary" | "batch" | "file";
  readonly bytes: Uint8Array;
  /** Number of a dictionary. */
  readonly id?: number;
  /** True if a dictionary adds to the one before of its number. */
  readonly isDelta?: boolean;
}

/**
 * The messages of a stream, or of a file, whose messages stand between a mark and a footer.
 *
 * @param source The bytes, in pieces of any size.
 * @param onNoEnd Called if a stream ends without the mark of its end, as it may.
 * @throws {BTrDBError} 438 if they end inside a message, something follows the end of a stream, or the
 * footer of a file names other batches or columns.
 */
export async function* messagesOf(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  onNoEnd?: () => void,
): AsyncGenerator<Message, void, void> {
  let parts: Uint8Array[] = [];
  let length = 0;
  /** Bytes without which the next message is not whole. */
  let needed = 8;
  let form: "stream" | "file" | undefined;
  let isEnded = false;
  /** Bytes of all messages so far. */
  let read = 0;
  const blocks: Blocks = { dictionary: [], batch: [] };
  let schema: Uint8Array | undefined;
  for await (const bytes of source) {
    checkBytes("read Arrow", "a piece of source", bytes);
    parts.push(bytes);
    length += bytes.length;
    if (isEnded) checkEnd(form, length, read);
    if (length < needed || isEnded) continue;
    if (form === undefined && length < FIRST_BYTES) {
      needed = FIRST_BYTES;
      continue;
    }
    let rest = concatBytes(parts);
    const isFile = form === undefined ? isArrowMark(rest, 0) : form === "file";
    if (form === undefined && isFile && u32At(rest, 8) !== CONTINUATION) {
      needed = Infinity;
      parts = [rest];
      if (length > MAX_FILE_BYTES) throw invalid(`the file has more than ${MAX_FILE_BYTES} bytes`);
      continue;
    }
    let at = form === undefined && isFile ? 8 : 0;
    form = isFile ? "file" : "stream";
    while (!isEnded) {
      const found = messageAt(rest, at, isFile);
      if (!found.isWhole) {
        needed = found.end - at;
        break;
      }
      const { message } = found;
      if (message === undefined) isEnded = true;
      else yield message;
      if (message?.kind === "schema") schema = message.bytes.slice();
      if (message?.kind === "batch") blocks.batch.push(read + at);
      if (message?.kind === "dictionary") blocks.dictionary.push(read + at);
      at = found.end;
    }
    read += at;
    rest = rest.subarray(at);
    parts = [rest];
    length = rest.length;
    if (isEnded) checkEnd(form, length, read);
  }
  const all = concatBytes(parts);
  // Streams of Arrow before 0.15 end with a length of 0, without a mark before it.
  if (form === "stream" && length === 4 && u32At(all, 0) === 0) return;
  if (form === undefined && isArrowMark(all, 0)) yield { kind: "file", bytes: all };
  else if (form === "file" && isEnded) {
    const footer = footerOf(all);
    compareBlocks(footer.blocks, blocks);
    if (schema !== undefined) compareSchemas(footer.layout(), schemaOfMessage(schema));
  } else if (form === "file") {
    throw invalid(`the file is cut off: it ends at byte ${read + length}`);
  } else if (length > 0 && !isEnded) throw invalid("the bytes end inside a message");
  else if (form === "stream" && !isEnded) onNoEnd?.();
}

/** Checks what is behind the end of the messages. */
function checkEnd(form: "stream" | "file" | undefined, length: number, read: number): void {
  if (form === "stream" && length > 0) {
    throw invalid(`the stream ends at byte ${read}, and more bytes follow`);
  }
  if (length > MAX_FOOTER_BYTES) {
    throw invalid(`more than ${MAX_FOOTER_BYTES} bytes follow the last batch, at byte ${read}`);
  }
}

function u32At(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
}

const KINDS: Readonly<Record<number, Message["kind"]>> = {
  1: "schema",
  2: "dictionary",
  3: "batch",
};

/**
 * The message at `at`; without one, it is the end. If not all of it is here, `end` is where it ends at
 * the earliest. (Arrow columnar format, "Encapsulated message format".)
 */
function messageAt(
  bytes: Uint8Array,
  at: number,
  isFile: boolean,
): { message?: Message; end: number; isWhole: boolean } {
  const partial = (end: number) => ({ end, isWhole: false });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (at + 8 > bytes.length) return partial(at + 8);
  const marked = view.getUint32(at, true) === CONTINUATION;
  // Some writers put the footer right behind the last batch.
  if (isFile && !marked) return { end: at, isWhole: true };
  const from = at + (marked ? 8 : 4);
  const length = view.getUint32(at + (marked ? 4 : 0), true);
  if (length === 0) return { end: from, isWhole: true };
  if (length > MAX_MESSAGE_BYTES) throw invalid("the bytes are no Arrow IPC stream");
  if (length > MAX_METADATA_BYTES) {
    throw invalid(
      `a message has ${length} bytes of metadata, expected at most ${MAX_METADATA_BYTES}`,
    );
  }
  if (from + length > bytes.length) return partial(from + length);
  const { bodyBytes, ...head } = readHead(bytes.subarray(from, from + length));
  const end = from + length + bodyBytes;
  if (end > bytes.length) return partial(end);
  return { message: { ...head, bytes: bytes.subarray(at, end) }, end, isWhole: true };
}

/**
 * Kind and length of the body, from the flatbuffer `Message { version, header_type, header,
 * bodyLength }`; of a `DictionaryBatch { id, data, isDelta }`
 * which one it is.
 */
function readHead(metadata: Uint8Array): Omit<Message, "bytes"> & { bodyBytes: number } {
  try {
    const { buffer, byteOffset, byteLength } = metadata;
    const flat = new FlatBuffer(new DataView(buffer, byteOffset, byteLength), tableCount());
    const root = flat.root();
    const kind = KINDS[flat.byte(root, 1)];
    const header = flat.child(root, 2);
    const bodyBytes = flat.long(root, 3);
    if (kind !== undefined && header !== 0 && bodyBytes >= 0 && bodyBytes <= MAX_MESSAGE_BYTES) {
      if (kind !== "dictionary") return { kind, bodyBytes };
      return { kind, bodyBytes, id: flat.long(header, 0), isDelta: flat.byte(header, 2) !== 0 };
    }
  } catch (cause) {
    throw invalid("the bytes are no Arrow IPC stream", cause);
  }
  throw invalid("the bytes are no Arrow IPC stream");
}
