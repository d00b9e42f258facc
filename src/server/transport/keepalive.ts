/**
 * Keepalive probes of HTTP/2. Those of the gRPC library end a client that does not answer one in time,
 * and an answer of a probe comes behind whatever the client has still to read: at 50 kB a second that
 * took longer, and a client that read all the time lost its connection every 40 s.
 *
 * @module
 */

import type { Http2Server } from "node:http2";
import { MAX_TIMER_MS } from "../../core/call.ts";
import { onSilence } from "../../core/silence_timer.ts";
import { endConnection } from "./end_connection.ts";

/**
 * Longest time without a sign of a client while bytes wait for it, ms. At its socket about 1 MiB waits
 * together, and the system tells only when it has taken all of it: clients that read 9 kB a second are
 * seen to read.
 */
const UNREAD_MS = 120_000;

/**
 * Bytes that a probe itself may take, with those of TLS around it: the system takes them although the
 * client does not read.
 */
const PROBE_BYTES = 64;

/** Times of keepalive probes. */
export interface KeepaliveTimes {
  /** Silence of a client after which it is sent a probe, ms. */
  readonly keepaliveMs: number;
  /** Longest wait for a sign of it after that, ms. */
  readonly keepaliveTimeoutMs: number;
}

/** The part of a socket that is needed. */
interface CountingSocket {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly writableLength: number;
}

/** The part of an answer that is needed. */
interface Answer {
  /** Bytes that wait for the window of the client, which it opens as it reads. */
  readonly writableLength: number;
  once(event: "close", listener: () => void): unknown;
}

/** The part of a session of HTTP/2 that is needed; it has no socket any more once it is over. */
export interface ProbedSession {
  readonly socket?: CountingSocket | undefined;
  readonly destroyed: boolean;
  ping(onAnswer: () => void): unknown;
  destroy(): void;
  once(event: "close", listener: () => void): unknown;
  on(event: "stream", listener: (answer: Answer) => void): unknown;
}

/** Probes the clients of a server, and ends the connections of those that have gone. */
export function probeClients(http2: Http2Server, times: KeepaliveTimes): void {
  http2.on("session", (session) => new Keepalive(session, times));
}

/** Probes of one connection. */
export class Keepalive {
  readonly #session: ProbedSession;
  readonly #times: KeepaliveTimes;
  #stopTimer = (): void => {};
  #read = 0;
  #taken = 0;
  /** True while a probe is under way: another one would come behind it. */
  #isProbed = false;
  readonly #unreadMs: number;
  readonly #answers = new Set<Answer>();

  /** @param unreadMs Longest time without a sign of the client while bytes wait for it. */
  constructor(session: ProbedSession, times: KeepaliveTimes, unreadMs: number = UNREAD_MS) {
    this.#session = session;
    this.#times = times;
    this.#unreadMs = unreadMs;
    session.once("close", () => this.#stopTimer());
    session.on("stream", (answer) => {
      this.#answers.add(answer);
      answer.once("close", () => this.#answers.delete(answer));
    });
    this.#listen();
  }

  /** Waits until the client has been silent. */
  #listen(): void {
    const { keepaliveMs } = this.#times;
    if (keepaliveMs > MAX_TIMER_MS) return;
    this.#isHeard();
    this.#wait(keepaliveMs, () => {
      if (this.#isHeard()) return this.#listen();
      this.#probe();
      this.#expectSign(0);
    });
  }

  #probe(): void {
    if (this.#isProbed) return;
    this.#isProbed = true;
    this.#session.ping(() => this.#isProbed = false);
  }

  /**
   * Waits for a sign of the client, an answer or bytes taken.
   *
   * @param waitedMs Time that it was waited for already.
   */
  #expectSign(waitedMs: number): void {
    const { keepaliveTimeoutMs } = this.#times;
    this.#wait(Math.min(keepaliveTimeoutMs, MAX_TIMER_MS), () => {
      if (this.#isHeard()) return this.#listen();
      const allMs = waitedMs + keepaliveTimeoutMs;
      if (allMs < this.#unreadMs && this.#isUnread()) this.#expectSign(allMs);
      else endConnection(this.#session);
    });
  }

  /** Tells whether bytes wait for the client: for its socket, or for a window that it opens. */
  #isUnread(): boolean {
    if ((this.#session.socket?.writableLength ?? 0) > 0) return true;
    for (const { writableLength } of this.#answers) if (writableLength > 0) return true;
    return false;
  }

  /**
   * Tells whether bytes have come from the client, or more than a probe were taken for it, since this
   * was asked before.
   */
  #isHeard(): boolean {
    const { socket } = this.#session;
    if (socket === undefined) return false;
    const taken = socket.bytesWritten - socket.writableLength;
    const isHeard = socket.bytesRead !== this.#read || taken > this.#taken + PROBE_BYTES;
    this.#read = socket.bytesRead;
    this.#taken = taken;
    return isHeard;
  }

  #wait(ms: number, next: () => void): void {
    this.#stopTimer = onSilence(ms, () => {
      if (!this.#session.destroyed) next();
    });
  }
}
