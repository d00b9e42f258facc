/**
 * Checksums of the pages of Parquet files that are written (parquet-format, README.md, "Checksumming").
 *
 * @module
 */

import { ByteWriter } from "hyparquet-writer";
import { nodeModule } from "../core/node_module.ts";

/** Missing in browsers, where pages are written without checksums. */
const crc32 = nodeModule<typeof import("node:zlib")>("node:zlib")?.crc32;

/** Head of a field of Thrift's compact protocol: an int32 whose number is one more than the last one. */
const NEXT_INT32 = 0x15;
/** Taken from the head of the field behind it, whose number is written as the distance to the one before. */
const ONE_FIELD = 0x10;
/** Numbers of a page's header before its checksum: kind, length unpacked and length as written. */
const NUMBERS_BEFORE = 3;
/** Bytes of any 32 bits, seven in a byte. */
const VARINT_BYTES = 5;

/** Writes Parquet to memory, and a CRC-32 of its own into the header of each page. */
export class PageWriter extends ByteWriter {
  /** True while a page is written: nothing but its header and bytes. */
  #isInPages = false;
  /** Numbers of the header so far. */
  #numbers = 0;
  /** Position in the buffer of the checksum of the page that is being written. */
  #sumAt = 0;
  #isSumBefore = false;
  /** Bytes of the page that are still to come. */
  #left = 0;
  #sum = 0;

  /** Writes a page, which `write` appends. */
  page<T>(write: () => T): T {
    this.#isInPages = crc32 !== undefined;
    try {
      return write();
    } finally {
      this.#isInPages = false;
    }
  }

  /** The bytes since this was called before, in memory of their own. */
  take(): Uint8Array<ArrayBuffer> {
    const bytes = this.getBytes().slice();
    this.index = 0;
    return bytes;
  }

  override appendUint8(value: number): void {
    super.appendUint8(this.#isSumBefore ? value - ONE_FIELD : value);
    this.#isSumBefore = false;
  }

  override appendZigZag(value: number | bigint): void {
    super.appendZigZag(value);
    if (!this.#isInPages || ++this.#numbers !== NUMBERS_BEFORE) return;
    this.#left = Number(value);
    this.#sum = 0;
    super.appendUint8(NEXT_INT32);
    this.#sumAt = this.index;
    super.appendBytes(new Uint8Array(VARINT_BYTES));
    this.#isSumBefore = true;
  }

  override appendBytes(value: Uint8Array): void {
    super.appendBytes(value);
    if (this.#numbers === 0) return;
    this.#sum = crc32!(value, this.#sum);
    this.#left -= value.length;
    if (this.#left === 0) this.#writeSum();
  }

  /** Writes the checksum where its place was kept, in as many bytes as that has. */
  #writeSum(): void {
    let rest = ((this.#sum << 1) ^ (this.#sum >> 31)) >>> 0;
    for (let i = 0; i < VARINT_BYTES; i++, rest >>>= 7) {
      const more = i < VARINT_BYTES - 1 ? 0x80 : 0;
      this.view.setUint8(this.#sumAt + i, (rest & 0x7f) | more);
    }
    this.#numbers = 0;
  }
}
