/**
 * Reads flatbuffers, the format of Arrow's metadata ("FlatBuffer Internals").
 *
 * @module
 */

import { invalid } from "./arrow_error.ts";

/** Most fields and pairs of metadata in all: a decoder makes an object of each. */
const MAX_TABLES = 1 << 18;

/** Most bytes of a table, and of what tells where its fields are. */
const MAX_TABLE_BYTES = 0x7fff;

/** Tables that may still be visited: offsets may lead many times to the same one. */
export interface TableCount {
  left: number;
  readonly most: number;
}

/**
 * The count of tables of something that is read.
 *
 * @param most Most fields and pairs of metadata in all.
 */
export function tableCount(most: number = MAX_TABLES): TableCount {
  return { left: most, most };
}

/**
 * Checks a length.
 *
 * @param room Bytes there are.
 * @returns The length.
 * @throws {RangeError} If it is longer.
 */
export function inside(length: number, room: number): number {
  if (!(length <= room)) throw new RangeError(`a length of ${length} in ${room} bytes`);
  return length;
}

/** Tells whether all bytes are zeros. */
export function isZeros(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** Bounds of a flatbuffer. */
export interface FlatBufferBounds {
  readonly maxBytes: number;
  readonly tables: TableCount;
  /** Columns of a schema, with those that are below others. */
  readonly maxColumns?: number | undefined;
}

/**
 * Bytes that texts and lists may have together beyond those of their flatbuffer. Any number of fields may
 * lead to the same text, which a decoder reads once for each.
 */
const SHARED_BYTES = 1 << 16;

/** First element and number of elements of a vector or text. */
interface Vector {
  readonly from: number;
  readonly length: number;
}

const ABSENT: Vector = { from: 0, length: 0 };
const NONE: readonly number[] = [];

/** A flatbuffer; whatever is outside of it throws. */
export class FlatBuffer {
  readonly #view: DataView;
  /** Tables that may still be visited: offsets may lead many times to the same one. */
  readonly #tables: TableCount;
  /** Bytes of texts and lists that may still be visited. */
  #textBytes: number;
  /** End of everything that was read. */
  #end = 0;

  constructor(view: DataView, tables: TableCount) {
    this.#view = view;
    this.#tables = tables;
    this.#textBytes = view.byteLength + SHARED_BYTES;
  }

  /**
   * A flatbuffer among other bytes.
   *
   * @throws {BTrDBError} 438 if it is longer than it may be.
   * @throws {RangeError} If it is not inside of them.
   */
  static at(
    view: DataView,
    from: number,
    length: number,
    { maxBytes, tables }: FlatBufferBounds,
  ): FlatBuffer {
    if (length > maxBytes) {
      throw invalid(`the metadata of a message have ${length} bytes, expected at most ${maxBytes}`);
    }
    inside(length, view.byteLength - from);
    return new FlatBuffer(new DataView(view.buffer, view.byteOffset + from, length), tables);
  }

  /** The outermost table. */
  root(): number {
    return this.#table(this.#view.getUint32(0, true));
  }

  /**
   * Checks that only zeros follow what was read.
   *
   * @throws {BTrDBError} 438 if there is something else.
   */
  checkEnd(): void {
    const { buffer, byteOffset, byteLength } = this.#view;
    if (this.#end >= byteLength) return;
    if (isZeros(new Uint8Array(buffer, byteOffset + this.#end, byteLength - this.#end))) return;
    throw invalid(`the metadata of a message end at byte ${this.#end}, and more follow`);
  }

  /** A byte; 0: none. */
  byte(table: number, slot: number): number {
    const at = this.#field(table, slot);
    return at === 0 ? 0 : this.#view.getUint8(at);
  }

  /** A whole number of 16 bits; `absent`: none. */
  short(table: number, slot: number, absent = 0): number {
    const at = this.#field(table, slot);
    return at === 0 ? absent : this.#view.getInt16(at, true);
  }

  /** A whole number of 32 bits; `absent`: none. */
  int(table: number, slot: number, absent = 0): number {
    const at = this.#field(table, slot);
    return at === 0 ? absent : this.#view.getInt32(at, true);
  }

  /** A whole number of 64 bits; 0: none. */
  long(table: number, slot: number): number {
    const at = this.#field(table, slot);
    return at === 0 ? 0 : Number(this.#view.getBigInt64(at, true));
  }

  /** The table that a field leads to; 0: none. */
  child(table: number, slot: number): number {
    const at = this.#field(table, slot);
    return at === 0 ? 0 : this.#table(this.#at(at));
  }

  /** First element and number of elements of a vector or text. */
  vector(table: number, slot: number, elementBytes: number): Vector {
    const at = this.#field(table, slot);
    if (at === 0) return ABSENT;
    const from = this.#at(at) + 4;
    const length = this.#view.getUint32(from - 4, true);
    inside(length * elementBytes, this.#view.byteLength - from);
    this.#read(from + length * elementBytes);
    return { from, length };
  }

  /**
   * Checks that a text or list is inside, and that a decoder that reads all of them reads no part too
   * often.
   *
   * @throws {BTrDBError} 438 if they are much longer together than the flatbuffer.
   */
  checkVector(table: number, slot: number, elementBytes: number): void {
    this.#textBytes -= this.vector(table, slot, elementBytes).length * elementBytes;
    if (this.#textBytes >= 0) return;
    const { byteLength } = this.#view;
    throw invalid(
      `metadata of ${byteLength} bytes have texts of more than ${byteLength + SHARED_BYTES} bytes`,
    );
  }

  /** A text; empty: none. */
  text(table: number, slot: number): string {
    const { from, length } = this.vector(table, slot, 1);
    const { buffer, byteOffset } = this.#view;
    return new TextDecoder().decode(new Uint8Array(buffer, byteOffset + from, length));
  }

  /** The whole numbers of 64 bits at a place in the structs of a vector. */
  longs(table: number, slot: number, elementBytes: number, place = 0): number[] {
    const { from, length } = this.vector(table, slot, elementBytes);
    const view = this.#view;
    const all = new Array<number>(length);
    for (let i = 0, at = from + place; i < length; i++, at += elementBytes) {
      // As Number(getBigInt64()), which makes an object of each.
      all[i] = view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
    }
    return all;
  }

  /** The tables of a vector. */
  tables(table: number, slot: number): readonly number[] {
    const { from, length } = this.vector(table, slot, 4);
    if (length === 0) return NONE;
    this.#tables.left -= length;
    if (this.#tables.left < 0) throw new RangeError(`more than ${this.#tables.most} fields`);
    const all = new Array<number>(length);
    for (let i = 0; i < length; i++) all[i] = this.#table(this.#at(from + 4 * i));
    return all;
  }

  #at(offset: number): number {
    return offset + this.#view.getUint32(offset, true);
  }

  /** Takes note of where a table ends, and what tells where its fields are. */
  #table(table: number): number {
    const fields = table - this.#view.getInt32(table, true);
    this.#read(fields + this.#view.getUint16(fields, true));
    this.#read(table + this.#view.getUint16(fields + 2, true));
    return table;
  }

  #read(end: number): void {
    if (end > this.#end) this.#end = end;
  }

  #field(table: number, slot: number): number {
    const fields = table - this.#view.getInt32(table, true);
    // Decoders read them with a sign.
    const size = inside(this.#view.getUint16(fields, true), MAX_TABLE_BYTES);
    if (4 + 2 * slot >= size) return 0;
    const at = inside(this.#view.getUint16(fields + 4 + 2 * slot, true), MAX_TABLE_BYTES);
    return at === 0 ? 0 : table + at;
  }
}
