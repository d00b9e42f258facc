/**
 * The two kinds of tree node. Inner nodes have 64 buckets of 2^pointwidth ns with statistics of
 * what is below them; leaves hold points in order of time. Nodes are never changed once they are
 * written.
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";
import { childPointwidth, FANOUT } from "../constants.ts";

/** Kinds of children in {@linkcode InnerNode.kinds}. */
export const ABSENT = 0;
export const INNER = 1;
export const LEAF = 2;

/** Statistics of a set of points. */
export interface Stats {
  count: number;
  min: number;
  /** Sum over count; infinite when the sum overflowed, as in the real server. */
  mean: number;
  max: number;
  /** Sum of squared differences from the mean. */
  m2: number;
}

/** A child as its parent knows it. */
export interface ChildRef extends Stats {
  address: number;
  kind: typeof INNER | typeof LEAF;
}

/** An inner node. */
export class InnerNode {
  /** log2 of the width of a bucket, ns. */
  readonly pointwidth: number;
  /** Start of bucket 0, ns. */
  readonly start: bigint;
  /** Kind of the child in each bucket. */
  readonly kinds: Uint8Array;
  /** Block address per bucket. */
  readonly addresses: Float64Array;
  /** Major version that last touched the bucket; stays when its child was deleted. */
  readonly generations: Float64Array;
  readonly counts: Float64Array;
  readonly mins: Float64Array;
  readonly means: Float64Array;
  readonly maxs: Float64Array;
  readonly m2s: Float64Array;
  /** 1 for each bucket whose child was held against what is said of it here. */
  readonly checked: Uint8Array = new Uint8Array(FANOUT);
  #stats: Stats | undefined;
  #generation: number | undefined;

  constructor(pointwidth: number, start: bigint) {
    this.pointwidth = pointwidth;
    this.start = start;
    this.kinds = new Uint8Array(FANOUT);
    const columns = new Float64Array(7 * FANOUT);
    const column = (i: number) => columns.subarray(i * FANOUT, (i + 1) * FANOUT);
    this.addresses = column(0);
    this.generations = column(1);
    this.counts = column(2);
    this.mins = column(3);
    this.means = column(4);
    this.maxs = column(5);
    this.m2s = column(6);
  }

  /** A copy that may be changed until it is written. */
  clone(): InnerNode {
    const copy = new InnerNode(this.pointwidth, this.start);
    copy.kinds.set(this.kinds);
    copy.addresses.set(this.addresses);
    copy.generations.set(this.generations);
    copy.counts.set(this.counts);
    copy.mins.set(this.mins);
    copy.means.set(this.means);
    copy.maxs.set(this.maxs);
    copy.m2s.set(this.m2s);
    return copy;
  }

  /** End of the node, exclusive, ns. */
  get end(): bigint {
    return this.start + (64n << BigInt(this.pointwidth));
  }

  /** Start of a bucket; the end of bucket `b` is the start of `b + 1`. */
  bucketStart(bucket: number): bigint {
    return this.start + (BigInt(bucket) << BigInt(this.pointwidth));
  }

  /** The bucket of a time, 0 or 63 for times outside the node. */
  clampBucket(time: bigint): number {
    const bucket = (time - this.start) >> BigInt(this.pointwidth);
    return bucket < 0n ? 0 : bucket > 63n ? FANOUT - 1 : Number(bucket);
  }

  /** Statistics of everything below. Only for nodes that do not change any more: they are kept. */
  get stats(): Stats {
    return this.#stats ??= innerStats(this);
  }

  /** The version that wrote the node. Only for nodes that do not change any more: it is kept. */
  get generation(): number {
    return this.#generation ??= Math.max(...this.generations);
  }

  /** Pointwidth of the children. */
  get childPointwidth(): number {
    return childPointwidth(this.pointwidth);
  }

  /** Puts a child into a bucket, or empties it, and notes the version that did. */
  setChild(bucket: number, child: ChildRef | null, major: number): void {
    this.generations[bucket] = major;
    this.kinds[bucket] = child?.kind ?? ABSENT;
    this.addresses[bucket] = child?.address ?? 0;
    this.counts[bucket] = child?.count ?? 0;
    this.mins[bucket] = child?.min ?? 0;
    this.means[bucket] = child?.mean ?? 0;
    this.maxs[bucket] = child?.max ?? 0;
    this.m2s[bucket] = child?.m2 ?? 0;
  }
}

/** A node with points, in order of time. */
export interface Leaf extends RawColumns {
  readonly kind: typeof LEAF;
}

/** Any node. */
export type Node = InnerNode | Leaf;

/**
 * Statistics of everything below an inner node. The mean is formed as the real server forms it,
 * from the means of the children, so that it overflows where the server's does.
 */
export function innerStats(node: InnerNode): Stats {
  let count = 0, total = 0, min = 0, max = 0;
  for (let i = 0; i < FANOUT; i++) {
    const n = node.counts[i]!;
    if (n === 0) continue;
    if (count === 0 || node.mins[i]! < min) min = node.mins[i]!;
    if (count === 0 || node.maxs[i]! > max) max = node.maxs[i]!;
    count += n;
    total += node.means[i]! * n;
  }
  const mean = count === 0 ? 0 : total / count;
  let m2 = 0;
  for (let i = 0; i < FANOUT; i++) {
    const n = node.counts[i]!;
    if (n === 0) continue;
    const delta = node.means[i]! - mean;
    m2 += node.m2s[i]! + delta * delta * n;
  }
  return { count, min, mean, max, m2 };
}
