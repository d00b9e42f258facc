/**
 * A fair semaphore: callers take turns, so that a frequent caller does not keep others out.
 *
 * @module
 */

import { abortable, type CallOptions, type Late } from "./call.ts";

/** Gives each owner one permit at a time, and the owners their permits in turns. */
export class FairSemaphore {
  readonly #permits: number;
  readonly #running = new Set<unknown>();
  /** Callers that wait, by their owner; the owner whose turn is next comes first. */
  readonly #queues = new Map<unknown, Set<() => void>>();

  /** @param permits Permits that can be taken at once, each by another owner. */
  constructor(permits: number) {
    this.#permits = permits;
  }

  /** Number of callers of an owner that wait. */
  waiting(owner: unknown): number {
    return this.#queues.get(owner)?.size ?? 0;
  }

  /**
   * Takes the permit of an owner; it must be given back with {@linkcode FairSemaphore.release}.
   * Between two permits of an owner, every other one that waits gets one.
   *
   * @param owner Any value; equal ones are the same owner.
   * @param call Its signal and deadline end the wait.
   * @param late Name of the call, or the error of its passed deadline.
   */
  async take(owner: unknown, call: CallOptions, late: Late): Promise<void> {
    let grant!: () => void;
    const permit = new Promise<void>((resolve) => grant = resolve);
    const queue = this.#queues.get(owner) ?? new Set();
    this.#queues.set(owner, queue.add(grant));
    this.#grantNext();
    try {
      await abortable(permit, call, late);
    } catch (error) {
      // A permit that was granted in the moment of the abort goes to the next caller.
      if (!queue.delete(grant)) this.release(owner);
      else if (queue.size === 0 && this.#queues.get(owner) === queue) this.#queues.delete(owner);
      throw error;
    }
  }

  /** Gives the permit of an owner back. */
  release(owner: unknown): void {
    this.#running.delete(owner);
    this.#moveToEnd(owner);
    this.#grantNext();
  }

  /** Lets all others come before the next permit of an owner. */
  #moveToEnd(owner: unknown): void {
    const queue = this.#queues.get(owner);
    if (queue === undefined) return;
    this.#queues.delete(owner);
    this.#queues.set(owner, queue);
  }

  #grantNext(): void {
    for (const [owner, queue] of [...this.#queues]) {
      if (this.#running.size >= this.#permits) return;
      if (this.#running.has(owner)) continue;
      const [grant] = queue;
      queue.delete(grant!);
      if (queue.size === 0) this.#queues.delete(owner);
      this.#running.add(owner);
      grant!();
    }
  }
}
