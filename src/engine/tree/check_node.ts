/**
 * Checks of nodes that were read from a file. A checksum tells that a block is what was written, not
 * who wrote it: whatever follows from what a node is and where it hangs is looked at before it is
 * believed.
 *
 * @module
 */

import type { RawColumns } from "../../core/columns.ts";
import { FANOUT, LEAF_POINTS, ROOT_POINTWIDTH, ROOT_START } from "../constants.ts";
import { damaged } from "../file/checksum.ts";
import { ABSENT, INNER, InnerNode, LEAF, type Node, type Stats } from "./node.ts";

/** Part of the largest magnitude, per point, by which a sum in floating point may be off. */
const SUM_ERROR = 2 ** -51;

/**
 * Finds what no inner node of this engine can have: another place than the tree's, children that are
 * no nodes, counts that are no counts, statistics that no points have.
 *
 * @returns A description to follow the node's name, e.g. `has a bucket 3 with 0.5 points`;
 *   `undefined` if nothing is wrong.
 */
export function innerProblem(node: InnerNode): string | undefined {
  const { pointwidth, start } = node;
  if (pointwidth < 2 || pointwidth > ROOT_POINTWIDTH || pointwidth % 6 !== 2) {
    return `has the pointwidth ${pointwidth}`;
  }
  const size = 64n << BigInt(pointwidth);
  const offset = start - ROOT_START;
  if (offset < 0n || offset >= 64n << BigInt(ROOT_POINTWIDTH) || offset % size !== 0n) {
    return `begins at ${start}`;
  }
  for (let b = 0; b < FANOUT; b++) {
    if (node.generations[b] === 0) continue; // Not in the block: nothing was read into it.
    const problem = bucketProblem(node, b);
    if (problem !== undefined) return `has a bucket ${b} with ${problem}`;
  }
  return undefined;
}

function isNatural(value: number): boolean {
  return value >= 1 && Number.isSafeInteger(value);
}

function bucketProblem(node: InnerNode, b: number): string | undefined {
  const kind = node.kinds[b]!;
  const generation = node.generations[b]!;
  if (!isNatural(generation)) return `the version ${generation}`;
  const address = node.addresses[b]!, count = node.counts[b]!;
  const min = node.mins[b]!, mean = node.means[b]!, max = node.maxs[b]!, m2 = node.m2s[b]!;
  if (kind === ABSENT) {
    const isEmpty = address === 0 && count === 0 && min === 0 && mean === 0 && max === 0 &&
      m2 === 0;
    return isEmpty ? undefined : "statistics and no child";
  }
  if (kind !== LEAF && kind !== INNER) return `a child of kind ${kind}`;
  if (kind === INNER && node.pointwidth <= 2) return "an inner node of no width";
  if (!isNatural(address)) return `the address ${address}`;
  if (!isNatural(count)) return `${count} points`;
  if (kind === LEAF && count > LEAF_POINTS && node.childPointwidth > 0) {
    return `a leaf of ${count} points`;
  }
  return statsProblem(count, min, mean, max, m2);
}

/**
 * Extremes are finite and in order. The mean lies between them and the sum of squares is not larger
 * than they allow, both but for rounding, unless the sums may have overflowed: then they are what
 * came of it.
 */
function statsProblem(
  count: number,
  min: number,
  mean: number,
  max: number,
  m2: number,
): string | undefined {
  const scale = Math.max(-min, max, min, -max);
  if (!(min <= max && scale <= Number.MAX_VALUE)) return `values from ${min} to ${max}`;
  if (2 * scale * count === Infinity) return undefined;
  const slack = scale * SUM_ERROR * (count + 1024);
  if (!(mean >= min - slack && mean <= max + slack)) return `the mean ${mean}`;
  const range = max - min + 2 * slack;
  if (!(m2 >= 0 && m2 <= 2 * range * range * count + Number.MIN_VALUE)) {
    return `the sum of squares ${m2}`;
  }
  return undefined;
}

/** Tells whether two sets of points have the same statistics, to the bit. */
export function isSameStats(a: Stats, b: Stats): boolean {
  return a.count === b.count && Object.is(a.min, b.min) && Object.is(a.max, b.max) &&
    Object.is(a.mean, b.mean) && Object.is(a.m2, b.m2);
}

/**
 * Finds why a node is not the child in bucket `b` of an inner node: it lies elsewhere in the tree, as
 * nodes do that hang in it twice or in a circle, or is not what its parent says of it. Statistics are
 * compared where they are at hand, which for leaves is their count.
 *
 * @returns A description as of {@linkcode innerProblem}.
 */
export function childProblem(parent: InnerNode, b: number, child: Node): string | undefined {
  if (!(child instanceof InnerNode)) return leafProblem(parent, b, child);
  if (parent.kinds[b] !== INNER) return "is not a leaf";
  if (child.pointwidth !== parent.childPointwidth || child.start !== parent.bucketStart(b)) {
    return "lies elsewhere in the tree";
  }
  const { stats, generation } = child;
  const isSame = stats.count === parent.counts[b] && Object.is(stats.min, parent.mins[b]) &&
    Object.is(stats.max, parent.maxs[b]) && Object.is(stats.mean, parent.means[b]) &&
    Object.is(stats.m2, parent.m2s[b]);
  if (!isSame) return "has other statistics than its parent has of it";
  if (generation !== parent.generations[b]) return "is from another version than its parent says";
  return undefined;
}

/** As {@linkcode childProblem}, of a leaf, whose points are known to be in order of time. */
export function leafProblem(
  parent: InnerNode,
  b: number,
  { times }: RawColumns,
): string | undefined {
  if (parent.kinds[b] !== LEAF) return "is not an inner node";
  const n = times.length;
  if (n !== parent.counts[b]) return `has ${n} points, expected ${parent.counts[b]}`;
  const width = BigInt.asIntN(64, 1n << BigInt(parent.pointwidth));
  const start = BigInt.asIntN(64, parent.start + BigInt.asIntN(64, BigInt(b) * width));
  if (times[0]! < start || times[n - 1]! >= BigInt.asIntN(64, start + width)) {
    return "has points outside its range";
  }
  return undefined;
}

/** Throws a problem that a node has, if there is one. */
export function refuseNode(address: number, problem: string | undefined): void {
  if (problem !== undefined) throw damaged(`block ${address} ${problem}`);
}

/** Finds why a node is not the root of a tree; described as by {@linkcode innerProblem}. */
export function rootProblem(node: Node): string | undefined {
  if (!(node instanceof InnerNode)) return "is not an inner node";
  const isRoot = node.pointwidth === ROOT_POINTWIDTH && node.start === ROOT_START;
  return isRoot ? undefined : "lies elsewhere in the tree";
}
