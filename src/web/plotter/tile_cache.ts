/**
 * A cache of windows in tiles: pieces of a stream at one pointwidth. Finds what a view needs, draws
 * with coarser pieces while finer ones are read, and gives up what nobody looks at any more.
 *
 * @module
 */

import { MAX_TIME, MIN_TIME } from "../../core/range.ts";
import { PixelColumns } from "../../plot/figure/pixel_columns.ts";
import { ColumnRooms } from "./column_rooms.ts";
import {
  isLegal,
  keyOf,
  requestOf,
  streamKey,
  TILE_BITS,
  type TileAnswer,
  tileOf,
  type TilePiece,
  type TileRequest,
} from "./tile.ts";
import { TileStore } from "./tile_store.ts";

/** Tiles read in one request. */
const RUN = 8;

/** The largest pointwidth that is asked for: the root's children are 2^56 ns wide. */
const MAX_POINTWIDTH = 54;

/** Options of a {@linkcode TileCache}. */
export interface TileCacheOptions {
  /** Reads windows. */
  readonly read: (request: TileRequest, signal: AbortSignal) => Promise<TileAnswer>;
  /** Called when something was read, or could not be. */
  readonly onChange: () => void;
  /**
   * Called with what went wrong, unless the request was given up.
   *
   * @returns True if it may go well later; otherwise the stream is not asked for again.
   */
  readonly onError: (error: unknown, request: TileRequest) => boolean;
  /** Largest size of all tiles, bytes. @default {96 MiB} */
  readonly maxBytes?: number;
  /** Requests at the same time; browsers let them wait for a connection. @default {8} */
  readonly concurrency?: number;
  /** Pause after a request that failed, ms. @default {1500} */
  readonly pauseMs?: number;
}

interface Running {
  readonly aborter: AbortController;
  readonly keys: readonly string[];
  isWanted: boolean;
}

