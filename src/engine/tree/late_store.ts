/**
 * Versions with late points: a version's address is that of its root, or of a list that names the
 * root and the runs of points beside it (docs/engine.md, "Late points").
 *
 * @module
 */

import { OldestFirst } from "../../core/oldest_first.ts";
import { MIN_TIME } from "../../core/range.ts";
import { damaged } from "../file/checksum.ts";
import { LATE_LIST } from "./block_frame.ts";
import type { BlockStore } from "./block_store.ts";
import {
  decodeLateList,
  decodeLateRun,
  encodeLateList,
  encodeLateRun,
  type LateCut,
  type LateList,
  type LateRun,
} from "./late_codec.ts";
import { MissingBlock } from "./missing_block.ts";
import { type LatePoints, mergeLate, NO_LATE, splitLate, type TimeRange } from "./late_points.ts";

/** Runs of about the same length that are joined into one, the new one included. */
const JOINED_RUNS = 8;

/** Runs, and cuts, above which all late points are written anew as one run. */
const MOST_RUNS = 64;

/** Points that may be in runs and no longer be meant, beside as many as are meant. */
const CUT_POINTS = 4096;

/** A version: its tree, and the points beside it. */
export interface VersionTree {
  /** Address of the root, 0 for an empty tree. */
  readonly root: number;
  readonly late: LatePoints;
  /** The list that names both; `undefined` where nothing is beside the tree. */
  readonly list: LateList | undefined;
}

/** Late points of a new version, and the difference from those of the one before. */
export interface LateChange {
  /** All of them. */
  readonly late: LatePoints;
  /** Those among them that are new. */
  readonly added: LatePoints;
  /** Ranges that were emptied before `added` came. */
  readonly emptied: readonly TimeRange[];
  /** Time up to which points were moved to the tree last. */
  readonly cursor: bigint;
}

/** Memory of late points, bytes. */
function sizeOf({ late }: VersionTree): number {
  return 400 + 24 * late.times.length;
}

/** Reads and writes versions. */
export class LateStore {
  readonly #store: BlockStore;
  readonly #limit: number;
  /** Versions with late points by address; the least recently used leave first. */
  readonly #known = new Map<number, VersionTree>();
  readonly #oldest: OldestFirst<number, VersionTree> = new OldestFirst(this.#known);
  #bytes = 0;

  /** @param cacheBytes Most memory for late points. */
  constructor(store: BlockStore, cacheBytes: number) {
    this.#store = store;
    this.#limit = cacheBytes;
  }

  /** Bytes of the late points in memory. */
  get cachedBytes(): number {
    return this.#bytes;
  }

  /**
   * A version by its address, 0 for one without points.
   *
   * @throws {BTrDBError} `CORRUPT` if a block is missing or damaged.
   */
  open(address: number): VersionTree {
    const known = this.#known.get(address);
    if (known !== undefined) {
      this.#known.delete(address);
      this.#known.set(address, known);
      this.#oldest.added();
      return known;
    }
    const isRoot = address === 0 || this.#store.isCached(address);
    const block = isRoot ? undefined : this.#store.readBlock(address);
    if (block === undefined && !isRoot) throw new MissingBlock(address);
    if (block?.[4] !== LATE_LIST) return { root: address, late: NO_LATE, list: undefined };
    const list = decodeLateList(address, block);
    const read = (run: LateRun) => this.#readRun(run, list.cuts);
    const late = mergeAll(list.runs.map(read));
    if (late.times.length !== list.count) {
      throw damaged(`block ${address}: ${late.times.length} late points, expected ${list.count}`);
    }
    const tree = { root: list.root, late, list };
    this.#remember(address, tree);
    return tree;
  }

