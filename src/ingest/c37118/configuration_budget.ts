/**
 * Bounds the work on configurations that come unasked.
 *
 * @module
 */

/** Bytes of configurations in a second, and at first. A byte takes some 0.2 µs, and its columns as much again. */
const BYTES_PER_SECOND = 256 << 10;
const MOST_BYTES = 512 << 10;

/**
 * Bytes of configurations that a port may take in. Datagrams cannot be held back, and who sends ever
 * other configurations would keep all else waiting. Those that a device repeats unchanged cost nothing.
 */
export class ConfigurationBudget {
  readonly #onRefused: () => void;
  #bytes = MOST_BYTES;
  #atMs = performance.now();

  /** @param onRefused Called for each configuration that is left out. */
  constructor(onRefused: () => void) {
    this.#onRefused = onRefused;
  }

  /** Takes the bytes of a configuration out of the budget; false if there are not as many. */
  take(bytes: number): boolean {
    const nowMs = performance.now();
    const earned = (nowMs - this.#atMs) / 1000 * BYTES_PER_SECOND;
    this.#bytes = Math.min(MOST_BYTES, this.#bytes + earned);
    this.#atMs = nowMs;
    if (bytes > this.#bytes) {
      this.#onRefused();
      return false;
    }
    this.#bytes -= bytes;
    return true;
  }
}