/** The cache. */
export class TileCache {
  readonly #options: TileCacheOptions;
  readonly #tiles: TileStore;
  readonly #running = new Set<Running>();
  readonly #reading = new Map<string, Running>();
  readonly #changed = new Set<string>();
  readonly #failed = new Set<string>();
  readonly #rooms = new ColumnRooms();
  #missing: TilePiece[] = [];
  #wanted: TilePiece[] = [];
  #neighbours: TilePiece[] = [];
  #pausedUntilMs = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: TileCacheOptions) {
    this.#options = options;
    this.#tiles = new TileStore(options.maxBytes ?? 96 << 20);
  }

  /** Requests under way or waiting for pieces in view. */
  get pending(): number {
    let pending = this.#missing.length;
    for (const { keys, isWanted } of this.#running) if (isWanted) pending += keys.length;
    return pending;
  }

  /** Size of all tiles, bytes. */
  get bytes(): number {
    return this.#tiles.bytes;
  }

  /** The pointwidth at which windows are one to two columns apart. */
  static pointwidthOf(start: bigint, end: bigint, length: number): number {
    const step = Number(end - start) / length;
    return Math.max(0, Math.min(MAX_POINTWIDTH, Math.floor(Math.log2(step))));
  }

  /** Begins a view: what is asked for until {@linkcode TileCache.end} is in it. */
  begin(): void {
    this.#rooms.begin();
    this.#wanted = [];
    this.#neighbours = [];
    for (const running of this.#running) running.isWanted = false;
  }

  /**
   * Columns of a stream in the view, as far as they are here. They last until the view after the
   * next one begins.
   *
   * @param uuid Stream.
   * @param version Version, 0 for the latest.
   * @param start Start of the first column, ns since the Unix epoch.
   * @param end End of the last column.
   * @param length Number of columns.
   */
  columns(uuid: string, version: bigint, start: bigint, end: bigint, length: number): PixelColumns {
    const columns = new PixelColumns(start, end, length, this.#rooms.take(length));
    const pointwidth = TileCache.pointwidthOf(start, end, length);
    const shift = BigInt(pointwidth + TILE_BITS);
    const first = (start < MIN_TIME ? MIN_TIME : start) >> shift;
    const last = ((end > MAX_TIME ? MAX_TIME : end) - 1n) >> shift;
    for (let index = first; index <= last; index++) {
      const piece = { uuid, version, pointwidth, index };
      const tile = this.#tiles.find(piece);
      if (tile === undefined || tile.isStale) this.#want(piece);
      if (tile === undefined) columns.isComplete = false;
      const found = tile === undefined ? this.#tiles.findInstead(piece) : [tile];
      const [from, to] = [index << shift, (index + 1n) << shift];
      for (const { windows } of found) columns.add(windows, from, to);
    }
    for (const index of [last + 1n, first - 1n]) {
      this.#neighbours.push({ uuid, version, pointwidth, index });
    }
    return columns;
  }

  /** Ends a view: gives up requests of views that are gone, and begins those of this one. */
  end(): void {
    this.#missing = this.#wanted.filter((piece) => !this.#isRead(piece));
    // A neighbour that is being read and still is one: a view that moves a pixel keeps it.
    const neighbours = new Set(this.#neighbours.map(keyOf));
    for (const running of this.#running) {
      if (running.isWanted || running.keys.some((key) => neighbours.has(key))) continue;
      running.aborter.abort();
      this.#forgetRunning(running);
    }
    this.#start();
  }

  /**
   * Marks pieces of the latest version as outdated: they are drawn until they were read again.
   *
   * @param uuid Stream; every one if not given.
   * @param start Start of the range that changed.
   * @param end End of that range.
   */
  invalidate(uuid?: string, start: bigint = MIN_TIME, end: bigint = MAX_TIME): void {
    this.#tiles.invalidate(uuid, start, end);
    for (const [key, running] of this.#reading) {
      if (uuid === undefined || key.startsWith(uuid)) {
        for (const one of running.keys) this.#changed.add(one);
      }
    }
  }

  /** Tries again at once what failed. */
  retry(): void {
    this.#pausedUntilMs = 0;
    this.#failed.clear();
    this.#options.onChange();
  }

  /** Gives up all requests. */
  close(): void {
    for (const { aborter } of this.#running) aborter.abort();
    clearTimeout(this.#timer);
  }

  #want(piece: TilePiece): void {
    if (this.#failed.has(streamKey(piece))) return;
    const running = this.#reading.get(keyOf(piece));
    if (running !== undefined) running.isWanted = true;
    else this.#wanted.push(piece);
  }

  #isRead(piece: TilePiece): boolean {
    const key = keyOf(piece);
    if (this.#reading.has(key)) return true;
    return this.#tiles.isFresh(key);
  }

  #start(): void {
    const { concurrency = 8 } = this.#options;
    const waitMs = this.#pausedUntilMs - Date.now();
    if (waitMs > 0) {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        this.#options.onChange();
      }, waitMs);
      return;
    }
    while (this.#running.size < concurrency && this.#missing.length > 0) {
      this.#read(this.#takeRun(), true);
    }
    // Neighbours are read when there is nothing else to do.
    while (this.#running.size === 0 && this.#neighbours.length > 0) {
      const piece = this.#neighbours.shift()!;
      if (this.#failed.has(streamKey(piece))) continue;
      if (this.#isRead(piece) || !isLegal(piece)) continue;
      this.#read([piece], false);
    }
  }

  /** The first missing piece and those that follow it without a gap. */
  #takeRun(): TilePiece[] {
    const run = [this.#missing.shift()!];
    while (run.length < RUN) {
      const last = run.at(-1)!;
      const next = keyOf({ ...last, index: last.index + 1n });
      const at = this.#missing.findIndex((piece) => keyOf(piece) === next);
      if (at < 0) break;
      run.push(...this.#missing.splice(at, 1));
    }
    return run;
  }

  #read(run: readonly TilePiece[], isWanted: boolean): void {
    const running: Running = {
      aborter: new AbortController(),
      keys: run.map(keyOf),
      isWanted,
    };
    this.#running.add(running);
    for (const key of running.keys) {
      this.#reading.set(key, running);
      this.#changed.delete(key);
    }
    const { signal } = running.aborter;
    const request = requestOf(run);
    this.#options.read(request, signal).then(
      (answer) => {
        if (!signal.aborted) this.#keep(run, answer);
      },
      (error) => {
        if (signal.aborted) return;
        if (this.#options.onError(error, request)) {
          this.#pausedUntilMs = Date.now() + (this.#options.pauseMs ?? 1500);
        } else this.#failed.add(streamKey(request));
      },
    ).finally(() => {
      if (signal.aborted) return;
      this.#forgetRunning(running);
      this.#options.onChange();
      this.#start();
    });
  }

  #forgetRunning(running: Running): void {
    this.#running.delete(running);
    for (const key of running.keys) {
      if (this.#reading.get(key) === running) this.#reading.delete(key);
    }
  }

  #keep(run: readonly TilePiece[], answer: TileAnswer): void {
    let from = 0;
    for (const piece of run) {
      const shift = BigInt(piece.pointwidth + TILE_BITS);
      const end = (piece.index + 1n) << shift;
      let to = from;
      while (to < answer.times.length && answer.times[to]! < end) to++;
      const key = keyOf(piece);
      const tile = tileOf(piece, answer, from, to);
      tile.isStale = this.#changed.delete(key);
      this.#tiles.put(key, tile);
      from = to;
    }
    this.#tiles.trim();
  }
}
