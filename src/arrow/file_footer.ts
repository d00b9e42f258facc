/**
 * Footers of Arrow IPC files, which say where the batches are (Arrow columnar format, "IPC File
 * Format").
 *
 * @module
 */

import { invalid, quotedName } from "./arrow_error.ts";
import { BTrDBError } from "../core/errors.ts";
import { FlatBuffer, type FlatBufferBounds, tableCount } from "./flat_buffer.ts";
import { type SchemaLayout, schemaLayout } from "./schema_layout.ts";

/** The mark at both ends of a file: `ARROW1`. */
const MARK = [0x41, 0x52, 0x52, 0x4f, 0x57, 0x31];
/** Bytes behind a footer: its length, and the mark. */
const END_BYTES = 4 + MARK.length;
/** Bytes of a block: offset, length of the metadata, length of the body. */
const BLOCK_BYTES = 24;

/** Longest footer that is read: 24 bytes for each batch, and the schema again. */
export const MAX_FOOTER_BYTES: number = 2 ** 26;

/** Offsets of the messages of a file. */
export interface Blocks {
  readonly dictionary: number[];
  readonly batch: number[];
}

/** Tells whether the mark of a file is at an offset. */
export function isArrowMark(bytes: Uint8Array, at: number): boolean {
  return MARK.every((byte, i) => bytes[at + i] === byte);
}

/** A footer that was read. */
export interface Footer {
  /** Its first byte. */
  readonly at: number;
  /** Offsets of the messages that it names. */
  readonly blocks: Blocks;
  /** The layout of the schema in it. */
  readonly layout: () => SchemaLayout;
  /** The schema in it, as a message. */
  readonly schemaMessage: () => Uint8Array;
}

/**
 * Reads the footer of a file.
 *
 * @param bytes All of the file, or its end.
 * @param bounds Bounds of the footer.
 * @throws {BTrDBError} 438 if it is damaged, or not there.
 */
export function footerOf(
  bytes: Uint8Array,
  bounds: FlatBufferBounds = { maxBytes: MAX_FOOTER_BYTES, tables: tableCount() },
): Footer {
  if (bytes.length < END_BYTES || !isArrowMark(bytes, bytes.length - MARK.length)) {
    throw invalid("the file does not end with ARROW1: it is cut off, or bytes follow its end");
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = bytes.length - END_BYTES;
  const length = view.getUint32(end, true);
  return orDamaged(() => {
    const flat = FlatBuffer.at(view, end - length, length, bounds);
    const root = flat.root();
    return {
      at: end - length,
      blocks: {
        dictionary: flat.longs(root, 2, BLOCK_BYTES),
        batch: flat.longs(root, 3, BLOCK_BYTES),
      },
      layout: () =>
        orDamaged(() =>
          schemaLayout(flat, flat.child(root, 1), flat.short(root, 0), bounds.maxColumns)
        ),
      schemaMessage: () => {
        const schema = orDamaged(() => flat.child(root, 1));
        return schemaMessage(bytes.subarray(end - length, end), schema, flat.short(root, 0));
      },
    };
  });
}

/** Bytes before a footer that make a message of it: its marks, and the table of the message. */
const HEAD_BYTES = 40;

/**
 * A message whose header is a schema among other bytes. (Flatbuffers: a table begins with the distance
 * to the places of its fields.)
 *
 * @param around These bytes.
 * @param schema Offset of the schema among them.
 * @param version Version of the metadata.
 */
function schemaMessage(around: Uint8Array, schema: number, version: number): Uint8Array {
  const message = new Uint8Array(HEAD_BYTES + Math.ceil(around.length / 8) * 8);
  message.set(around, HEAD_BYTES);
  const view = new DataView(message.buffer);
  view.setUint32(0, 0xffffffff, true);
  view.setUint32(4, message.length - 8, true);
  const flat = new DataView(message.buffer, 8);
  const fields = 4, table = 16;
  flat.setUint32(0, table, true);
  // 12 bytes tell where the fields are, 12 are the table: version, kind, header and no length of a body.
  [12, 12, 8, 10, 4, 0].forEach((n, i) => flat.setUint16(fields + 2 * i, n, true));
  flat.setInt32(table, table - fields, true);
  flat.setUint32(table + 4, HEAD_BYTES - 8 + schema - (table + 4), true);
  flat.setInt16(table + 8, version, true);
  flat.setUint8(table + 10, 1);
  return message;
}

/** Reads something of a footer, with an error of its own if it is damaged. */
function orDamaged<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof BTrDBError) throw cause;
    throw invalid("the footer of the file is damaged", cause);
  }
}

/**
 * Checks that the schema of a footer has the columns of the one by which batches are read, in their
 * order.
 *
 * @param named The schema in the footer.
 * @param read The schema before the batches.
 * @throws {BTrDBError} 438 if it has not.
 */
export function compareSchemas(named: SchemaLayout, read: SchemaLayout): void {
  if (named.columns.length !== read.columns.length) {
    throw invalid(
      `the schema of the file has ${read.columns.length} columns, the one in its footer ` +
        `${named.columns.length}`,
    );
  }
  read.columns.forEach((column, i) => {
    const other = named.columns[i]!;
    const name = quotedName(column.name()), otherName = quotedName(other.name());
    if (name !== otherName) {
      throw invalid(`column ${i + 1} of the file is ${name}, in its footer ${otherName}`);
    }
    // Writers may number dictionaries anew.
    if (column.type(false) === other.type(false)) return;
    throw invalid(`column ${name} of the file is of another type in its footer`);
  });
}

/**
 * Checks that a footer names the messages that were read, and no others.
 *
 * @param named Offsets that it names.
 * @param read Offsets of the messages that were read.
 * @throws {BTrDBError} 438 if it does not.
 */
export function compareBlocks(named: Blocks, read: Blocks): void {
  compare("dictionary", named.dictionary, read.dictionary);
  compare("batch", named.batch, read.batch);
}

function compare(kind: keyof Blocks, named: readonly number[], read: readonly number[]): void {
  const name = kind === "batch" ? "record batches" : "dictionaries";
  if (named.length !== read.length) {
    throw invalid(
      `the file has ${read.length} ${name} before its footer, which names ${named.length}`,
    );
  }
  const other = named.findIndex((offset, i) => offset !== read[i]);
  if (other < 0) return;
  throw invalid(
    `the footer of the file names a ${kind} at byte ${named[other]}, expected ${read[other]}`,
  );
}
