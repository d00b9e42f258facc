/**
 * Commits buffers that no insert has filled: those that are too old, and the fullest when all
 * together are many points.
 *
 * @module
 */

import { BUFFER_POINTS } from "../constants.ts";
import { uuidKey } from "../../core/uuid.ts";
import type { Journal } from "../stream/journal.ts";
import type { StreamRegistry, StreamState } from "../stream/registry.ts";
import type { Task, Transaction } from "./transaction.ts";

/**
 * Points in all buffers together below which none is committed before it is full: 32 full buffers
 * are committed in a tenth of a second.
 */
const SPREAD_POINTS = 32 * BUFFER_POINTS;

/**
 * Part of a full buffer that buffers have on average, once the fullest are committed early. Buffers
 * that fill together are committed one after the other from then on, as many points as arrive. By
 * the time the last of them is full this makes ln(1 / part) of them, which is all for less than 1/e.
 */
const SPREAD_PART = 1 / 3;

/** Fullest buffers looked for at a time, at least: looking at all is not done for every one. */
const LEAST_FOUND = 64;

/** Fullest buffers looked for at a time, at most. */
const MOST_FOUND = 8192;

/** Parts of an open database that buffers are committed with. */
export interface BufferFlusherParts {
  readonly streams: StreamRegistry;
  readonly journal: Journal;
  readonly maxBufferAgeMs: number;
  readonly maxBufferedPoints: number;
  /** Queues a task for the writer. */
  submit(task: Task<unknown>): Promise<unknown>;
  /** Commits the buffer of a stream. */
  flush(tx: Transaction, state: StreamState): Generator<undefined, unknown>;
}

/** Commits buffers in the background. */
export class BufferFlusher {
  readonly #parts: BufferFlusherParts;
  /** Streams with the fullest buffers, the fullest last. */
  #fullest: Uint8Array[] = [];
  #isRelieving = false;
  #isFlushingOld = false;

  constructor(parts: BufferFlusherParts) {
    this.#parts = parts;
  }

  /** Commits the buffers of some streams. */
  commitLater(uuids: readonly Uint8Array[]): void {
    for (const uuid of uuids) this.#flushLater(uuid);
  }

  /** Commits buffers that are too old. */
  async flushOld(): Promise<void> {
    if (this.#isFlushingOld) return;
    this.#isFlushingOld = true;
    const { streams, maxBufferAgeMs } = this.#parts;
    const before = Date.now() - maxBufferAgeMs;
    try {
      for (const { head, uuid } of streams.loaded()) {
        if (head.buffer.length > 0 && head.buffer.sinceMs <= before) this.#flushLater(uuid);
      }
      await this.#flushJournalled(before);
    } catch {
      // A journal that cannot be read is reported to callers that ask for its streams.
    } finally {
      this.#isFlushingOld = false;
    }
  }

  /** Commits what has been in the journal for long, of streams that nobody has asked for too. */
  async #flushJournalled(beforeMs: number): Promise<void> {
    const { journal, streams } = this.#parts;
    let page = journal.oldStreams(beforeMs, 0);
    while (page.streams.size > 0) {
      await Promise.all([...page.streams].map((id) => {
        const uuid = streams.uuidOf(id);
        return uuid === undefined ? undefined : this.#flushLater(uuid);
      }));
      page = journal.oldStreams(beforeMs, page.next);
    }
  }

  /**
   * Commits the fullest buffers while all of them together have too many points, or are more than a
   * third full on average. So buffers of streams with the same rate, which begin together, do not
   * get full together: soon as many points are committed as arrive.
   */
  async relieve(): Promise<void> {
    if (this.#isRelieving) return;
    const { streams, maxBufferedPoints } = this.#parts;
    const spread = Math.max(SPREAD_POINTS, streams.bufferedStreams * BUFFER_POINTS * SPREAD_PART);
    let excess = streams.bufferedPoints - Math.min(maxBufferedPoints, spread);
    if (excess <= 0) return;
    this.#isRelieving = true;
    const flushes: Promise<unknown>[] = [];
    while (excess > 0) {
      if (this.#fullest.length === 0) this.#findFullest();
      const uuid = this.#fullest.pop();
      if (uuid === undefined) break;
      const points = streams.known(uuidKey(uuid))?.head.buffer.length ?? 0;
      if (points === 0) continue;
      excess -= points;
      flushes.push(this.#flushLater(uuid));
      if (this.#fullest.length === 0) break;
    }
    await Promise.all(flushes);
    this.#isRelieving = false;
  }

  /** Finds some of the fullest buffers without sorting all of them. */
  #findFullest(): void {
    const { streams } = this.#parts;
    const byLength = new Uint32Array(BUFFER_POINTS);
    for (const { head } of streams.loaded()) byLength[head.buffer.length]!++;
    let least = BUFFER_POINTS - 1;
    for (let found = byLength[least]!; least > 1 && found < MOST_FOUND / 2;) {
      found += byLength[--least]!;
    }
    const fullest: StreamState[] = [];
    for (const state of streams.loaded()) {
      if (state.head.buffer.length >= least && fullest.push(state) === MOST_FOUND) break;
    }
    fullest.sort((a, b) => a.head.buffer.length - b.head.buffer.length);
    const some = Math.max(LEAST_FOUND, streams.bufferedStreams >> 4);
    this.#fullest = fullest.slice(-some).map(({ uuid }) => uuid);
  }

  /** Queues a commit of a buffer; when it fails the points stay in the journal. */
  #flushLater(uuid: Uint8Array): Promise<unknown> {
    const { streams, submit, flush } = this.#parts;
    return submit({
      points: 0,
      kind: "points",
      run: (tx) => {
        const state = streams.get(uuid);
        return state === undefined ? undefined : flush(tx, state);
      },
    }).catch(() => {});
  }
}
