/**
 * Answers that were resolved lately. A reader of Parquet asks for one file in many requests, and has
 * to get pieces of the same one, though points come in meanwhile.
 *
 * @module
 */

import type { DataAnswer } from "./data_answer.ts";

/** Most answers remembered. */
const MAX_READS = 4_096;

/** Age from which a new read gets a new answer, unless the old one is being read, ms. */
const FRESH_MS = 10_000;

/** Time since the last request after which an answer is not being read, ms. */
const PAUSE_MS = 2_000;

/** Age from which a new read gets a new answer in any case, ms. */
const OLD_MS = 60_000;

/** Time after which an answer is forgotten, ms. */
const FORGET_MS = 600_000;

interface Read {
  readonly answer: DataAnswer;
  readonly madeMs: number;
  usedMs: number;
}

/** Answers by reader and URL. */
export class RememberedReads {
  readonly #reads = new Map<string, Read>();
  readonly #now: () => number;

  /** @param now The present, ms. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * The answer that a reader got for a URL.
   *
   * @param isStart True if the request may be the first one of a read.
   */
  find(key: string, isStart: boolean): DataAnswer | undefined {
    const read = this.#reads.get(key);
    if (read === undefined) return undefined;
    const now = this.#now();
    const age = now - read.madeMs;
    const pause = now - read.usedMs;
    const isOver = isStart && ((age >= FRESH_MS && pause >= PAUSE_MS) || age >= OLD_MS);
    this.#reads.delete(key);
    if (isOver || pause >= FORGET_MS) return undefined;
    read.usedMs = now;
    this.#reads.set(key, read);
    return read.answer;
  }

  /** Remembers an answer, and forgets the one used longest ago if they are too many. */
  remember(key: string, answer: DataAnswer): void {
    const now = this.#now();
    this.#reads.delete(key);
    this.#reads.set(key, { answer, madeMs: now, usedMs: now });
    const [oldest] = this.#reads.keys();
    if (this.#reads.size > MAX_READS && oldest !== undefined) this.#reads.delete(oldest);
  }
}
