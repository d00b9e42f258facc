/**
 * Filters frames that come twice: captures on several interfaces, networks that double datagrams,
 * two clients of one PMU.
 *
 * @module
 */

import type { RawDataFrame } from "./frame_decoder.ts";

/** Frames remembered of each data stream. */
const REMEMBERED = 4096;
/** Most data streams whose frames are remembered. */
const MAX_STREAMS = 1024;

/** The last frames of a data stream, in a ring. */
interface Seen {
  times: Float64Array;
  checksums: Uint16Array;
  count: number;
  newest: number;
}

/** Recognises data frames that are the same as one of the last 4096 of their stream. */
export class FrameRepeats {
  /** Frames of a time that one of the last 4096 has too, with other bytes. */
  conflicts = 0;
  readonly #streams = new Map<string, Seen>();
  #last: Seen | undefined;
  #lastScope: string | undefined;
  #lastIdcode = -1;

  /**
   * Tells whether the same frame came before: same stream, same time, same checksum.
   *
   * @param scope Device it came from.
   */
  has(scope: string, { header, view, start }: RawDataFrame): boolean {
    if (scope !== this.#lastScope || header.idcode !== this.#lastIdcode) {
      this.#last = this.#seenOf(`${scope} ${header.idcode}`);
      this.#lastScope = scope;
      this.#lastIdcode = header.idcode;
    }
    const seen = this.#last!;
    // 28 bits of seconds, eight years, and 24 bits of the fraction.
    const time = (header.soc & 0xfff_ffff) * 2 ** 24 + header.fraction;
    const checksum = view.getUint16(start + header.size - 2);
    // Frames ascend, but for the few that are looked for.
    if (time <= seen.newest) {
      const there = findTime(seen, time, checksum);
      if (there === "same") return true;
      if (there === "other") this.conflicts++;
    }
    const at = seen.count++ % REMEMBERED;
    seen.times[at] = time;
    seen.checksums[at] = checksum;
    if (time > seen.newest) seen.newest = time;
    return false;
  }

  #seenOf(key: string): Seen {
    let seen = this.#streams.get(key);
    if (seen === undefined) {
      if (this.#streams.size >= MAX_STREAMS) this.#streams.clear();
      const times = new Float64Array(REMEMBERED);
      seen = { times, checksums: new Uint16Array(REMEMBERED), count: 0, newest: -1 };
      this.#streams.set(key, seen);
    }
    return seen;
  }
}

/** Looks for a frame in the ring, the newest first: the same one, or another one of its time. */
function findTime(
  { times, checksums, count }: Seen,
  time: number,
  checksum: number,
): "same" | "other" | undefined {
  const oldest = Math.max(0, count - REMEMBERED);
  let found: "other" | undefined;
  for (let i = count - 1; i >= oldest; i--) {
    const at = i % REMEMBERED;
    if (times[at] !== time) continue;
    if (checksums[at] === checksum) return "same";
    found = "other";
  }
  return found;
}
