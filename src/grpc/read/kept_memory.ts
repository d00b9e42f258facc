/**
 * Bounds the memory of what is kept of an answer until it is whole, or until it is over.
 *
 * @module
 */

import { uuidText } from "../../core/uuid.ts";
import { type ErrorContext, wrongAnswer } from "../errors.ts";

/** Most memory for the names, keys and streams of one answer: two million collections of 60 letters. */
const MAX_KEPT_BYTES = 256 << 20;

/** Memory that a text takes besides its letters, bytes. */
const TEXT_BYTES = 64;

/** Counts what is kept of one answer. */
export class KeptMemory {
  readonly #call: ErrorContext;
  readonly #most: number;
  #bytes = 0;

  /**
   * @param call The call that is answered.
   * @param most Bytes that may be kept.
   */
  constructor(call: ErrorContext, most: number = MAX_KEPT_BYTES) {
    this.#call = call;
    this.#most = most;
  }

  /**
   * Notes texts that will be kept.
   *
   * @throws {BTrDBError} `DATA_LOSS` if that is more than may be kept.
   */
  add(...texts: readonly (string | null)[]): void {
    for (const text of texts) this.#bytes += TEXT_BYTES + (text?.length ?? 0);
    if (this.#bytes > this.#most) {
      throw wrongAnswer(`it has over ${this.#most} bytes to be kept`, this.#call);
    }
  }
}

/** Streams that are remembered in 400 MB. */
const MAX_STREAMS = 1 << 22;

/** The streams that an answer has had, so that none is given twice. */
export class SeenStreams {
  readonly #most: number;
  readonly #keys: Set<string> = new Set();
  /** True if there were too many to remember: a lookup that breaks now cannot begin anew. */
  isOver = false;

  /** @param most Streams that are remembered. */
  constructor(most: number = MAX_STREAMS) {
    this.#most = most;
  }

  /** Notes a stream. Returns whether it is a new one, as far as is known. */
  add(uuid: Uint8Array): boolean {
    const key = uuidText(uuid);
    if (this.#keys.has(key)) return false;
    if (this.#keys.size < this.#most) this.#keys.add(key);
    else this.isOver = true;
    return true;
  }
}
