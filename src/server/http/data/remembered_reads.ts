/**
 * Answers that were resolved lately. A reader of Parquet asks for one file in many requests, and has
 * to get pieces of the same one, though points come in meanwhile.
 *
 * @module
 */

import type { DataAnswer } from "./data_answer.ts";

/** Most answers remembered. */
const MAX_READS = 4_096;

/** Most streams of all of them: one takes about half a KiB. */
const MAX_STREAMS = 65_536;

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
  readonly owner: unknown;
  readonly madeMs: number;
  usedMs: number;
}

/** Answers by reader and URL. */
export class RememberedReads {
  /** Those used longest ago come first. */
  readonly #reads = new Map<string, Read>();
  /** Streams of the answers of each owner, and one more for each answer. */
  readonly #streams = new Map<unknown, number>();
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
    this.#forget(key);
    if (isOver || pause >= FORGET_MS) return undefined;
    read.usedMs = now;
    this.#set(key, read);
    return read.answer;
  }

  /**
   * Remembers an answer. If they are too many, or have too many streams, those used longest ago by the
   * owner of most streams are forgotten.
   *
   * @param owner The one on whose account it is kept, such as a key.
   */
  remember(key: string, owner: unknown, answer: DataAnswer): void {
    const now = this.#now();
    this.#forget(key);
    this.#set(key, { answer, owner, madeMs: now, usedMs: now });
    while (this.#isFull()) this.#forget(this.#oldest());
  }

  #isFull(): boolean {
    let streams = 0;
    for (const some of this.#streams.values()) streams += some;
    return this.#reads.size > MAX_READS || streams > MAX_STREAMS;
  }

  /** The answer that was used longest ago of the owner of most streams. */
  #oldest(): string {
    let largest: unknown, most = 0;
    for (const [owner, streams] of this.#streams) {
      if (streams > most) [largest, most] = [owner, streams];
    }
    for (const [key, { owner }] of this.#reads) if (owner === largest) return key;
    throw new Error("an owner has no answer");
  }

  #set(key: string, read: Read): void {
    this.#reads.set(key, read);
    this.#count(read, 1);
  }

  #forget(key: string): void {
    const read = this.#reads.get(key);
    if (read === undefined) return;
    this.#reads.delete(key);
    this.#count(read, -1);
  }

  #count({ owner, answer }: Read, sign: 1 | -1): void {
    const streams = (this.#streams.get(owner) ?? 0) + sign * (1 + answer.labels.length);
    if (streams === 0) this.#streams.delete(owner);
    else this.#streams.set(owner, streams);
  }
}
