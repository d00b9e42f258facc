/**
 * The calls under way, whichever port they came in by, and how they end when the server stops.
 *
 * @module
 */

import { Call } from "./call.ts";
import type { CallStream } from "./call_stream.ts";
import type { OnStrangeError } from "./contain_errors.ts";
import { FairSending } from "./fair_sending.ts";
import { FirstMessages } from "./first_messages.ts";
import { GrpcFailure, GrpcStatus } from "./status.ts";
import { until } from "./until.ts";

/** Longest time for calls to notice that they were ended, ms. */
const SETTLE_MS = 500;

/** Calls of a server. */
export class Calls {
  readonly #handle: (call: Call) => Promise<void>;
  readonly #onStrangeError: OnStrangeError;
  readonly #calls = new Set<Call>();
  readonly #pace = new FairSending();
  readonly #firstMessages = new FirstMessages();

  /**
   * @param handle Handles a call to its end.
   * @param onStrangeError Told if it rejects, which it should not.
   */
  constructor(handle: (call: Call) => Promise<void>, onStrangeError: OnStrangeError) {
    this.#handle = handle;
    this.#onStrangeError = onStrangeError;
  }

  /**
   * Begins a call.
   *
   * @param path Its method, `/package.Service/Method`.
   * @param stream The wire's side of it.
   */
  begin(path: string, stream: CallStream): Call {
    const call = new Call(path, stream, this.#pace, this.#firstMessages);
    this.#calls.add(call);
    void this.#run(call);
    return call;
  }

  /** Takes a call to its end. An error that `handle` has not caught would end the process: it ends the call. */
  async #run(call: Call): Promise<void> {
    try {
      await this.#handle(call);
    } catch (error) {
      call.breakOff();
      this.#onStrangeError(error, call);
    }
    await call.done;
    this.#calls.delete(call);
  }

  /**
   * Lets the calls under way finish, cancels those that have no end of their own, and what is left
   * after `graceMs`.
   */
  async finish(graceMs: number): Promise<void> {
    await until(() => [...this.#calls].every((call) => call.endless), graceMs);
    const stop = new GrpcFailure(GrpcStatus.UNAVAILABLE, "the server is stopping");
    for (const call of this.#calls) call.cancel(stop);
    this.#firstMessages.close();
    await until(() => this.#calls.size === 0, SETTLE_MS);
  }
}
