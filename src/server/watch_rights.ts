/**
 * Looks at the rights of callers again while they are answered.
 *
 * @module
 */

import { yieldToEventLoop } from "../core/pacer.ts";
import type { Access } from "./access.ts";
import type { Endpoint } from "../endpoint/endpoint.ts";
import { CollectionCache } from "./collection_cache.ts";
import { GrpcFailure } from "./transport/status.ts";

/** Interval at which the rights of long calls are looked at again, ms. */
const RECHECK_MS = 1_000;

/** Streams of all calls that are looked at again in an interval. */
const CHECKS = 1_000;

/** The same of one call. */
const CALL_CHECKS = 200;

/** Streams that are looked at again in one turn of the event loop. */
const CHECKED_AT_ONCE = 64;

/** A call of a caller that is kept to some collections. */
interface Watched {
  readonly access: Access;
  readonly cancel: (reason: GrpcFailure) => void;
  /** True while its streams are looked at again. */
  isChecked: boolean;
}

/**
 * The rights of the calls under way. A call ends at once if this server moves one of its streams to a
 * collection that its caller may not see. Other programs move streams too: so all are looked at again,
 * call by call, as many in an interval as cost little, however many calls and streams there are.
 */
export class RightsWatch {
  /** Those to be looked at next come first. */
  readonly #watched = new Set<Watched>();
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Collections of streams. */
  readonly collections: CollectionCache;

  /** @param endpoint Database that knows them. */
  constructor(endpoint: Endpoint) {
    this.collections = new CollectionCache(endpoint, (uuid) => {
      for (const { access, cancel } of this.#watched) {
        access.recheckStream(uuid).catch((error) => end(error, cancel));
      }
    });
  }

  /**
   * Runs `work`, and ends it when a stream leaves the collections that the caller may see.
   *
   * @param cancel Ends the work.
   */
  async run(
    access: Access,
    cancel: (reason: GrpcFailure) => void,
    work: () => Promise<void>,
  ): Promise<void> {
    if (!access.limited) return await work();
    const watched = { access, cancel, isChecked: false };
    this.#watched.add(watched);
    this.#timer ??= setInterval(() => void this.#look(), RECHECK_MS);
    try {
      await work();
    } finally {
      this.#watched.delete(watched);
      if (this.#watched.size === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
    }
  }

  /** Looks at some streams of as many calls as it can. */
  async #look(): Promise<void> {
    const each = Math.floor(CHECKS / this.#watched.size);
    const most = Math.max(1, Math.min(CALL_CHECKS, each));
    let checked = 0;
    for (const watched of this.#next()) {
      if (!this.#watched.delete(watched)) continue;
      this.#watched.add(watched);
      void this.#check(watched, most);
      checked += most;
      if (checked < CHECKED_AT_ONCE) continue;
      checked = 0;
      await yieldToEventLoop();
    }
  }

  /** The calls whose turn it is. */
  #next(): Watched[] {
    const next: Watched[] = [];
    for (const watched of this.#watched) {
      if (next.length === CHECKS) break;
      next.push(watched);
    }
    return next;
  }

  async #check(watched: Watched, most: number): Promise<void> {
    if (watched.isChecked) return;
    watched.isChecked = true;
    try {
      await watched.access.recheck(most);
    } catch (error) {
      end(error, watched.cancel);
    } finally {
      watched.isChecked = false;
    }
  }
}

/** Ends a call that may not go on. Other errors are those of the database, and of the call itself. */
function end(error: unknown, cancel: (reason: GrpcFailure) => void): void {
  if (error instanceof GrpcFailure) cancel(error);
}
