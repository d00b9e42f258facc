/**
 * Bodies of replies, sent as fast as the client takes them.
 *
 * @module
 */

import { onAbort } from "../../core/call.ts";
import { PIECE_BYTES } from "../transport/call_stream.ts";
import type { FairSending } from "../transport/fair_sending.ts";
import { turnOfCall } from "../transport/turns.ts";
import type { Reply } from "./exchange.ts";
import type { HttpExchange } from "./routes.ts";

/** Head of a reply. */
export interface ReplyHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** The part of an exchange that is needed. */
type Answered = Pick<HttpExchange, "request" | "reply" | "grant" | "options">;

/** Writes the body of a reply; its head goes with the first piece, so that an error can still be one. */
export class ReplyWriter {
  readonly #exchange: Answered;
  readonly #reply: Reply;
  readonly #head: ReplyHead;
  readonly #signal: AbortSignal;
  readonly #pace: FairSending;
  #wake = () => {};

  /**
   * @param exchange The reply, and the request, whose signal ends the waiting.
   * @param pace Lets small requests be answered in between.
   */
  constructor(exchange: Answered, head: ReplyHead, pace: FairSending) {
    this.#exchange = exchange;
    this.#reply = exchange.reply;
    this.#head = head;
    this.#signal = exchange.options.signal;
    this.#pace = pace;
    this.#reply.onDrain(() => this.#wake());
  }

  /**
   * Sends a piece.
   *
   * @param piece Its bytes, which belong to the reply from now on.
   * @returns Resolves once the client has taken enough; rejects with the signal's reason.
   */
  async write(piece: Uint8Array): Promise<void> {
    const { grant, request } = this.#exchange;
    await this.#pace.take(piece.length, () => turnOfCall(grant, request.peer));
    this.#signal.throwIfAborted();
    this.#begin();
    for (let at = 0; at < piece.length; at += PIECE_BYTES) {
      if (!this.#reply.write(piece.subarray(at, at + PIECE_BYTES))) await this.#room();
    }
  }

  /** Ends the body. */
  end(): void {
    this.#signal.throwIfAborted();
    this.#begin();
    this.#reply.end();
  }

  #begin(): void {
    const { status, headers } = this.#head;
    if (!this.#reply.hasBegun) this.#reply.begin(status, headers);
  }

  #room(): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = onAbort(this.#signal, () => reject(this.#signal.reason));
      const wake = () => {
        this.#wake = () => {};
        stop();
        resolve();
      };
      this.#wake = wake;
    });
  }
}
