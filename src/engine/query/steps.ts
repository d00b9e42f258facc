/**
 * Answers in small steps, for reads of thousands of streams at once. Each step begins anew and
 * keeps nothing but what was asked for, so that a stream that waits for the others costs a chunk and
 * a node, not its path through the tree and what was read there, nor the generators that read it.
 *
 * @module
 */

import { concatRaw, concatStat, type RawColumns, sliceRaw } from "../../core/columns.ts";
import { sliceStat, type StatColumns } from "../../core/columns.ts";
import { lowerBound } from "../../core/search.ts";
import type { Chunk } from "../../endpoint/endpoint.ts";
import type { Grid } from "../tree/windows.ts";
import type { Reading } from "./snapshot.ts";

/** An answer that is read a chunk at a time. */
export interface ChunkSteps<C> {
  /** Reads the next chunk, which is the last item; yields `undefined` where it may pause. */
  next(): Iterable<C | undefined>;
  /** True if no chunk follows. */
  readonly isEnded: boolean;
}

/** Raw points, a chunk a step. */
export class RawSteps implements ChunkSteps<RawColumns> {
  readonly #open: (start: bigint, points: number) => Iterable<RawColumns | undefined>;
  readonly #most: number;
  #from: bigint;
  /** Points at `#from` that were given already. */
  #given = 0;
  isEnded = false;

  /**
   * @param open The points from a time on, the first chunk of as many as are wanted; yields
   * `undefined` where it may pause.
   * @param start First time wanted.
   * @param most Points of a chunk.
   */
  constructor(
    open: (start: bigint, points: number) => Iterable<RawColumns | undefined>,
    start: bigint,
    most: number,
  ) {
    this.#open = open;
    this.#from = start;
    this.#most = most;
  }

  *next(): Generator<RawColumns | undefined> {
    const given = this.#given;
    let chunk: RawColumns | undefined;
    for (const columns of this.#open(this.#from, given + this.#most)) {
      if ((chunk = columns) !== undefined) break;
      yield undefined;
    }
    const n = chunk?.times.length ?? 0;
    this.isEnded = n < given + this.#most;
    if (chunk === undefined || n === given) return;
    const last = chunk.times[n - 1]!;
    this.#given = n - lowerBound(chunk.times, last);
    this.#from = last;
    yield given === 0 ? chunk : concatRaw([sliceRaw(chunk, given, n)]);
  }
}

/** Windows, a chunk a step. */
export class WindowSteps implements ChunkSteps<StatColumns> {
  readonly #open: (start: bigint) => Iterable<StatColumns | undefined>;
  readonly #end: bigint;
  readonly #width: bigint;
  readonly #most: number;
  #from: bigint;
  isEnded = false;

  /**
   * @param open The windows from a time on; yields `undefined` where it may pause.
   * @param grid All windows.
   * @param most Windows of a chunk.
   */
  constructor(
    open: (start: bigint) => Iterable<StatColumns | undefined>,
    { start, end, width }: Grid,
    most: number,
  ) {
    this.#open = open;
    this.#from = start;
    this.#end = end;
    this.#width = width;
    this.#most = most;
  }

  *next(): Generator<StatColumns | undefined> {
    let chunk: StatColumns | undefined;
    for (const columns of this.#open(this.#from)) {
      if (columns === undefined) yield undefined;
      else if (columns.times.length > 0) {
        chunk = columns;
        break;
      }
    }
    if (chunk === undefined) {
      this.isEnded = true;
      return;
    }
    if (chunk.times.length > this.#most) chunk = concatStat([sliceStat(chunk, 0, this.#most)]);
    this.#from = chunk.times.at(-1)! + this.#width;
    this.isEnded = this.#from >= this.#end;
    yield chunk;
  }
}

/** A read in steps that has begun. */
export interface BegunSteps<C> {
  readonly reading: Reading;
  readonly steps: ChunkSteps<C>;
}

/** The answer of an iterator that has ended. */
const ENDED: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * The chunks of an answer in steps, at least one. An object in place of five generators, which stay as
 * long as the read waits for its next step: thousands of reads were copied with each collection of
 * garbage for a tenth of a second.
 */
export class SteppedAnswer<C> implements AsyncIterableIterator<Chunk<C>> {
  #begin: (() => BegunSteps<C>) | undefined;
  #begun: BegunSteps<C> | undefined;
  readonly #read: (begun: BegunSteps<C>) => AsyncIterable<C>;
  #empty: (() => C) | undefined;

  /**
   * @param begin Begins to read, when the first chunk is asked for.
   * @param read The next chunk, if there is one.
   * @param empty A chunk without anything.
   */
  constructor(
    begin: () => BegunSteps<C>,
    read: (begun: BegunSteps<C>) => AsyncIterable<C>,
    empty: () => C,
  ) {
    this.#begin = begin;
    this.#read = read;
    this.#empty = empty;
  }

  /** Reads the next chunk. Must be called again only when that is there. */
  async next(): Promise<IteratorResult<Chunk<C>, undefined>> {
    const begin = this.#begin;
    this.#begin = undefined;
    try {
      this.#begun ??= begin?.();
      const begun = this.#begun;
      if (begun === undefined) return ENDED;
      const { version } = begun.reading;
      for await (const columns of this.#read(begun)) {
        if (begun.steps.isEnded) this.#begun = undefined;
        this.#empty = undefined;
        return { done: false, value: { version, columns } };
      }
      const empty = this.#empty;
      this.#end();
      return empty === undefined ? ENDED : { done: false, value: { version, columns: empty() } };
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.#end();
    return Promise.resolve(ENDED);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #end(): void {
    this.#begin = this.#begun = this.#empty = undefined;
  }
}
