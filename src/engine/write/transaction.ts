/**
 * A transaction of the writer, and the tasks that are done in it.
 *
 * @module
 */

import type { BTrDBError } from "../../core/errors.ts";
import type { Head, StreamState } from "../stream/registry.ts";

/** An error of one task that has written nothing: the rest of its transaction goes on. */
export class Refusal {
  readonly error: BTrDBError;

  constructor(error: BTrDBError) {
    this.error = error;
  }
}

/** A transaction under way. */
export class Transaction {
  readonly #heads = new Map<StreamState, Head>();
  readonly #beforeCommit: (() => void)[] = [];
  readonly #afterCommit: (() => void)[] = [];

  /** The latest version of a stream as this transaction has it. */
  head(state: StreamState): Head {
    return this.#heads.get(state) ?? state.head;
  }

  /** Makes a new latest version, for this transaction and, once it is durable, for all. */
  setHead(state: StreamState, head: Head): void {
    this.#heads.set(state, head);
  }

  /**
   * Has `check` called when all tasks are done. An error it throws undoes the transaction; otherwise the
   * event loop does not turn until everything is visible.
   */
  beforeCommit(check: () => void): void {
    this.#beforeCommit.push(check);
  }

  /** Has `work` done once the transaction is durable. */
  afterCommit(work: () => void): void {
    this.#afterCommit.push(work);
  }

  /** Does what is to be done before the transaction is made durable. */
  check(): void {
    for (const check of this.#beforeCommit) check();
  }

  /** Makes everything visible. */
  publish(replaceHead: (state: StreamState, head: Head) => void): void {
    for (const [state, head] of this.#heads) replaceHead(state, head);
    for (const work of this.#afterCommit) work();
  }
}

/** One thing to write. */
export interface Task<T> {
  /** Points it carries. */
  points: number;
  /** Changes of points and of metadata never share a transaction; those of metadata never pause. */
  kind: "points" | "metadata";
  /**
   * True for a small piece of work that nobody waits for: each has a transaction of its own, and lets one
   * of the others go first, so that these wait for one such piece at most.
   */
  isBackground?: boolean;
  /**
   * Does it. A generator may pause. Throws {@linkcode Refusal} before it has written anything if it
   * cannot be done; any other error undoes the transaction.
   */
  run(tx: Transaction): T | Generator<undefined, T>;
}
