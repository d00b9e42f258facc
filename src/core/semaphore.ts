/**
 * A counting semaphore, first come, first served.
 *
 * @module
 */

import { abortable, type CallOptions, type Late } from "./call.ts";

/** Gives up to a number of permits; more callers wait in the order in which they came. */
export class Semaphore {
  readonly #permits: number;
  readonly #waiting: Set<() => void> = new Set();
  #taken = 0;
  #idle: (() => void) | undefined;

  /** @param permits Permits that can be taken at once. */
  constructor(permits: number) {
    this.#permits = permits;
  }

  /** Number of permits that are taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Number of callers that wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** True if the next caller has to wait. */
  get isFull(): boolean {
    return this.#taken >= this.#permits;
  }

  /**
   * Takes a permit; it must be given back with {@linkcode Semaphore.release}.
   *
   * @param call Its signal and deadline end the wait.
   * @param late Name of the call, or the error of its passed deadline.
   * @returns `undefined` if the permit was there at once, else what to wait for.
   */
  take(call: CallOptions, late: Late): Promise<void> | undefined {
    if (!this.isFull) {
      this.#taken++;
      return undefined;
    }
    let grant!: () => void;
    const permit = new Promise<void>((resolve) => grant = resolve);
    this.#waiting.add(grant);
    return abortable(permit, call, late).catch((error) => {
      // A permit that was granted in the moment of the abort goes to the next caller.
      if (!this.#waiting.delete(grant)) this.release();
      throw error;
    });
  }

  /** Gives a permit back, to the caller that has waited longest. */
  release(): void {
    for (const grant of this.#waiting) {
      this.#waiting.delete(grant);
      return grant();
    }
    this.#taken--;
    if (this.#taken === 0) this.#idle?.();
  }

  /** Resolves when all permits are back. */
  async idle(): Promise<void> {
    if (this.#taken > 0) await new Promise<void>((resolve) => this.#idle = resolve);
  }
}
