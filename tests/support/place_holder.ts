/** Calls that take places behind gates of a server. */

import { type PlaceHolder, SendTimeout } from "../../src/server/unread_answers.ts";

/** A time that no test takes. */
export const NO_TIMEOUT: SendTimeout = new SendTimeout(1e9);

/** A call that is answered for as long as the test likes. */
export class TestCall implements PlaceHolder {
  readonly #controller = new AbortController();
  /** When its client last took something; `undefined` while it is not waited for. */
  since: number | undefined;
  /** Text with which it was ended. */
  ended: string | undefined;

  /** @param since When its client last took something. */
  constructor(since?: number) {
    this.since = since;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  unreadSince(): number | undefined {
    return this.since;
  }

  endUnread(message: string): void {
    this.ended = message;
    this.#controller.abort(new Error(message));
  }

  /** Its client is gone. */
  abort(reason: Error): void {
    this.#controller.abort(reason);
  }
}
