/**
 * Bounds of Thrift's compact protocol (thrift-compact-protocol.md), looked at before it is decoded: a
 * list of six bytes can claim two billion elements, and a number can go on for megabytes.
 *
 * @module
 */

/** Deepest nesting; the metadata of Parquet have eight levels. */
const MAX_DEPTH = 32;

/** Most structures and lists of a message: those of half a million columns of row groups. */
const MAX_PARTS: number = 2 ** 22;

/** Bytes of the longest number, of 64 bits in groups of 7. */
const MAX_NUMBER_BYTES = 10;

/** Types of fields and elements. */
const [STOP, TRUE, FALSE, BYTE, INT16, INT64, DOUBLE, BINARY, LIST, STRUCT] = [
  0,
  1,
  2,
  3,
  4,
  6,
  7,
  8,
  9,
  12,
];

/**
 * Checks that a structure ends within its bytes, and so does everything in it.
 *
 * @param bytes Bytes with the structure in them.
 * @param from Its first byte.
 * @throws {RangeError} If it does not, is nested deeper than any of Parquet is, or has more parts than
 *   are read.
 */
export function checkThrift(bytes: Uint8Array, from: number): void {
  new ThriftChecker(bytes, from).struct(0);
}

class ThriftChecker {
  readonly #bytes: Uint8Array;
  #at: number;
  #parts = 0;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  struct(depth: number): void {
    this.#enter(depth);
    for (;;) {
      const head = this.#take(1);
      if ((head & 15) === STOP) return;
      if (head >> 4 === 0) this.#number();
      this.#value(head & 15, depth);
    }
  }

  #value(type: number, depth: number): void {
    if (type === TRUE || type === FALSE) return;
    if (type === BYTE) this.#take(1);
    else if (type >= INT16 && type <= INT64) this.#number();
    else if (type === DOUBLE) this.#take(8);
    else if (type === BINARY) this.#take(this.#number());
    else if (type === LIST) this.#list(depth + 1);
    else if (type === STRUCT) this.struct(depth + 1);
    else throw damaged(`a field of the type ${type}`);
  }

  #list(depth: number): void {
    this.#enter(depth);
    const head = this.#take(1);
    const size = head >> 4 === 15 ? this.#number() : head >> 4;
    const type = head & 15;
    // Each takes a byte or more.
    if (size > this.#bytes.length - this.#at) throw tooShort();
    if (type === TRUE || type === FALSE) this.#take(size);
    else for (let i = 0; i < size; i++) this.#value(type, depth);
  }

  /** An unsigned number, or of one with a sign no more than that it ends. */
  #number(): number {
    let value = 0;
    for (let i = 0; i < MAX_NUMBER_BYTES; i++) {
      const byte = this.#take(1);
      value += (byte & 0x7f) * 2 ** (7 * i);
      if (byte < 0x80) return value;
    }
    throw damaged("a number of more than 64 bits");
  }

  #enter(depth: number): void {
    if (depth > MAX_DEPTH) throw damaged(`more than ${MAX_DEPTH} levels`);
    this.#parts++;
    if (this.#parts > MAX_PARTS) throw damaged(`more than ${MAX_PARTS} parts`);
  }

  /** Passes over bytes; the first of them. */
  #take(n: number): number {
    if (n > this.#bytes.length - this.#at) throw tooShort();
    const first = this.#bytes[this.#at] ?? 0;
    this.#at += n;
    return first;
  }
}

function tooShort(): RangeError {
  return damaged("less than they claim");
}

function damaged(what: string): RangeError {
  return new RangeError(`Cannot read Parquet: metadata have ${what}; the file is damaged`);
}
