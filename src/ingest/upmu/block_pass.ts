/**
 * A pass over the blocks of a file of a µPMU.
 *
 * @module
 */

import {
  type BlockHeader,
  EXPANDED_BYTES,
  hasExpansion,
  isBlockAt,
  readHeader,
  STANDARD_BYTES,
} from "./second_block.ts";

const LIE = "its status says that power and frequency follow, but the next block does";

/** A block of one second. */
export interface Block {
  readonly view: DataView;
  /** First byte in the file. */
  readonly offset: number;
  readonly isExpanded: boolean;
  /** A text says why it cannot be read. */
  readonly header: BlockHeader | string;
}

/** A pass over the blocks of a file. */
export class BlockPass {
  readonly #chunks: AsyncIterable<Uint8Array>;
  #offset: number;
  /** Bytes of a cut block, once all blocks are read. */
  cutBytes = 0;

  constructor(chunks: AsyncIterable<Uint8Array>, offset: number) {
    this.#chunks = chunks;
    this.#offset = offset;
  }

  /** The blocks; the bytes of one are good until the next is taken. */
  async *blocks(): AsyncGenerator<Block, void, void> {
    let rest = new Uint8Array(0);
    for await (const chunk of this.#chunks) {
      const bytes = new Uint8Array(rest.length + chunk.length);
      bytes.set(rest);
      bytes.set(chunk, rest.length);
      let at = 0;
      while (bytes.length - at >= STANDARD_BYTES) {
        const view = new DataView(bytes.buffer, at);
        const saysMore = hasExpansion(view);
        if (bytes.length - at < (saysMore ? EXPANDED_BYTES : STANDARD_BYTES)) break;
        // A damaged status would make readings of the next block.
        const isLie = saysMore && isBlockAt(view, STANDARD_BYTES);
        const isExpanded = saysMore && !isLie;
        const header = isLie ? LIE : readHeader(view);
        const size = isExpanded ? EXPANDED_BYTES : STANDARD_BYTES;
        yield { view, offset: this.#offset, isExpanded, header };
        at += size;
        this.#offset += size;
      }
      rest = bytes.slice(at);
    }
    this.cutBytes = rest.length;
  }
}
