/**
 * Raw points as they are stored, for who sends them on: leaves that lie within a range, and have nothing
 * beside them, are neither decoded nor merged.
 *
 * @module
 */

import { emptyRaw, type RawColumns } from "../../core/columns.ts";
import type { PointBlocks } from "../../core/point_blocks.ts";
import { lowerBound } from "../../core/search.ts";
import type { RawChunk, Version } from "../../endpoint/endpoint.ts";
import { FIRST_LENT_POINTS, LENT_POINTS } from "../constants.ts";
import type { BlockStore, Place } from "./block_store.ts";
import { INNER, type InnerNode, LEAF } from "./node.ts";
import type { TreePlace } from "./point_runs.ts";
import { rawPoints } from "./raw_points.ts";

/** Points below which leaves between others are decoded like these: messages would get short. */
const LEAST_POINTS = 2_500;

/** Most points of a leaf that is left as it is; only such as cannot be split have more. */
const MOST_OF_LEAF = 16_384;

/** Points of leaves that are to be decoded which make a part. */
const DECODED_POINTS = 65_536;

/** Bytes of a point in a message of points. */
const POINT_BYTES = 20;

/** A part of the points: compressed, or as columns that are valid until the next part is taken. */
export type StoredPart = PointBlocks | RawColumns;

/** A part in a chunk of an answer. */
export function storedChunk(
  { version, columns }: { version: Version; columns: StoredPart },
): RawChunk {
  return "blocks" in columns
    ? { version, columns: emptyRaw(), blocks: columns }
    : { version, columns };
}

/** A range of points. */
interface Span {
  readonly root: number;
  /** Sorted points beside the tree. */
  readonly beside: readonly RawColumns[];
  readonly start: bigint;
  readonly end: bigint;
}

/** The points of a tree in order, and of those beside it; `undefined` where it may pause. */
export function* storedPoints(
  store: BlockStore,
  root: number,
  beside: readonly RawColumns[],
  start: bigint,
  end: bigint,
): Generator<StoredPart | undefined> {
  const parts = new StoredParts(store, { root, beside, start, end });
  if (root !== 0) yield* parts.below(store.readRoot(root));
  yield* parts.rest();
}

/** Collects leaves that follow each other; what lies between these is read as ever. */
class StoredParts {
  readonly #store: BlockStore;
  readonly #span: Span;
  readonly #place: TreePlace = {};
  /** End of what has been given out. */
  #done: bigint;
  /** Points of leaves behind it that are to be decoded. */
  #left = 0;
  #leaves: Place[] = [];
  #points = 0;
  #limit = FIRST_LENT_POINTS;

  constructor(store: BlockStore, span: Span) {
    this.#store = store;
    this.#span = span;
    this.#done = span.start;
  }

  /** Goes through the leaves below a node. */
  *below(node: InnerNode): Generator<StoredPart | undefined> {
    const { start, end } = this.#span;
    const last = node.clampBucket(end - 1n);
    for (let bucket = node.clampBucket(start); bucket <= last; bucket++) {
      const kind = node.kinds[bucket]!;
      if (kind === INNER) yield* this.below(this.#store.readInner(node, bucket));
      else if (kind === LEAF) {
        if (!this.#isWhole(node, bucket)) {
          yield* this.#giveLeaves();
          yield* this.#leave(node, bucket);
          continue;
        }
        if (this.#hasBeside(this.#endOfLeaves(), node.bucketStart(bucket))) {
          yield* this.#giveLeaves();
        }
        this.#leaves.push({ parent: node, bucket });
        this.#points += node.counts[bucket]!;
        if (this.#points >= this.#limit) yield* this.#giveLeaves();
      }
    }
    yield undefined;
  }

  /** Gives out what is left. */
  *rest(): Generator<StoredPart | undefined> {
    yield* this.#giveLeaves();
    yield* this.#decoded(this.#span.end);
  }

  /** Leaves a leaf to be decoded. */
  *#leave(node: InnerNode, bucket: number): Generator<RawColumns | undefined> {
    const to = node.bucketStart(bucket + 1), { end } = this.#span;
    this.#left += node.counts[bucket]!;
    if (this.#left >= DECODED_POINTS) yield* this.#decoded(to < end ? to : end);
  }

  /** Tells whether all points of a bucket are wanted, and are those of its leaf. */
  #isWhole(node: InnerNode, bucket: number): boolean {
    const from = node.bucketStart(bucket), to = node.bucketStart(bucket + 1);
    return from >= this.#span.start && to <= this.#span.end &&
      node.counts[bucket]! <= MOST_OF_LEAF && !this.#hasBeside(from, to);
  }

  #hasBeside(from: bigint, to: bigint): boolean {
    return this.#span.beside.some(({ times }) => {
      const at = lowerBound(times, from);
      return at < times.length && times[at]! < to;
    });
  }

  /** End of the leaves that are collected, or else of what has been given out. */
  #endOfLeaves(): bigint {
    const last = this.#leaves.at(-1);
    return last === undefined ? this.#done : last.parent.bucketStart(last.bucket + 1);
  }

  /** Gives out the leaves that are collected, or leaves them to be decoded. */
  *#giveLeaves(): Generator<StoredPart | undefined> {
    const leaves = this.#leaves, points = this.#points;
    if (leaves.length === 0) return;
    const end = this.#endOfLeaves();
    this.#leaves = [];
    this.#points = 0;
    const blocks = points < LEAST_POINTS ? undefined : this.#store.readStored(leaves);
    const bytes = blocks?.reduce((sum, block) => sum + block.length, 0) ?? Infinity;
    if (bytes >= POINT_BYTES * points) {
      this.#left += points;
      return;
    }
    const [{ parent, bucket }] = leaves as [Place];
    yield* this.#decoded(parent.bucketStart(bucket));
    yield { points, blocks: blocks! };
    yield undefined;
    this.#done = end;
    this.#limit = Math.min(2 * this.#limit, LENT_POINTS);
  }

  /** The points up to a time, decoded and merged. */
  *#decoded(end: bigint): Generator<RawColumns | undefined> {
    const { root, beside } = this.#span;
    const from = this.#done;
    if (from < end && (this.#left > 0 || this.#hasBeside(from, end))) {
      yield* rawPoints(this.#store, root, beside, from, end, "lent", this.#place);
    }
    this.#left = 0;
    this.#done = end;
  }
}
