/**
 * Reusable buffers.
 *
 * @module
 */

/** Sizes that are kept: of small ones, new memory costs less; large ones are rare. */
const LEAST_BYTES = 16 << 10;
const MOST_BYTES = 1 << 20;

/**
 * Keeps buffers for later use. New memory costs as much as what is written to it: it is filled with
 * zeros, page by page, and no cache knows it.
 */
export class SpareBuffers {
  readonly #most: number;
  readonly #spare: ArrayBuffer[] = [];
  #bytes = 0;

  /** @param most Bytes of all buffers kept. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Tells whether buffers of so many bytes are kept. */
  static suits(bytes: number): boolean {
    return bytes >= LEAST_BYTES && bytes <= MOST_BYTES;
  }

  /**
   * A buffer of at least `bytes` bytes, with something in it.
   *
   * @returns `undefined` if none is there.
   */
  take(bytes: number): Uint8Array<ArrayBuffer> | undefined {
    if (bytes < LEAST_BYTES || this.#spare.length === 0) return undefined;
    let at = this.#spare.length - 1;
    while (at >= 0 && this.#spare[at]!.byteLength < bytes) at--;
    // One that is too small makes room for a larger one.
    const [buffer] = this.#spare.splice(Math.max(at, 0), 1);
    this.#bytes -= buffer!.byteLength;
    return at < 0 ? undefined : new Uint8Array(buffer!);
  }

  /** Takes all buffers, to be kept elsewhere. */
  takeAll(): ArrayBuffer[] {
    this.#bytes = 0;
    return this.#spare.splice(0);
  }

  /** Keeps a buffer that nobody uses any more, if there is room for it. */
  give(buffer: ArrayBuffer): void {
    const { byteLength } = buffer;
    if (!SpareBuffers.suits(byteLength) || this.#bytes + byteLength > this.#most) return;
    this.#bytes += byteLength;
    this.#spare.push(buffer);
  }
}
