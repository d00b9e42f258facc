/**
 * Messages of Arrow IPC streams and files.
 *
 * @module
 */

import { checkBytes } from "../core/check_bytes.ts";
import { invalid } from "../arrow/table.ts";
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

/** A message of an IPC stream. */
export interface Message {
  /** `"file"`: all of a file whose batches only its footer tells. */
  kind: "schema" | "dictionary" | "batch" | "file";
  bytes: Uint8Array;
}

/** The messages of a stream, or of a file, whose messages stand between a mark and a footer. */
export async function* messagesOf(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): AsyncGenerator<Message, void, void> {
  let parts: Uint8Array[] = [];
  let length = 0;
  /** Bytes without which the next message is not whole. */
  let needed = 8;
  let begun = false;
  for await (const bytes of source) {
    checkBytes("read Arrow", "a piece of source", bytes);
    parts.push(bytes);
    length += bytes.length;
    if (length < needed) continue;
    if (!begun && length < FIRST_BYTES) {
      needed = FIRST_BYTES;
      continue;
    }
    let rest = concatBytes(parts);
    const isFile = !begun && isArrowFile(rest);
    if (isFile && u32At(rest, 8) !== CONTINUATION) {
      needed = Infinity;
      parts = [rest];
      if (length > MAX_FILE_BYTES) throw invalid(`the file has more than ${MAX_FILE_BYTES} bytes`);
      continue;
    }
    let at = isFile ? 8 : 0;
    begun = true;
    let found = messageAt(rest, at);
    for (; found.isWhole; found = messageAt(rest, at)) {
      if (found.kind === undefined) return;
      yield { kind: found.kind, bytes: rest.subarray(at, found.end) };
      at = found.end;
    }
    needed = found.end - at;
    rest = rest.subarray(at);
    parts = [rest];
    length = rest.length;
  }
  const all = concatBytes(parts);
  if (!begun && isArrowFile(all)) yield { kind: "file", bytes: all };
  else if (length > 0) throw invalid("the bytes end inside a message");
}

function u32At(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(at, true);
}

/** Tells whether the bytes begin as an IPC file does: `ARROW1`. */
function isArrowFile(bytes: Uint8Array): boolean {
  return [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31].every((byte, i) => bytes[i] === byte);
}

const KINDS: Readonly<Record<number, Message["kind"]>> = {
  1: "schema",
  2: "dictionary",
  3: "batch",
};

/** The end of the first message of an IPC stream. */
export function endOfMessage(bytes: Uint8Array): number {
  return messageAt(bytes, 0).end;
}

/**
 * The message at `at`; without a kind it is the end of the stream. If not all of it is here, `end` is
 * where it ends at the earliest. (Arrow columnar format, "Encapsulated message format".)
 */
function messageAt(
  bytes: Uint8Array,
  at: number,
): { kind: Message["kind"] | undefined; end: number; isWhole: boolean } {
  const partial = (end: number) => ({ kind: undefined, end, isWhole: false });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (at + 8 > bytes.length) return partial(at + 8);
  const marked = view.getUint32(at, true) === CONTINUATION;
  const from = at + (marked ? 8 : 4);
  const length = view.getUint32(at + (marked ? 4 : 0), true);
  if (length === 0) return { kind: undefined, end: from, isWhole: true };
  if (length > MAX_MESSAGE_BYTES) throw invalid("the bytes are no Arrow IPC stream");
  if (from + length > bytes.length) return partial(from + length);
  const { kind, bodyBytes } = readHead(view, from, length);
  const end = from + length + bodyBytes;
  return end > bytes.length ? partial(end) : { kind, end, isWhole: true };
}

/**
 * Kind and length of the body, from the flatbuffer `Message { version, header_type, header,
 * bodyLength }`.
 */
function readHead(
  view: DataView,
  from: number,
  length: number,
): { kind: Message["kind"]; bodyBytes: number } {
  try {
    const own = new DataView(view.buffer, view.byteOffset + from, length);
    const table = own.getUint32(0, true);
    const fields = table - own.getInt32(table, true);
    const size = own.getUint16(fields, true);
    const field = (slot: number) =>
      4 + 2 * slot < size ? own.getUint16(fields + 4 + 2 * slot, true) : 0;
    const typeAt = field(1);
    const bodyAt = field(3);
    const kind = KINDS[typeAt === 0 ? 0 : own.getUint8(table + typeAt)];
    const bodyBytes = bodyAt === 0 ? 0 : Number(own.getBigInt64(table + bodyAt, true));
    if (kind !== undefined && bodyBytes >= 0 && bodyBytes <= MAX_MESSAGE_BYTES) {
      return { kind, bodyBytes };
    }
  } catch (cause) {
    throw invalid("the bytes are no Arrow IPC stream", cause);
  }
  throw invalid("the bytes are no Arrow IPC stream");
}
