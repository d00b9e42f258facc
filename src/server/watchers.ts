/**
 * Bounds on the calls that watch the health of the server, which need no key.
 *
 * @module
 */

import { GrpcFailure, GrpcStatus } from "./transport/status.ts";

/** Most calls of `Watch` at once. */
const MAX_WATCHERS = 1_000;

/** A call that watches. */
export interface Watcher {
  /** Aborted when the call has to make room for one from elsewhere. */
  readonly signal: AbortSignal;
  /** Frees its place. */
  leave(): void;
}

/** Calls that watch. If there are too many, the network that has most of them loses one to another. */
export class Watchers {
  readonly #max: number;
  /** Calls by the network of their client, oldest first. */
  readonly #byNetwork = new Map<string, Set<AbortController>>();
  #size = 0;

  /** @param max Most calls at once. */
  constructor(max: number = MAX_WATCHERS) {
    this.#max = max;
  }

  /**
   * Takes a call.
   *
   * @param network Network of its client.
   * @throws {GrpcFailure} RESOURCE_EXHAUSTED if there are too many, and no other network has more.
   */
  enter(network: string): Watcher {
    if (this.#size >= this.#max) this.#makeRoom(network);
    const stop = new AbortController();
    const calls = this.#byNetwork.get(network) ?? new Set();
    this.#byNetwork.set(network, calls.add(stop));
    this.#size++;
    return { signal: stop.signal, leave: () => this.#remove(network, stop) };
  }

  #makeRoom(network: string): void {
    let crowded = network;
    for (const [other, calls] of this.#byNetwork) {
      if (calls.size > this.#count(crowded)) crowded = other;
    }
    const failure = new GrpcFailure(
      GrpcStatus.RESOURCE_EXHAUSTED,
      `more than ${this.#max} calls watch already`,
    );
    if (crowded === network) throw failure;
    for (const oldest of this.#byNetwork.get(crowded)!) {
      this.#remove(crowded, oldest);
      return oldest.abort(failure);
    }
  }

  #count(network: string): number {
    return this.#byNetwork.get(network)?.size ?? 0;
  }

  /** Takes a call out, once. */
  #remove(network: string, stop: AbortController): void {
    const calls = this.#byNetwork.get(network);
    if (calls === undefined || !calls.delete(stop)) return;
    this.#size--;
    if (calls.size === 0) this.#byNetwork.delete(network);
  }
}
