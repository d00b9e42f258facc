/**
 * Reads flatbuffers, the format of Arrow's metadata ("FlatBuffer Internals").
 *
 * @module
 */

/** Most fields and pairs of metadata in all: a decoder makes an object of each. */
const MAX_TABLES = 1 << 18;

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

/** A flatbuffer; whatever is outside of it throws. */
export class FlatBuffer {
  readonly #view: DataView;
  /** Tables that may still be visited: offsets may lead many times to the same one. */
  readonly #tables: TableCount;

  constructor(view: DataView, tables: TableCount) {
    this.#view = view;
    this.#tables = tables;
  }

  /** The outermost table. */
  root(): number {
    return this.#view.getUint32(0, true);
  }

  /** A byte; 0: none. */
  byte(table: number, slot: number): number {
    const at = this.#field(table, slot);
    return at === 0 ? 0 : this.#view.getUint8(at);
  }

  /** A whole number of 16 bits; 0: none. */
  short(table: number, slot: number): number {
    const at = this.#field(table, slot);
    return at === 0 ? 0 : this.#view.getInt16(at, true);
  }

  /** A whole number of 32 bits; 0: none. */
  int(table: number, slot: number): number {
    const at = this.#field(table, slot);
    return at === 0 ? 0 : this.#view.getInt32(at, true);
  }

  /** A whole number of 64 bits; 0: none. */
  long(table: number, slot: number): number {
    const at = this.#field(table, slot);
    return at === 0 ? 0 : Number(this.#view.getBigInt64(at, true));
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

  /** The whole numbers of 64 bits at a place in the structs of a vector. */
  longs(table: number, slot: number, elementBytes: number, place = 0): number[] {
    const { from, length } = this.vector(table, slot, elementBytes);
    const all = new Array<number>(length);
    for (let i = 0; i < length; i++) {
      all[i] = Number(this.#view.getBigInt64(from + elementBytes * i + place, true));
    }
    return all;
  }

  /** The tables of a vector. */
  *tables(table: number, slot: number): Generator<number, void, void> {
    const { from, length } = this.vector(table, slot, 4);
    for (let i = 0; i < length; i++) {
      if (--this.#tables.left < 0) throw new RangeError(`more than ${this.#tables.most} fields`);
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
