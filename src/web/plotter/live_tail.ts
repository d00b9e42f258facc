/**
 * News of streams: one subscription for all that are shown; where the server has none, their
 * versions are looked at from time to time. They are looked at beside a subscription too, less
 * often: one may be dead without a word, and tells nothing of points that were deleted.
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
  /** The range that changed between two of those texts; undefined where nobody knows. */
  readonly changed?: (
    uuid: string,
    from: string,
    to: string,
    signal: AbortSignal,
  ) => Promise<News | undefined>;
  /** Tells whether an error means that the server has no subscriptions at all. */
  readonly isUnsupported: (error: unknown) => boolean;
  /** Called with what changed; without a range, anything may have. */
  readonly onNews: (uuid: string, range: News | undefined) => void;
  /** Called with errors, after which it begins again. */
  readonly onError: (error: unknown) => void;
  /** Time between two looks at versions, ms. @default {2000} */
  readonly pollMs?: number;
  /** Time between two looks at versions beside a subscription, ms. @default {15000} */
  readonly checkMs?: number;
  /** Pause after an error, ms. @default {2000} */
  readonly pauseMs?: number;
}

/** Looks at which a subscription said nothing of a change, after which it is taken for dead. */
const MAX_MISSED = 2;

/** Follows streams. */
export class LiveTail {
  readonly #options: LiveTailOptions;
  #uuids: readonly string[] = [];
  #aborter: AbortController | undefined;
  #isPolling = false;
  /** Versions that were seen last, where the server has no subscriptions. */
  readonly #polled = new Map<string, string>();

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
    for (const uuid of this.#polled.keys()) if (!sorted.includes(uuid)) this.#polled.delete(uuid);
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
        if (this.#isPolling) await this.#poll(uuids, signal);
        else {
          if (!isFirst) { for (const uuid of uuids) onNews(uuid, undefined); }
          await this.#subscribe(uuids, signal);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!this.#isPolling && isUnsupported(error)) this.#isPolling = true;
        else {
          this.#polled.clear();
          onError(error);
          await delay(pauseMs, { signal }).catch(() => {});
        }
      }
    }
  }

  async #subscribe(uuids: readonly string[], signal: AbortSignal): Promise<void> {
    const { onNews, subscribe, pauseMs = 2_000 } = this.#options;
    const heard = new Set<string>();
    const ended = new AbortController();
    const both = AbortSignal.any([signal, ended.signal]);
    const check = this.#check(uuids, heard, both).then(() => ended.abort(), () => {});
    try {
      for await (const news of subscribe(uuids, both)) {
        if (both.aborted) return;
        heard.add(news.uuid);
        onNews(news.uuid, news);
      }
    } catch (error) {
      if (!ended.signal.aborted) throw error;
    } finally {
      ended.abort();
      await check;
    }
    // A server that stops ends its subscriptions without an error.
    await delay(pauseMs, { signal });
  }

  /** Looks at versions beside a subscription; resolves once that is taken for dead. */
  async #check(
    uuids: readonly string[],
    heard: Set<string>,
    signal: AbortSignal,
  ): Promise<void> {
    const { checkMs = 15_000 } = this.#options;
    const known = new Map<string, string>();
    let missed = 0;
    while (missed < MAX_MISSED) {
      let isMissed = false;
      for (const uuid of uuids) {
        const isNews = await this.#look(uuid, known, signal, heard.has(uuid));
        if (isNews && !heard.has(uuid)) isMissed = true;
      }
      missed = isMissed ? missed + 1 : 0;
      heard.clear();
      await delay(checkMs, { signal });
    }
  }

  /**
   * Looks at versions again and again. A figure that was read before the first look may be older than
   * the version found, so that look tells that anything may have changed.
   */
  async #poll(uuids: readonly string[], signal: AbortSignal): Promise<void> {
    const { onNews, pollMs = 2_000 } = this.#options;
    while (!signal.aborted) {
      for (const uuid of uuids) {
        const isFirst = !this.#polled.has(uuid);
        await this.#look(uuid, this.#polled, signal);
        if (isFirst) onNews(uuid, undefined);
      }
      await delay(pollMs, { signal });
    }
  }

  /**
   * Looks at the version of a stream, and tells what changed.
   *
   * @param known Versions seen before.
   * @param isTold True if the news are known from elsewhere.
   * @returns True if it changed.
   */
  async #look(
    uuid: string,
    known: Map<string, string>,
    signal: AbortSignal,
    isTold = false,
  ): Promise<boolean> {
    const { version, changed, onNews } = this.#options;
    const now = await version(uuid, signal);
    const before = known.get(uuid);
    const isNews = before !== undefined && before !== now;
    if (isNews && !isTold) onNews(uuid, await changed?.(uuid, before, now, signal));
    if (!signal.aborted) known.set(uuid, now);
    return isNews;
  }
}
