/**
 * Blocks that a tree names and the file does not have.
 *
 * @module
 */

import { BTrDBError } from "../../core/errors.ts";
import { uuidText } from "../../core/uuid.ts";

/**
 * The error of a block that is not in the file: it is damaged, unless the version to which the block
 * belongs was pruned while it was read.
 */
export class MissingBlock extends BTrDBError {
  /** Address of the block. */
  readonly address: number;

  /**
   * An error to throw.
   *
   * @param uuid Uuid of its stream, where that is known.
   */
  constructor(address: number, uuid?: Uint8Array) {
    const text = uuid && uuidText(uuid);
    const whose = text === undefined ? "" : ` of stream ${text}`;
    super(`The database is damaged: block ${address}${whose} is missing`, {
      status: "CORRUPT",
      ...(text !== undefined && { uuid: text }),
    });
    this.address = address;
  }
}

/** An error of reading or changing a stream; that of a missing block names the stream. */
export function withStream(error: unknown, uuid: Uint8Array): unknown {
  return error instanceof MissingBlock ? new MissingBlock(error.address, uuid) : error;
}

/** Changes a stream; the error of a missing block names it. */
export function* namingStream<T>(
  uuid: Uint8Array,
  steps: Generator<undefined, T>,
): Generator<undefined, T> {
  try {
    return yield* steps;
  } catch (error) {
    throw withStream(error, uuid);
  }
}
