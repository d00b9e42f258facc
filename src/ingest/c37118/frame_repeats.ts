/**
 * Frames that come twice: captures on several interfaces, networks that double datagrams, two clients
 * of one PMU.
 *
 * @module
 */

import type { RawDataFrame } from "./frame_decoder.ts";

/** Frames remembered of each data stream. */
const REMEMBERED = 4096;
/** Most data streams whose frames are remembered. */
const MAX_STREAMS = 1024;

/** Recognises data frames that are the same as one of the last 4096 of their stream. */
export class FrameRepeats {
  readonly #streams = new Map<string, Map<number, number>>();

  #last = new Map<number, number>();
  #lastScope: string | undefined;
  #lastIdcode = -1;

  #seenOf(key: string): Map<number, number> {
    let seen = this.#streams.get(key);
    if (seen === undefined) {
      if (this.#streams.size >= MAX_STREAMS) this.#streams.clear();
      this.#streams.set(key, seen = new Map());
    }
    return seen;
  }

  /**
   * Whether the same frame came before: same stream, same time, same checksum.
   *
   * @param scope Device it came from.
   */
  has(scope: string, { header, view, start }: RawDataFrame): boolean {
    if (scope !== this.#lastScope || header.idcode !== this.#lastIdcode) {
      this.#last = this.#seenOf(`${scope} ${header.idcode}`);
      this.#lastScope = scope;
      this.#lastIdcode = header.idcode;
    }
    const seen = this.#last;
    // 28 bits of seconds, eight years, and 24 bits of the fraction.
    const time = (header.soc & 0xfff_ffff) * 2 ** 24 + header.fraction;
    const checksum = view.getUint16(start + header.size - 2);
    if (seen.get(time) === checksum) return true;
    seen.set(time, checksum);
    if (seen.size > REMEMBERED) {
      for (const oldest of seen.keys()) {
        seen.delete(oldest);
        break;
      }
    }
    return false;
  }
}
