/**
 * A message to the user while a command waits for a cluster that recovers.
 *
 * @module
 */

import type { CallEvent, CallHooks, RetryEvent } from "../../mod.ts";

/** Time of silence before the message, ms. */
const SILENCE_MS = 3_000;

/** Says once per wait that a cluster is recovering, and once that it serves again. */
export class RecoveryNotice implements CallHooks {
  readonly #say: (text: string) => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #sinceMs: number | undefined;
  #isSaid = false;
  #rpc = "";

  /** @param say Receives the message, without a line end. */
  constructor(say: (text: string) => void) {
    this.#say = say;
  }

  /** A call waits for the node that owns its stream. */
  onRetry({ rpc, elapsedMs, recovery }: RetryEvent): void {
    if (recovery === undefined || this.#sinceMs !== undefined) return;
    this.#sinceMs = Date.now() - elapsedMs;
    this.#rpc = rpc;
    this.#timer = setTimeout(() => {
      this.#isSaid = true;
      this.#say(recoveryText(recovery));
    }, Math.max(0, SILENCE_MS - elapsedMs));
  }

  /** The call that waited has ended. */
  onEnd({ rpc, error }: CallEvent): void {
    if (this.#sinceMs === undefined || rpc !== this.#rpc || error !== undefined) return;
    const seconds = Math.round((Date.now() - this.#sinceMs) / 1000);
    if (this.#isSaid) this.#say(`The cluster serves again after ${seconds} s`);
    this.stop();
  }

  /** Takes the message back that is due. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#sinceMs = undefined;
    this.#isSaid = false;
  }
}

function recoveryText({ healthy, unmapped }: NonNullable<RetryEvent["recovery"]>): string {
  if (healthy || unmapped === 0) return "The server is recovering, waiting";
  return `The cluster is recovering (${
    Math.round(unmapped)
  } % of streams without an owner), waiting`;
}
