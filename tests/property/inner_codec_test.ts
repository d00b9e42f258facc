/** Inner nodes as blocks: every number comes back, and bytes that lie are `CORRUPT`. */

import { assert, assertEquals } from "@std/assert";
import { BTrDBError } from "../../src/core/errors.ts";
import { BLOCK_HEADER_BYTES, COMPRESSED_INNER, seal } from "../../src/engine/tree/block_frame.ts";
import { innerProblem } from "../../src/engine/tree/check_node.ts";
import { encodeCompressed, encodeInner, encodePlain } from "../../src/engine/tree/inner_codec.ts";
import { INNER, InnerNode, LEAF } from "../../src/engine/tree/node.ts";
import { decodeNode } from "../../src/engine/tree/node_codec.ts";
import { damaged, fuzzing } from "../support/fuzzing.ts";
import { Random } from "../support/random.ts";

const COLUMNS = ["addresses", "generations", "counts", "mins", "means", "maxs", "m2s"] as const;

/** Sizes of values, with those whose sums overflow. */
const SCALES = [0, -0, 5e-324, 1e-300, 0.1, 1, 7200, 2 ** 52, 1e300, Number.MAX_VALUE];

/** A node such as commits of any kind leave behind. */
function nodeOf(random: Random, address: number): InnerNode {
  const pointwidth = random.pick([2, 8, 32, 56]);
  const node = new InnerNode(pointwidth, -(1n << 60n));
  const full = random.pick([0.02, 0.3, 0.9, 1]), gone = random.pick([0, 0, 0.3]);
  const major = random.pick([11, 300, 2 ** 31 + 5, 2 ** 53 - 100]);
  const scale = random.pick(SCALES), isSingle = random.chance(0.5);
  for (let b = 0; b < 64; b++) {
    if (!random.chance(full)) continue;
    if (random.chance(gone)) {
      node.setChild(b, null, major + random.int(0, 90));
      continue;
    }
    const a = scale * (1 + random.next() / 50), range = scale * random.next() / 100;
    const min = isSingle ? Math.min(Math.fround(a), Number.MAX_VALUE) : a;
    const max = Math.min(min + range, Number.MAX_VALUE);
    const count = random.pick([1, 515, 516, 1024]);
    // Sums that overflowed: what came of them stays.
    const isOver = scale > 1e299;
    node.setChild(b, {
      kind: pointwidth > 2 && random.chance(0.5) ? INNER : LEAF,
      address: Math.max(1, address - random.pick([b + 1, 2 ** 33 + b, address - 1])),
      count,
      min: Number.isFinite(min) ? min : Number.MAX_VALUE,
      mean: isOver ? random.pick([Infinity, -Infinity, NaN, min]) : min + (max - min) / 2,
      max: Number.isFinite(max) ? max : Number.MAX_VALUE,
      m2: isOver ? random.pick([Infinity, NaN]) : (max - min) ** 2 * random.next(),
    }, major + random.int(0, 90));
  }
  return node;
}

function assertSame(actual: InnerNode, expected: InnerNode): void {
  assertEquals([actual.pointwidth, actual.start], [expected.pointwidth, expected.start]);
  assertEquals(actual.kinds, expected.kinds);
  for (const column of COLUMNS) {
    for (let b = 0; b < 64; b++) {
      const a = actual[column][b], e = expected[column][b];
      assert(Object.is(a, e), `${column} of bucket ${b}: ${a}, expected ${e}`);
    }
  }
}

Deno.test("encodeInner: every number of a node comes back from each of the two forms", () => {
  for (const random of fuzzing("inner codec", 3000)) {
    const address = random.pick([100, 20_000, 2 ** 40, 2 ** 53 - 1]);
    const node = nodeOf(random, address);
    if (innerProblem(node) !== undefined) continue;
    for (const encode of [encodePlain, encodeInner, encodeCompressed]) {
      const isEmpty = node.generations.every((generation) => generation === 0);
      if (isEmpty && encode === encodeCompressed) continue;
      assertSame(decodeNode(address, encode(address, node)) as InnerNode, node);
    }
  }
});

Deno.test("encodeInner: a full node of a stream in order takes less than a third of its numbers", () => {
  const random = new Random(3);
  const node = new InnerNode(32, 0n);
  for (let b = 0; b < 64; b++) {
    const min = Math.fround(7190 + random.next()), max = Math.fround(7210 + random.next());
    const mean = 7200 + random.next(), m2 = 200 + 100 * random.next();
    const count = random.int(515, 516);
    node.setChild(b, { kind: LEAF, address: 1000 + b, count, min, mean, max, m2 }, 11);
  }
  assertEquals(encodePlain(1064, node).length, 3728);
  const { length } = encodeInner(1064, node);
  assert(length < 1200, `${length} bytes`);
});

Deno.test("decodeNode: compressed nodes whose bytes were changed and sealed are CORRUPT or nodes that can be", () => {
  for (const random of fuzzing("sealed inner nodes", 3000)) {
    const address = 20_000;
    const node = nodeOf(random, address);
    if (innerProblem(node) !== undefined || node.generations.every((g) => g === 0)) continue;
    const content = encodeCompressed(address, node).slice(BLOCK_HEADER_BYTES);
    const changed = damaged(content, random);
    const block = new Uint8Array(BLOCK_HEADER_BYTES + changed.length);
    block.set(changed, BLOCK_HEADER_BYTES);
    try {
      const decoded = decodeNode(address, seal(block, COMPRESSED_INNER, address)) as InnerNode;
      assertEquals(innerProblem(decoded), undefined);
    } catch (error) {
      assert(error instanceof BTrDBError && error.status === "CORRUPT", `${error}`);
    }
  }
});
