/**
 * Messages with the streams that a lookup has found.
 *
 * @module
 */

import { concatBytes } from "../../core/bytes.ts";
import { giveWay } from "../../core/pacer.ts";
import type { StreamDescriptor } from "../../endpoint/endpoint.ts";
import type { MetadataCodec } from "./metadata_codec.ts";

/** Streams a `LookupStreamsResponse` carries at most. */
const BATCH_STREAMS = 1_000;

/**
 * Tags and annotations of them, and what the last stream adds: clients decode a message at once, 8,000 in
 * 6 to 10 ms.
 */
const BATCH_PROPERTIES = 8_192;

/** Bytes of a message, and what the last step adds: hundreds of lookups may have one that nobody reads. */
const BATCH_BYTES = 512 << 10;

/** Streams that are encoded in one step, and tags and annotations from which on it takes no more. */
const STEP_STREAMS = 128;
const STEP_PROPERTIES = 512;

/** The part of a dialect that is needed. */
export type LookupEncoder = Pick<MetadataCodec, "encodeLookup">;

/**
 * A `LookupStreamsResponse` in the making: messages with some of the results, one after another, are one
 * message. Streams are encoded as they come, for those of hundreds of lookups at once would be copied
 * with each collection of garbage.
 */
export class LookupMessage {
  readonly #dialect: LookupEncoder;
  readonly #pieces: Uint8Array[] = [];
  #step: StreamDescriptor[] = [];
  #stepProperties = 0;
  #streams = 0;
  #properties = 0;
  /** Bytes of the pieces. */
  #bytes = 0;

  /** @param dialect Version of the protocol. */
  constructor(dialect: LookupEncoder) {
    this.#dialect = dialect;
  }

  /** True without streams. */
  get isEmpty(): boolean {
    return this.#streams === 0;
  }

  /** True once the next stream belongs into another message. */
  get isFull(): boolean {
    return this.#streams === BATCH_STREAMS || this.#properties >= BATCH_PROPERTIES ||
      this.#bytes >= BATCH_BYTES;
  }

  /** Adds a stream. Resolves when the next one may follow. */
  add(stream: StreamDescriptor): Promise<void> | undefined {
    const properties = stream.tags.size + stream.annotations.size;
    this.#step.push(stream);
    this.#streams++;
    this.#stepProperties += properties;
    this.#properties += properties;
    const isStep = this.#step.length === STEP_STREAMS || this.#stepProperties >= STEP_PROPERTIES;
    if (!isStep) return undefined;
    this.#encode();
    return giveWay();
  }

  /** The bytes. */
  end(): Uint8Array {
    if (this.#step.length > 0 || this.#pieces.length === 0) this.#encode();
    return this.#pieces.length === 1 ? this.#pieces[0]! : concatBytes(this.#pieces);
  }

  #encode(): void {
    const piece = this.#dialect.encodeLookup(this.#step);
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    [this.#step, this.#stepProperties] = [[], 0];
  }
}
