/**
 * The order of rows that a lookup finds.
 *
 * @module
 */

import { sortInSteps } from "../../core/merge_sort.ts";

/** Bytes of a place of a key: the number of its block, and where it begins there. */
const BLOCK_BYTES = 65_536;

/** Bits of a place that are its byte in the block. */
const LAST_BYTE = BLOCK_BYTES - 1;

/** Bytes of the first block: most lookups find few streams. */
const FIRST_BLOCK_BYTES = 4_096;

/** Bytes before a key: the row's number as a double, and the length of the key. */
const HEAD_BYTES = 12;

const UTF8 = new TextEncoder();

/**
 * Puts numbers of rows in the order of collection, a slash, and uuid. It keeps bytes in blocks, which
 * the garbage collector neither moves nor looks through, however many there are.
 */
export class FoundRows {
  readonly #blocks: { readonly bytes: Uint8Array; readonly view: DataView }[] = [];
  readonly #places: number[] = [];
  #filled = 0;

  /** Number of rows. */
  get size(): number {
    return this.#places.length;
  }

  /** Adds a row. */
  add(id: number, collection: string, uuid: Uint8Array): void {
    const most = HEAD_BYTES + 3 * collection.length + 1 + uuid.length;
    let block = this.#blocks.at(-1);
    // A key begins within the first BLOCK_BYTES of its block, which may be longer.
    const end = Math.min(block?.bytes.length ?? 0, BLOCK_BYTES);
    if (block === undefined || this.#filled + most > end) {
      const length = this.#blocks.length === 0 ? FIRST_BLOCK_BYTES : BLOCK_BYTES;
      const bytes = new Uint8Array(Math.max(length, most));
      block = { bytes, view: new DataView(bytes.buffer) };
      this.#blocks.push(block);
      this.#filled = 0;
    }
    const { bytes, view } = block;
    const start = this.#filled;
    const { written } = UTF8.encodeInto(collection + "/", bytes.subarray(start + HEAD_BYTES));
    bytes.set(uuid, start + HEAD_BYTES + written);
    view.setFloat64(start, id);
    view.setUint32(start + 8, written + uuid.length);
    this.#places.push((this.#blocks.length - 1) * BLOCK_BYTES + start);
    this.#filled = start + HEAD_BYTES + written + uuid.length;
  }

  /**
   * The numbers in order, those that were added twice once.
   *
   * @param pageRows Numbers of a page.
   * @returns Pages; yields `undefined` between steps.
   */
  *pages(pageRows: number): Generator<number[] | undefined> {
    const places = yield* sortInSteps(this.#places, (a, b) => this.#compare(a, b));
    let page: number[] = [];
    let before: number | undefined;
    for (const place of places) {
      const id = this.#blockOf(place).view.getFloat64(place & LAST_BYTE);
      if (id === before) continue;
      before = id;
      page.push(id);
      if (page.length < pageRows) continue;
      yield page;
      page = [];
    }
    if (page.length > 0) yield page;
  }

  #blockOf(place: number): { readonly bytes: Uint8Array; readonly view: DataView } {
    return this.#blocks[Math.floor(place / BLOCK_BYTES)]!;
  }

  #compare(a: number, b: number): number {
    const [one, other] = [this.#blockOf(a), this.#blockOf(b)];
    const [startA, startB] = [a & LAST_BYTE, b & LAST_BYTE];
    const lengthA = one.view.getUint32(startA + 8);
    const lengthB = other.view.getUint32(startB + 8);
    const [bytesA, bytesB] = [one.bytes, other.bytes];
    const [keyA, keyB] = [startA + HEAD_BYTES, startB + HEAD_BYTES];
    const length = Math.min(lengthA, lengthB);
    for (let i = 0; i < length; i++) {
      const difference = bytesA[keyA + i]! - bytesB[keyB + i]!;
      if (difference !== 0) return difference;
    }
    return lengthA - lengthB;
  }
}
