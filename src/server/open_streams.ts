/**
 * Limits on calls on several streams: on the number of streams that all of them read at once, and on
 * the points that wait in their chunks (docs/server.md, "Limits").
 *
 * @module
 */

import { CALL_POINTS, chunkSize } from "../endpoint/chunk_size.ts";
import { type CallLimit, SharedPlaces, withPlaces } from "./call_limit.ts";
import type { PlaceHolder, SendTimeout } from "./unread_answers.ts";

/** Points in the chunks of all calls: 128 MiB. */
const ALL_POINTS = 8 << 20;

/** Share of the points that one owner may take. */
const OWNER_SHARE = 0.75;

/** Share that one call may take of the points left of all, and of those left to its owner. */
const CALL_SHARE = { ofAll: 1 / 4, ofOwner: 1 / 2 } as const;

/** Memory of a window, in points: six columns in place of two. */
const POINTS_PER_WINDOW = 3;

/** Streams that one call reads side by side. */
export interface StreamsRequest {
  /** Their number. */
  readonly streams: number;
  /** True if they are read as windows. */
  readonly isWindows: boolean;
}

/** The points in the chunks of one owner's calls, or of all. */
class ChunkPoints {
  readonly #callShare: number;
  #left: number;

  constructor(most: number, callShare: number) {
    this.#left = most;
    this.#callShare = callShare;
  }

  /** Points that the next call may take. */
  get forCall(): number {
    return Math.floor(this.#callShare * this.#left);
  }

  take(points: number): void {
    this.#left -= points;
  }

  give(points: number): void {
    this.#left += points;
  }
}

/** The gate that calls of one owner on several streams go through. */
export class StreamGate {
  readonly #places: readonly CallLimit[];
  readonly #points: readonly ChunkPoints[];

  /** @ignore Made by {@linkcode OpenStreams}. */
  constructor(places: readonly CallLimit[], points: readonly ChunkPoints[]) {
    this.#places = places;
    this.#points = points;
  }

  /**
   * Runs `work` once so many streams may be read. A single stream may be read at once.
   *
   * @param call The call that reads them; its signal ends the waiting.
   * @param work Gets the largest chunk of each stream, points or windows; `undefined`: as large as an
   *   endpoint likes.
   */
  async run<T>(
    { streams, isWindows }: StreamsRequest,
    call: PlaceHolder,
    work: (chunk: number | undefined) => Promise<T>,
  ): Promise<T> {
    if (streams <= 1) return await work(undefined);
    return await withPlaces(this.#places, call, async () => {
      const points = Math.min(CALL_POINTS, ...this.#points.map(({ forCall }) => forCall));
      for (const pool of this.#points) pool.take(points);
      try {
        return await work(chunkSize(streams, isWindows ? points / POINTS_PER_WINDOW : points));
      } finally {
        for (const pool of this.#points) pool.give(points);
      }
    }, streams);
  }
}

/**
 * The streams that calls on several of them read, and the points in their chunks. Each call gets a
 * share of the points that are left, so that there are always some for the next one: calls whose
 * answers are not read make the chunks of later ones smaller, and do not add up.
 */
export class OpenStreams {
  readonly #places: SharedPlaces;
  readonly #all = new ChunkPoints(ALL_POINTS, CALL_SHARE.ofAll);
  readonly #owners = new Map<unknown, ChunkPoints>();

  /**
   * @param most Streams that are read at once.
   * @param maxWaiting Calls that wait for others to end.
   * @param timeout Longest wait of answers for their clients while calls wait.
   */
  constructor(most: number, maxWaiting: number, timeout: SendTimeout) {
    this.#places = new SharedPlaces(most, maxWaiting, timeout);
  }

  /**
   * The gate of a caller.
   *
   * @param owner A key, or nobody known; absent where callers are not told apart.
   */
  of(owner: unknown): StreamGate {
    const own = owner === undefined ? [] : [this.#pointsOf(owner)];
    return new StreamGate(this.#places.of(owner), [this.#all, ...own]);
  }

  #pointsOf(owner: unknown): ChunkPoints {
    let points = this.#owners.get(owner);
    if (points === undefined) {
      points = new ChunkPoints(OWNER_SHARE * ALL_POINTS, CALL_SHARE.ofOwner);
      this.#owners.set(owner, points);
    }
    return points;
  }
}
