/**
 * Bytes of known length that arrive in pieces.
 *
 * @module
 */

/** Bytes for which memory is taken before any have come. */
const FIRST_BYTES = 65_536;

/** Bytes for which it is taken until more than these have come. */
const SOME_BYTES = 1 << 20;

/**
 * Puts bytes together as they come. To announce many and send few costs little; and each piece
 * is copied when it comes, so that the end of a large message does not keep the event loop busy.
 */
export class GrowingBytes {
  readonly #length: number;
  #bytes: Uint8Array<ArrayBuffer>;
  #filled = 0;

  /**
   * @param length All bytes there will be.
   * @param memory Memory for them, of at least `length` bytes. Absent: new memory.
   */
  constructor(length: number, memory?: Uint8Array<ArrayBuffer>) {
    this.#length = length;
    this.#bytes = memory ?? new Uint8Array(Math.min(length, FIRST_BYTES));
  }

  /** Bytes of memory taken. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** True once all are here. */
  get isWhole(): boolean {
    return this.#filled === this.#length;
  }

  /** All bytes, in memory of their own, once {@linkcode isWhole}. */
  get bytes(): Uint8Array<ArrayBuffer> {
    const isExact = this.#bytes.length === this.#length;
    return isExact ? this.#bytes : this.#bytes.subarray(0, this.#length);
  }

  /**
   * Takes what belongs to these bytes of a piece.
   *
   * @param from First byte of the piece that is looked at.
   * @returns Number of bytes taken.
   */
  take(piece: Uint8Array, from: number): number {
    const taken = Math.min(piece.length - from, this.#length - this.#filled);
    const filled = this.#filled + taken;
    if (filled > this.#bytes.length) this.#grow(filled);
    this.#bytes.set(piece.subarray(from, from + taken), this.#filled);
    this.#filled = filled;
    return taken;
  }

  #grow(least: number): void {
    const grown = new Uint8Array(
      least <= SOME_BYTES ? Math.min(SOME_BYTES, this.#length) : this.#length,
    );
    grown.set(this.#bytes.subarray(0, this.#filled));
    this.#bytes = grown;
  }
}
