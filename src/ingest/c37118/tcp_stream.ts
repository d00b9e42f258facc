/**
 * Reassembles one direction of a TCP connection from its segments.
 *
 * @module
 */

/** Bytes ahead of a gap that are kept; beyond them the gap is given up. */
const WINDOW_BYTES = 1 << 20;
/** Segments ahead of a gap that are kept. */
const WINDOW_SEGMENTS = 4096;
const SYN = 2;
/** Bytes that a segment may be back and be one that came again; beyond, the connection is another. */
const MAX_BACK = WINDOW_BYTES;

/** Puts segments into order; drops what came before, closes gaps that the capture missed. */
export class TcpStream {
  #next: number | undefined;
  /** Number of the first byte given, where the capture began in the middle. */
  #first: number | undefined;
  #ahead: { sequence: number; bytes: Uint8Array }[] = [];
  #aheadBytes = 0;
  /** Bytes that came again. */
  repeatedBytes = 0;
  /** Gaps that were given up. */
  gaps = 0;

  /**
   * Takes a segment.
   *
   * @param sequence Number of its first byte, modulo 2^32.
   * @param flags Flags of its header.
   * @param payload Its bytes.
   * @returns Bytes that follow those given before, in pieces.
   */
  push(sequence: number, flags: number, payload: Uint8Array): Uint8Array[] {
    if (flags & SYN) {
      // A new connection on the same ports.
      const rest = this.flush();
      this.#next = sequence + 1 >>> 0;
      this.#first = undefined;
      return payload.length === 0 ? rest : [...rest, ...this.push(this.#next, 0, payload)];
    }
    if (payload.length === 0) return [];
    // The capture began in the middle of the connection, or missed how a new one began.
    const out: Uint8Array[] = [];
    if (this.#next === undefined) this.#next = this.#first = sequence;
    else if ((sequence - this.#next | 0) < -MAX_BACK) {
      out.push(...this.flush());
      this.#next = this.#first = sequence;
    }
    this.#add(sequence, payload, out);
    this.#drain(out);
    while (this.#aheadBytes > WINDOW_BYTES || this.#ahead.length > WINDOW_SEGMENTS) {
      this.#jump(out);
    }
    return out;
  }

  /** Bytes kept that are ahead of a gap. */
  get aheadBytes(): number {
    return this.#aheadBytes;
  }

  /** Gives what is left, across gaps; at the end. */
  flush(): Uint8Array[] {
    const out: Uint8Array[] = [];
    while (this.#ahead.length > 0) this.#jump(out);
    return out;
  }

  #add(sequence: number, payload: Uint8Array, out: Uint8Array[]): void {
    const distance = sequence - this.#next! | 0;
    if (distance > 0) {
      if (
        this.#ahead.some((other) =>
          other.sequence === sequence && other.bytes.length >= payload.length
        )
      ) {
        this.repeatedBytes += payload.length;
        return;
      }
      this.#ahead.push({ sequence, bytes: payload.slice() });
      this.#aheadBytes += payload.length;
      return;
    }
    if (this.#first !== undefined && (sequence - this.#first | 0) < 0) {
      // Bytes from before the first ones: their place is past.
      this.gaps++;
      this.#first = sequence;
    } else this.repeatedBytes += Math.min(-distance, payload.length);
    if (-distance >= payload.length) return;
    out.push(payload.subarray(-distance));
    this.#next = sequence + payload.length >>> 0;
  }

  /** Takes segments that are no longer ahead. */
  #drain(out: Uint8Array[]): void {
    for (;;) {
      const i = this.#ahead.findIndex(({ sequence }) => (sequence - this.#next! | 0) <= 0);
      if (i < 0) return;
      const [segment] = this.#ahead.splice(i, 1);
      this.#aheadBytes -= segment!.bytes.length;
      this.#add(segment!.sequence, segment!.bytes, out);
    }
  }

  /** Goes on behind a gap. */
  #jump(out: Uint8Array[]): void {
    this.gaps++;
    let nearest = this.#ahead[0]!.sequence;
    for (const { sequence } of this.#ahead) if ((sequence - nearest | 0) < 0) nearest = sequence;
    this.#next = nearest;
    this.#drain(out);
  }
}
