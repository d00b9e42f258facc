/** Work in turns of the event loop, on a clock that goes on with the work alone. */

/** Counts work by the turn in which it is done. */
export class CountedTurns implements Disposable {
  /** Work of each turn so far in which there was any. */
  readonly work: number[] = [];
  readonly #now = performance.now;
  readonly #unitMs: number;
  #ms = 0;
  #current = 0;
  #next: ReturnType<typeof setImmediate>;

  /** @param unitMs Time that a unit of work takes on the clock of this process, ms. */
  constructor(unitMs: number) {
    this.#unitMs = unitMs;
    this.#ms = performance.now();
    performance.now = () => this.#ms;
    const turn = () => {
      if (this.#current > 0) this.work.push(this.#current);
      this.#current = 0;
      this.#next = setImmediate(turn);
    };
    this.#next = setImmediate(turn);
  }

  /** Takes note of work. */
  add(units = 1): void {
    this.#current += units;
    this.#ms += units * this.#unitMs;
  }

  [Symbol.dispose](): void {
    clearImmediate(this.#next);
    performance.now = this.#now;
  }
}
