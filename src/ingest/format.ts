/**
 * The interface of a file format.
 *
 * @module
 */

import { type InputBytes, readBytes, type ReadCounter } from "./bytes.ts";
import type { SourceOptions } from "./options.ts";
import type { Source } from "./source.ts";
import { Spool } from "./spool.ts";

/** Bytes looked at to find out what a file is: a beginning that is shorter is all of it. */
export const HEAD_BYTES = 262_144;

/** Longest beginning of a file that is looked at for its first few lines, bytes. */
export const MAX_HEAD_BYTES: number = 16 << 20;

/** Input of a format. */
export interface FormatInput {
  /** Bytes of the file, possibly compressed. */
  readonly bytes: InputBytes;
  /** The first decompressed bytes, {@linkcode HEAD_BYTES} or four lines. */
  readonly head: Uint8Array;
  /** All decompressed bytes; once only, where the source can be read only once. */
  all(): AsyncIterable<Uint8Array>;
  /** Counts the bytes that {@linkcode FormatInput.all} reads. */
  readonly counter: ReadCounter;
}

/** A file format. Formats are loaded when they are used. */
export interface Format {
  /** Name, as `--format` takes it. */
  readonly name: string;
  /** Tells whether a file is of this format, by its first bytes and its name. */
  fits(head: Uint8Array, name: string): boolean;
  /** Options that mean nothing for this format: given, they are an error. */
  readonly refuses?: readonly (keyof SourceOptions)[];
  /**
   * Opens a source.
   *
   * @param layout Of a resumed import: {@linkcode Source.layout} as it was.
   */
  open(input: FormatInput, options: SourceOptions, layout?: unknown): Promise<Source>;
}

/**
 * Tells whether the input is complete: compressed bytes mark their end, and bytes in memory are
 * all.
 */
export function isWhole({ bytes }: FormatInput): boolean {
  return bytes.memory !== undefined || bytes.compression !== "none";
}

/** The bytes of an input for reading in any order: the path of a plain file, or a spool. */
export async function randomAccess({ bytes, all }: FormatInput): Promise<string | Spool> {
  const plain = bytes.path !== undefined && !bytes.once && bytes.compression === "none";
  return plain ? bytes.path! : await Spool.of(all());
}

/** Bytes read from a spool at a time. */
const CHUNK_BYTES = 1 << 20;

/** The decompressed bytes of an input, read as often as needed; a spool where they come only once. */
export class Rereadable implements AsyncDisposable {
  readonly #bytes: InputBytes;
  readonly #spool: Spool | undefined;
  readonly #counter: ReadCounter = { bytes: 0 };

  private constructor(bytes: InputBytes, spool: Spool | undefined) {
    this.#bytes = bytes;
    this.#spool = spool;
  }

  /** Makes the bytes of an input readable again and again. */
  static async of({ bytes, all }: FormatInput): Promise<Rereadable> {
    return new Rereadable(bytes, bytes.once ? await Spool.of(all()) : undefined);
  }

  /** Size, bytes, compressed as it is; `undefined` where it is not known. */
  get size(): number | undefined {
    return this.#spool?.byteLength ?? this.#bytes.size;
  }

  /** Bytes that the latest pass read, compressed as they are. */
  get bytesRead(): number {
    return this.#counter.bytes;
  }

  /** Reads from an offset in the decompressed bytes on. */
  async *read(offset: number): AsyncGenerator<Uint8Array, void, void> {
    this.#counter.bytes = 0;
    if (this.#spool === undefined) {
      yield* readBytes(this.#bytes, offset, this.#counter);
      return;
    }
    const { byteLength } = this.#spool;
    for (let at = offset; at < byteLength; at += CHUNK_BYTES) {
      const end = Math.min(at + CHUNK_BYTES, byteLength);
      this.#counter.bytes = end;
      yield new Uint8Array(await this.#spool.slice(at, end));
    }
  }

  /** Removes the spool. Closing twice does nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spool?.[Symbol.asyncDispose]();
  }
}
