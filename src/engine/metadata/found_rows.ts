/**
 * The order of rows that a lookup finds.
 *
 * @module
 */

import { compareBytes } from "../../core/bytes.ts";
import { sortInSteps } from "../../core/merge_sort.ts";

/** Bytes of a place of a key: the number of its block, and where it begins there. */
const BLOCK_BYTES = 65_536;

/** Bits of a place that are its byte in the block. */
const LAST_BYTE = BLOCK_BYTES - 1;

/** Bytes of the first block: most lookups find few streams. */
const FIRST_BLOCK_BYTES = 4_096;

/** Bytes before a key: the row's number as a double, and the length of the key. */
const HEAD_BYTES = 12;

/** Bytes of a row beside its key: its places, unsorted and sorted. */
const PLACE_BYTES = 16;

/** Bytes of the rows that all lookups hold together: 1.8 million rows of short names. */
const ALL_BYTES = 128 << 20;

/** Share of the bytes that are left which a lookup may hold, and bytes that each may hold. */
const [SHARE, LEAST_BYTES] = [1 / 3, 256 << 10];

const UTF8 = new TextEncoder();

/** Bytes that the lookups of a database hold. Those that nobody reads make the shares of later ones smaller. */
export class FoundBytes {
  readonly #most: number;
  readonly #least: number;
  #held = 0;
  /** Lookups that were left without an end. */
  readonly #abandoned = new FinalizationRegistry<{ bytes: number }>((own) => this.give(own));

  /**
   * @param most Bytes of all.
   * @param least Bytes that each lookup may hold, whatever others hold.
   */
  constructor(most: number = ALL_BYTES, least: number = LEAST_BYTES) {
    this.#most = most;
    this.#least = least;
  }

  /** Bytes that are held. */
  get held(): number {
    return this.#held;
  }

  /** Begins to count the bytes of a lookup. */
  begin(lookup: WeakKey): { bytes: number } {
    const own = { bytes: 0 };
    this.#abandoned.register(lookup, own);
    return own;
  }

  /** Counts bytes more. */
  take(own: { bytes: number }, bytes: number): void {
    own.bytes += bytes;
    this.#held += bytes;
  }

  /** Counts none any more. */
  give(own: { bytes: number }): void {
    this.#held -= own.bytes;
    own.bytes = 0;
  }

  /** Tells whether a lookup may hold more. */
  hasRoom({ bytes }: { bytes: number }): boolean {
    return bytes < Math.max(this.#least, SHARE * (this.#most - this.#held));
  }
}

/**
 * Puts numbers of rows in the order of collection, a slash, and uuid. It keeps bytes in blocks, which
 * the garbage collector neither moves nor looks through, however many there are.
 */
export class FoundRows {
  readonly #all: FoundBytes;
  readonly #own: { bytes: number };
  readonly #after: Uint8Array | undefined;
  #blocks: { readonly bytes: Uint8Array; readonly view: DataView }[] = [];
  #places: number[] = [];
  #filled = 0;
  #last: Uint8Array | undefined;

  /**
   * @param all Bytes that all lookups hold.
   * @param after Key in front of all that are wanted.
   */
  constructor(all: FoundBytes, after?: Uint8Array) {
    this.#all = all;
    this.#own = all.begin(this);
    this.#after = after;
  }

  /** Number of rows. */
  get size(): number {
    return this.#places.length;
  }

  /** True if more may be added; {@linkcode cut} makes room. */
  get hasRoom(): boolean {
    return this.#places.length < 2 || this.#all.hasRoom(this.#own);
  }

  /** The last key that is there, if others behind it were left out. */
  get lastBeforeCut(): Uint8Array | undefined {
    return this.#last;
  }

  /** Adds a row, unless it is in front of those that are wanted, or behind those that there is room for. */
  add(id: number, collection: string, uuid: Uint8Array): void {
    const most = 3 * collection.length + 1 + uuid.length;
    const { bytes, view } = this.#blockFor(HEAD_BYTES + most);
    const start = this.#filled;
    const { written } = UTF8.encodeInto(`${collection}/`, bytes.subarray(start + HEAD_BYTES));
    bytes.set(uuid, start + HEAD_BYTES + written);
    const length = written + uuid.length;
    if (!this.#isWanted(bytes, start + HEAD_BYTES, length)) return;
    view.setFloat64(start, id);
    view.setUint32(start + 8, length);
    this.#places.push((this.#blocks.length - 1) * BLOCK_BYTES + start);
    this.#filled = start + HEAD_BYTES + length;
    this.#all.take(this.#own, PLACE_BYTES + HEAD_BYTES + length);
  }

  /** Leaves out the second half of the rows. Yields between steps. */
  *cut(): Generator<undefined, void> {
    const sorted = yield* this.#sorted();
    const half = sorted.slice(0, Math.max(1, sorted.length >> 1));
    const blocks = this.#blocks;
    [this.#blocks, this.#places, this.#filled] = [[], [], 0];
    this.#all.give(this.#own);
    for (const place of half) {
      const row = rowAt(blocks, place);
      const block = this.#blockFor(row.length);
      block.bytes.set(row, this.#filled);
      this.#places.push((this.#blocks.length - 1) * BLOCK_BYTES + this.#filled);
      this.#filled += row.length;
      this.#all.take(this.#own, PLACE_BYTES + row.length);
    }
    this.#last = rowAt(blocks, half.at(-1)!).slice(HEAD_BYTES);
  }

  /** Counts no bytes any more. */
  end(): void {
    this.#all.give(this.#own);
  }

  /**
   * The numbers in order, those that were added twice once.
   *
   * @param pageRows Numbers of a page.
   * @returns Pages; yields `undefined` between steps.
   */
  *pages(pageRows: number): Generator<number[] | undefined> {
    const places = yield* this.#sorted();
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

  #sorted(): Generator<undefined, number[]> {
    return sortInSteps(this.#places, (a, b) => this.#compare(a, b));
  }

  /** A block that has room for a row. */
  #blockFor(most: number): { readonly bytes: Uint8Array; readonly view: DataView } {
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
    return block;
  }

  #isWanted(bytes: Uint8Array, start: number, length: number): boolean {
    if (this.#after === undefined && this.#last === undefined) return true;
    const key = bytes.subarray(start, start + length);
    if (this.#after !== undefined && compareBytes(key, this.#after) <= 0) return false;
    return this.#last === undefined || compareBytes(key, this.#last) <= 0;
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

/** A row in blocks, with its head. */
function rowAt(
  blocks: readonly { readonly bytes: Uint8Array; readonly view: DataView }[],
  place: number,
): Uint8Array {
  const { bytes, view } = blocks[Math.floor(place / BLOCK_BYTES)]!;
  const start = place & LAST_BYTE;
  return bytes.subarray(start, start + HEAD_BYTES + view.getUint32(start + 8));
}
