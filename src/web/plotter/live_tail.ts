/**
 * News of streams: one subscription for all that are shown; where the server has none, their
 * versions are looked at from time to time.
 *
 * @module
 */

import { delay } from "../../core/call.ts";

/** A range of a stream in which there are new points. */
export interface News {
  readonly uuid: string;
  readonly start: bigint;
  readonly end: bigint;
}

/** Options of a {@linkcode LiveTail}. */
export interface LiveTailOptions {
  /** Subscribes to streams; does not end by itself. */
  readonly subscribe: (uuids: readonly string[], signal: AbortSignal) => AsyncIterable<News>;
  /** A text that changes with every write to a stream. */
  readonly version: (uuid: string, signal: AbortSignal) => Promise<string>;
  /** Tells whether an error means that the server has no subscriptions at all. */
  readonly isUnsupported: (error: unknown) => boolean;
  /** Called with what changed; without a range, anything may have. */
  readonly onNews: (uuid: string, range: News | undefined) => void;
  /** Called with errors, after which it begins again. */
  readonly onError: (error: unknown) => void;
  /** Time between two looks at versions, ms. @default {2000} */
  readonly pollMs?: number;
  /** Pause after an error, ms. @default {2000} */
  readonly pauseMs?: number;
}

/** Follows streams. */
export class LiveTail {
  readonly #options: LiveTailOptions;
  #uuids: readonly string[] = [];
  #aborter: AbortController | undefined;
  #isPolling = false;

  constructor(options: LiveTailOptions) {
    this.#options = options;
  }

  /** True if the server has no subscriptions. */
  get isPolling(): boolean {
    return this.#isPolling;
  }

  /** Follows these streams from now on, and no others. */
  follow(uuids: readonly string[]): void {
    const sorted = [...new Set(uuids)].sort();
    if (sorted.join() === this.#uuids.join() && this.#aborter !== undefined) return;
    this.#uuids = sorted;
    this.restart(false);
  }

  /**
   * Begins again: after sleep, a subscription may be dead without a word.
   *
   * @param isCatchingUp True if there may have been news meanwhile.
   */
  restart(isCatchingUp = true): void {
    this.stop();
    if (this.#uuids.length === 0) return;
    this.#aborter = new AbortController();
    void this.#run(this.#aborter.signal, isCatchingUp);
  }

  /** Stops following, as hidden pages do. */
  stop(): void {
    this.#aborter?.abort();
    this.#aborter = undefined;
  }

  async #run(signal: AbortSignal, isCatchingUp: boolean): Promise<void> {
    const { pauseMs = 2_000, onNews, onError, isUnsupported } = this.#options;
    const uuids = this.#uuids;
    for (let isFirst = !isCatchingUp; !signal.aborted; isFirst = false) {
      try {
        if (!isFirst) { for (const uuid of uuids) onNews(uuid, undefined); }
        if (this.#isPolling) await this.#poll(uuids, signal);
        else await this.#subscribe(uuids, signal);
      } catch (error) {
        if (signal.aborted) return;
        if (!this.#isPolling && isUnsupported(error)) this.#isPolling = true;
        else {
          onError(error);
          await delay(pauseMs, { signal }).catch(() => {});
        }
      }
    }
  }

  async #subscribe(uuids: readonly string[], signal: AbortSignal): Promise<void> {
    for await (const news of this.#options.subscribe(uuids, signal)) {
      if (signal.aborted) return;
      this.#options.onNews(news.uuid, news);
    }
    // A server that stops ends its subscriptions without an error.
    await delay(this.#options.pauseMs ?? 2_000, { signal });
  }

  async #poll(uuids: readonly string[], signal: AbortSignal): Promise<void> {
    const known = new Map<string, string>();
    while (!signal.aborted) {
      for (const uuid of uuids) {
        const version = await this.#options.version(uuid, signal);
        const before = known.get(uuid);
        if (before !== undefined && before !== version) this.#options.onNews(uuid, undefined);
        known.set(uuid, version);
      }
      await delay(this.#options.pollMs ?? 2_000, { signal });
    }
  }
}
