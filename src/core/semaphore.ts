/**
 * A counting semaphore, first come, first served.
 *
 * @module
 */

import { abortable, type CallOptions, type Late } from "./call.ts";

/** A caller that waits. */
interface Waiter {
  readonly count: number;
  readonly grant: () => void;
}

/** Gives up to a number of permits; more callers wait in the order in which they came. */
export class Semaphore {
  readonly #permits: number;
  readonly #waiting: Set<Waiter> = new Set();
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

  /** Tells whether the next caller gets permits without waiting. */
  hasRoom(count = 1): boolean {
    return this.#waiting.size === 0 && this.#taken + count <= this.#permits;
  }

  /**
   * Takes permits; they must be given back with {@linkcode Semaphore.release}.
   *
   * @param call Its signal and deadline end the wait.
   * @param late Name of the call, or the error of its passed deadline.
   * @param count Number of permits, at most as many as there are.
   * @returns `undefined` if the permits were there at once, else what to wait for.
   */
  take(call: CallOptions, late: Late, count = 1): Promise<void> | undefined {
    if (this.hasRoom(count)) {
      this.#taken += count;
      return undefined;
    }
    let grant!: () => void;
    const permit = new Promise<void>((resolve) => grant = resolve);
    const waiter = { count, grant };
    this.#waiting.add(waiter);
    return abortable(permit, call, late).catch((error) => {
      // Permits that were granted in the moment of the abort go to the next caller.
      if (this.#waiting.delete(waiter)) this.#grantNext();
      else this.release(count);
      throw error;
    });
  }

  /** Gives permits back, to the callers that have waited longest. */
  release(count = 1): void {
    this.#taken -= count;
    this.#grantNext();
    if (this.#taken === 0) this.#idle?.();
  }

  /** Lets callers go on for whom there are permits, in their order. */
  #grantNext(): void {
    for (const waiter of this.#waiting) {
      if (this.#taken + waiter.count > this.#permits) return;
      this.#waiting.delete(waiter);
      this.#taken += waiter.count;
      waiter.grant();
    }
  }

  /** Resolves when all permits are back. */
  async idle(): Promise<void> {
    if (this.#taken > 0) await new Promise<void>((resolve) => this.#idle = resolve);
  }
}
