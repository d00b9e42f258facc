/**
 * A pass over the blocks of a file of a µPMU.
 *
 * @module
 */

import {
  type BlockHeader,
  EXPANDED_BYTES,
  findBlock,
  hasExpansion,
  isBlockAt,
  readHeader,
  STANDARD_BYTES,
} from "./second_block.ts";

const LIE = "its status says that power and frequency follow, but the next block does";

/** A block of one second, or what stands in place of some. */
export interface Block {
  readonly view: DataView;
  /** First byte in the file. */
  readonly offset: number;
  /** Bytes to the next block. */
  readonly bytes: number;
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

  /**
   * The blocks; the bytes of one are good until the next is taken. A broken one extends to where the next
   * one begins, wherever that is: bytes may be missing, or too many.
   */
  async *blocks(): AsyncGenerator<Block, void, void> {
    let rest = new Uint8Array(0);
    let broken: { readonly offset: number; readonly header: string } | undefined;
    const brokenBlock = (view: DataView, from: { offset: number; header: string }): Block => {
      return { view, ...from, bytes: this.#offset - from.offset, isExpanded: false };
    };
    for await (const chunk of this.#chunks) {
      const bytes = new Uint8Array(rest.length + chunk.length);
      bytes.set(rest);
      bytes.set(chunk, rest.length);
      let at = 0;
      while (true) {
        const view = new DataView(bytes.buffer, at);
        if (broken !== undefined) {
          const { passed, isFound } = findBlock(view);
          at += passed;
          this.#offset += passed;
          if (!isFound) break;
          yield brokenBlock(view, broken);
          broken = undefined;
          continue;
        }
        if (bytes.length - at < STANDARD_BYTES) break;
        const header = readHeader(view);
        if (typeof header === "string") {
          broken = { offset: this.#offset, header };
          continue;
        }
        const saysMore = hasExpansion(view);
        if (bytes.length - at < (saysMore ? EXPANDED_BYTES : STANDARD_BYTES)) break;
        // A damaged status would make readings of the next block.
        const isLie = saysMore && isBlockAt(view, STANDARD_BYTES);
        const isExpanded = saysMore && !isLie;
        const size = isExpanded ? EXPANDED_BYTES : STANDARD_BYTES;
        yield {
          view,
          offset: this.#offset,
          bytes: size,
          isExpanded,
          header: isLie ? LIE : header,
        };
        at += size;
        this.#offset += size;
      }
      rest = bytes.slice(at);
    }
    if (broken === undefined) {
      this.cutBytes = rest.length;
      return;
    }
    this.#offset += rest.length;
    yield brokenBlock(new DataView(rest.buffer), broken);
  }
}
