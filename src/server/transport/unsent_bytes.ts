/**
 * Bounds on the bytes that wait for a socket. HTTP/2 under Deno hands a socket whatever the flow-control
 * window of the client permits, up to 2 GiB, whether the client reads or not.
 *
 * @module
 */

import { setImmediate } from "node:timers";

/** Bytes that may wait for a socket before answers are held back. */
const MAX_UNSENT_BYTES = 1 << 20;

/** The part of a socket that is needed. */
export interface SendingSocket {
  readonly writableLength: number;
  once(event: "drain", listener: () => void): unknown;
}

/** The part of a session of HTTP/2 that is needed; it has no socket any more once it is over. */
export interface SendingSession {
  readonly socket?: SendingSocket | undefined;
}

/** Hands over what was held back; the number of its bytes. */
type Release = () => number;

/** Answers of a session that are held back until its socket has sent what it has. */
export class UnsentBytes {
  readonly #session: SendingSession;
  readonly #held = new Set<Release>();
  #isWaiting = false;

  constructor(session: SendingSession) {
    this.#session = session;
  }

  /** True if the socket had better get no more for now. */
  get isFull(): boolean {
    return (this.#session.socket?.writableLength ?? 0) >= MAX_UNSENT_BYTES;
  }

  /** Runs `release` when the socket has room; those of a socket take turns. */
  hold(release: Release): void {
    this.#held.add(release);
    this.#wait();
  }

  #wait(): void {
    if (this.#isWaiting || this.#held.size === 0) return;
    this.#isWaiting = true;
    const next = (): void => {
      this.#isWaiting = false;
      this.#serve();
    };
    if (this.isFull) this.#session.socket?.once("drain", next);
    else setImmediate(next);
  }

  #serve(): void {
    let left = MAX_UNSENT_BYTES;
    for (const release of this.#held) {
      if (left <= 0 || this.isFull) break;
      this.#held.delete(release);
      left -= release();
    }
    this.#wait();
  }
}

const bySession = new WeakMap<SendingSession, UnsentBytes>();

/** The one of a session. */
export function unsentOf(session: SendingSession): UnsentBytes {
  const known = bySession.get(session);
  if (known !== undefined) return known;
  const unsent = new UnsentBytes(session);
  bySession.set(session, unsent);
  return unsent;
}
