/**
 * Errors of a running server that no client is to blame for, as its operator sees them.
 *
 * @module
 */

import { verdictOf } from "./errors.ts";
import { escapeLine } from "./terminal/escape.ts";

/** Most different errors that are shown; names and numbers in them make them different. */
const MAX_SHOWN = 100;

/** Shows each error once: a broken disk has every call fail. */
export class ServerErrors {
  readonly #show: (text: string) => void;
  readonly #shown = new Set<string>();

  /** @param show Receives a text of one line, in which nothing moves a terminal. */
  constructor(show: (text: string) => void) {
    this.#show = show;
  }

  /**
   * Shows an error that was not shown before.
   *
   * @param error The thrown value.
   */
  report(error: unknown): void {
    const text = escapeLine(`${verdictOf(error).message}`);
    if (this.#shown.has(text) || this.#shown.size > MAX_SHOWN) return;
    this.#shown.add(text);
    if (this.#shown.size <= MAX_SHOWN) this.#show(text);
    else this.#show("Further errors are only counted, by the metric btrdb_server_errors_total");
  }
}