  #readRun(run: LateRun, cuts: readonly LateCut[]): LatePoints {
    const block = this.#store.readBlock(run.address);
    if (block === undefined) throw new MissingBlock(run.address);
    return liveLate(run, cuts, block);
  }

  /**
   * Writes a version.
   *
   * @param from The version before it.
   * @param root Address of its root.
   * @returns Its address: that of the root where nothing is beside it.
   */
  write(from: VersionTree, root: number, { late, added, emptied, cursor }: LateChange): number {
    if (late.times.length === 0) return root;
    if (root === 0) throw damaged("there are late points beside an empty tree");
    const store = this.#store;
    const before = store.nextAddress;
    let cuts = [...from.list?.cuts ?? [], ...emptied.map((range) => ({ ...range, before }))];
    let runs = [...from.list?.runs ?? []];
    let fresh = added;
    const stored = runs.reduce((sum, { count }) => sum + count, added.times.length);
    const isLong = runs.length >= MOST_RUNS || cuts.length > MOST_RUNS;
    if (isLong || stored > 2 * late.times.length + CUT_POINTS) {
      runs = [];
      fresh = late;
    }
    for (let n = joinable(runs, fresh); n > 0; n = joinable(runs, fresh)) {
      const joined = runs.splice(-n).map((run) => this.#readRun(run, cuts));
      fresh = mergeLate(mergeAll(joined), fresh);
    }
    if (fresh.times.length > 0) {
      const address = store.append((address) => encodeLateRun(address, fresh));
      runs.push({ address, count: fresh.times.length });
    }
    cuts = cuts.filter((cut) => runs.some((run) => run.address < cut.before));
    const list: LateList = { root, cursor, count: late.times.length, runs, cuts };
    const address = store.append((address) => encodeLateList(address, list));
    this.#remember(address, { root, late, list });
    return address;
  }

  #remember(address: number, tree: VersionTree): void {
    const size = sizeOf(tree);
    if (size > this.#limit || this.#known.has(address)) return;
    this.#known.set(address, tree);
    this.#oldest.added();
    this.#bytes += size;
    while (this.#bytes > this.#limit) this.forget(this.#oldest.next()![0]);
  }

  /** Forgets a version, because another one has taken its place or it is gone. */
  forget(address: number): void {
    const tree = this.#known.get(address);
    if (tree === undefined) return;
    this.#known.delete(address);
    this.#bytes -= sizeOf(tree);
  }
}

/** Number of the latest runs that are to be joined with new points: none is much longer. */
function joinable(runs: readonly LateRun[], { times }: LatePoints): number {
  if (times.length === 0) return 0;
  const longest = tierOf(times.length);
  let n = 0;
  while (n < runs.length && tierOf(runs[runs.length - 1 - n]!.count) <= longest) n++;
  return n + 1 >= JOINED_RUNS ? n : 0;
}

function tierOf(points: number): number {
  return Math.floor(Math.log2(points) / Math.log2(JOINED_RUNS));
}

/**
 * The points of a run that were not cut out.
 *
 * @param block Of the run.
 * @throws {BTrDBError} `CORRUPT` if the block is damaged.
 */
function liveLate(run: LateRun, cuts: readonly LateCut[], block: Uint8Array): LatePoints {
  const points = decodeLateRun(run, block);
  const meant = cuts.filter(({ before }) => before > run.address);
  return splitLate(points, unionOf(meant)).others;
}

/** The same times as ranges that are ascending and apart from one another. */
function unionOf(ranges: readonly TimeRange[]): TimeRange[] {
  const sorted = ranges.toSorted((a, b) => a.start < b.start ? -1 : a.start > b.start ? 1 : 0);
  const union: TimeRange[] = [];
  for (const { start, end } of sorted) {
    const last = union.at(-1);
    if (last === undefined || last.end < start) union.push({ start, end });
    else if (last.end < end) union[union.length - 1] = { start: last.start, end };
  }
  return union;
}

/** Runs in order of arrival as one. None is merged with one much shorter before the end. */
function mergeAll(runs: readonly LatePoints[]): LatePoints {
  const merged: LatePoints[] = [];
  const mergeLast = () => {
    const last = merged.pop()!;
    merged.push(mergeLate(merged.pop()!, last));
  };
  for (const run of runs) {
    merged.push(run);
    while (merged.length > 1 && merged.at(-2)!.times.length <= 2 * merged.at(-1)!.times.length) {
      mergeLast();
    }
  }
  while (merged.length > 1) mergeLast();
  return merged[0] ?? NO_LATE;
}

/** Time at which moving late points to the tree begins. */
export const FIRST_CURSOR: bigint = MIN_TIME;
