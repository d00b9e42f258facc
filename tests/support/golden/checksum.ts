/** FNV-1a, 64 bit, as the recordings sum up long answers. */

const OFFSET_HIGH = 0xcbf29ce4;
const OFFSET_LOW = 0x84222325;

/** FNV-1a over bytes, in two 32-bit halves: the prime is 2^40 + 0x1b3. */
export class Fnv1a {
  #high = OFFSET_HIGH;
  #low = OFFSET_LOW;

  /** Takes in bytes. */
  update(bytes: Uint8Array): this {
    let high = this.#high, low = this.#low;
    for (let i = 0; i < bytes.length; i++) {
      low = (low ^ bytes[i]!) >>> 0;
      const product = low * 0x1b3;
      const carry = Math.floor(product / 4294967296);
      const shifted = (low << 8) >>> 0;
      high = (Math.imul(high, 0x1b3) + carry + shifted) >>> 0;
      low = product >>> 0;
    }
    this.#high = high;
    this.#low = low;
    return this;
  }

  /** Takes in a column of 8-byte elements, little-endian. */
  column(column: BigInt64Array | BigUint64Array | Float64Array): this {
    return this.update(new Uint8Array(column.buffer, column.byteOffset, column.byteLength));
  }

  /** The sum as 16 hex digits. */
  hex(): string {
    return this.#high.toString(16).padStart(8, "0") + this.#low.toString(16).padStart(8, "0");
  }
}
