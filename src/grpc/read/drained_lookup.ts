/**
 * A lookup that is read to its end even when nobody wants the rest: a cancelled filtered lookup
 * makes a real server spin for ever (docs/protocol.md, "Quirks of real servers").
 *
 * @module
 */

import { abortable } from "../../core/call.ts";
import type { Caller, CallSpec, OpenCall } from "../call/caller.ts";
import { lateError } from "../errors.ts";

/** How long a lookup that nobody wants any more may go on, ms. */
const DRAIN_MS = 60_000;

/** One try of a lookup. */
export class DrainedLookup {
  readonly #call: OpenCall;
  readonly #spec: CallSpec;
  readonly #drain: boolean;
  #over = false;

  /** @param drain Whether the call must not be cancelled; signal and deadline end the waiting. */
  constructor(
    caller: Caller,
    spec: CallSpec,
    message: Uint8Array,
    attempt: number,
    drain: boolean,
  ) {
    this.#spec = spec;
    this.#drain = drain;
    this.#call = caller.open(drain ? { ...spec, options: {} } : spec, message, attempt);
  }

  /** The next message; `undefined` after the last. */
  read(): Promise<Uint8Array | undefined> {
    return this.#drain
      ? abortable(this.#read(), this.#spec.options, () => lateError(this.#spec))
      : this.#read();
  }

  async #read(): Promise<Uint8Array | undefined> {
    try {
      const bytes = await this.#call.read();
      this.#over = bytes === undefined;
      return bytes;
    } catch (error) {
      this.#over = true;
      throw error;
    }
  }

  /** Nobody reads any more. */
  end(): void {
    if (!this.#drain || this.#over) return this.#call.rpc.cancel();
    this.#call.rpc.background = true;
    void this.#drainAll();
  }

  async #drainAll(): Promise<void> {
    const timer = setTimeout(() => this.#call.rpc.cancel(), DRAIN_MS);
    try {
      while (!this.#over) await this.#read();
    } catch {
      // It ended badly, and nobody wants to know.
    } finally {
      clearTimeout(timer);
      this.#call.rpc.cancel();
    }
  }
}
