/**
 * The interface of a file format.
 *
 * @module
 */

import type { ByteSource, ReadCounter } from "./bytes.ts";
import type { SourceOptions } from "./options.ts";
import type { Source } from "./source.ts";
import { Spool } from "./spool.ts";

/** What a format opens. */
export interface FormatInput {
  /** Where the bytes are. */
  readonly bytes: ByteSource;
  /** The first decompressed bytes, up to 256 KiB. */
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
  /** Whether a file is of this format, by its first bytes and its name. */
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

/** The bytes of an input for reading in any order: the path of a plain file, or a spool. */
export async function randomAccess({ bytes, all }: FormatInput): Promise<string | Spool> {
  const plain = bytes.path !== undefined && !bytes.once && bytes.compression === "none";
  return plain ? bytes.path! : await Spool.of(all());
}
