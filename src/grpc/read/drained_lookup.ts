/**
 * A lookup that is read to its end even when nobody wants the rest: a cancelled filtered lookup
 * makes a real server spin without end (docs/protocol.md, "Quirks of real servers").
 *
 * @module
 */

import { abortable } from "../../core/call.ts";
import type { Caller, CallSpec, OpenCall } from "../call/caller.ts";
import { lateError } from "../errors.ts";
import type { Rpc } from "../transport/rpc.ts";

/** Longest time that an abandoned lookup may go on, ms. */
const DRAIN_MS = 60_000;

/** One try of a lookup that must not be cancelled; signal and deadline only end the waiting. */
export class DrainedLookup implements OpenCall {
  readonly #call: OpenCall;
  readonly #spec: CallSpec;
  #over = false;

  private constructor(call: OpenCall, spec: CallSpec) {
    this.#call = call;
    this.#spec = spec;
  }

  /** Starts a lookup. */
  static async start(
    caller: Caller,
    spec: CallSpec,
    message: Uint8Array,
    attempt: number,
  ): Promise<DrainedLookup> {
    const opening = caller.open({ ...spec, options: {} }, message, attempt);
    try {
      const call = await abortable(opening, spec.options, () => lateError(spec));
      return new DrainedLookup(call, spec);
    } catch (error) {
      void opening.then((call) => new DrainedLookup(call, spec).end(), () => {});
      throw error;
    }
  }

  get rpc(): Rpc {
    return this.#call.rpc;
  }

  /** The next message; `undefined` after the last. */
  read(): Promise<Uint8Array | undefined> {
    return abortable(this.#read(), this.#spec.options, () => lateError(this.#spec));
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

  /** Leaves the rest of the answer to be read in the background. */
  end(): void {
    if (this.#over) return this.#call.end();
    this.#call.rpc.background = true;
    void this.#drainAll();
  }

  async #drainAll(): Promise<void> {
    const timer = setTimeout(() => this.#call.end(), DRAIN_MS);
    try {
      while (!this.#over) await this.#read();
    } catch {
      // It ended badly, and nobody wants to know.
    } finally {
      clearTimeout(timer);
      this.#call.end();
    }
  }
}
