import { assert, assertEquals } from "@std/assert";
import { BTrDBError } from "../../../src/core/errors.ts";
import { verify } from "../../../src/engine/mod.ts";
import { ABSENT, INNER, LEAF, type Leaf } from "../../../src/engine/tree/node.ts";
import {
  INNER_FORMS,
  readHostile,
  TreeSurgeon,
  writeHostileBase,
} from "../../support/hostile_tree.ts";

/**
 * Changes a tree. Checksums are written anew, so that only what the nodes say of each other can tell;
 * `raw` is what reading all points must come to.
 */
interface Attack {
  name: string;
  run(tree: TreeSurgeon): void;
}

/** The first inner node with several children of a kind, and their buckets. */
function parentOf(tree: TreeSurgeon, kind: number): { address: number; buckets: number[] } {
  for (const address of tree.inner.toReversed()) {
    const buckets = tree.buckets(address, kind);
    if (buckets.length > 1) return { address, buckets };
  }
  throw new Error("The tree has no such node");
}

/** Changes one number of one bucket that has a child of a kind. */
function setNumber(
  column: "counts" | "mins" | "means" | "maxs" | "m2s" | "addresses" | "generations",
  kind: number,
  value: number,
): (tree: TreeSurgeon) => void {
  return (tree) => {
    const { address, buckets } = parentOf(tree, kind);
    tree.node(address)[column][buckets[1]!] = value;
    tree.writeInner(address);
  };
}

/** Changes a leaf. */
function setLeaf(change: (leaf: Leaf) => Leaf): (tree: TreeSurgeon) => void {
  return (tree) => {
    const { address, buckets } = parentOf(tree, LEAF);
    const child = tree.node(address).addresses[buckets[1]!]!;
    tree.writeLeaf(child, change(tree.nodes.get(child) as Leaf));
  };
}

const ATTACKS: Attack[] = [
  {
    // Once read as 200,048 points instead of 200,000, without an error.
    name: "leaves that hang in the tree twice",
    run: (tree) => {
      const { address, buckets } = parentOf(tree, LEAF);
      const node = tree.node(address);
      for (const b of buckets) node.addresses[b] = node.addresses[buckets[0]!]!;
      tree.writeInner(address);
    },
  },
  {
    name: "inner nodes that hang in the tree twice",
    run: (tree) => {
      const { address, buckets } = parentOf(tree, INNER);
      const node = tree.node(address);
      for (const b of buckets) node.addresses[b] = node.addresses[buckets[0]!]!;
      tree.writeInner(address);
    },
  },
  {
    name: "a circle from the second level to the root",
    run: (tree) => {
      const [root, second] = tree.inner as [number, number];
      tree.node(second).addresses[tree.buckets(second, INNER)[0]!] = root;
      tree.writeInner(second);
    },
  },
  {
    name: "a node that is its own child",
    run: (tree) => {
      const { address, buckets } = parentOf(tree, INNER);
      tree.node(address).addresses[buckets[0]!] = address;
      tree.writeInner(address);
    },
  },
  {
    name: "a root that is a leaf",
    run: (tree) => {
      const { address, buckets } = parentOf(tree, LEAF);
      tree.setRoot(tree.node(address).addresses[buckets[0]!]!);
    },
  },
  { name: "a root that is an inner node", run: (tree) => tree.setRoot(tree.inner.at(-1)!) },
  { name: "a root that is not there", run: (tree) => tree.setRoot(1e9) },
  { name: "a root of a negative address", run: (tree) => tree.setRoot(-3) },
  ...[NaN, 0.5, -1, 0, 1e300, 2 ** 53, Infinity].flatMap((count): Attack[] => [
    { name: `a leaf of ${count} points`, run: setNumber("counts", LEAF, count) },
    { name: `an inner node of ${count} points`, run: setNumber("counts", INNER, count) },
  ]),
  { name: "a leaf with more points than it has", run: setNumber("counts", LEAF, 1000) },
  { name: "an inner node with more points than it has", run: setNumber("counts", INNER, 5e9) },
  { name: "an address that is NaN", run: setNumber("addresses", LEAF, NaN) },
  { name: "an address of a fraction", run: setNumber("addresses", INNER, 1.5) },
  { name: "a version of a fraction", run: setNumber("generations", INNER, 11.5) },
  { name: "a version of another commit", run: setNumber("generations", INNER, 10) },
  ...(["mins", "means", "maxs", "m2s"] as const).flatMap((column): Attack[] => [
    { name: `${column} that are NaN`, run: setNumber(column, LEAF, NaN) },
    { name: `${column} that are infinite`, run: setNumber(column, INNER, Infinity) },
    { name: `${column} that are not the child's`, run: setNumber(column, INNER, 0.25) },
  ]),
  { name: "a mean that is not between the extremes", run: setNumber("means", LEAF, 7) },
  { name: "a negative sum of squares", run: setNumber("m2s", LEAF, -1) },
  {
    name: "a bucket without a child and with points",
    run: (tree) => {
      const { address, buckets } = parentOf(tree, LEAF);
      tree.node(address).kinds[buckets[1]!] = ABSENT;
      tree.writeInner(address);
    },
  },
  {
    name: "a child of an unknown kind",
    run: (tree) => {
      const { address, buckets } = parentOf(tree, LEAF);
      tree.node(address).kinds[buckets[1]!] = 9;
      tree.writeInner(address);
    },
  },
  {
    name: "a leaf that is said to be an inner node",
    run: (tree) => {
      const { address, buckets } = parentOf(tree, LEAF);
      tree.node(address).kinds[buckets[1]!] = INNER;
      tree.writeInner(address);
    },
  },
  {
    name: "a node of another width",
    run: (tree) => {
      const { address } = parentOf(tree, LEAF);
      Object.assign(tree.node(address), { pointwidth: 8 });
      tree.writeInner(address);
    },
  },
  ...[3, 0, 62, 255].map((pointwidth): Attack => ({
    name: `a node of pointwidth ${pointwidth}`,
    run: (tree) => {
      const { address } = parentOf(tree, LEAF);
      Object.assign(tree.node(address), { pointwidth });
      tree.writeInner(address);
    },
  })),
  {
    name: "a node that begins elsewhere",
    run: (tree) => {
      const { address } = parentOf(tree, LEAF);
      Object.assign(tree.node(address), { start: tree.node(address).start + 1n });
      tree.writeInner(address);
    },
  },
  {
    name: "a leaf with a time before its range",
    run: setLeaf((leaf) => ({ ...leaf, times: leaf.times.with(0, -5n) as BigInt64Array })),
  },
  {
    name: "a leaf with a time after its range",
    run: setLeaf((leaf) => ({ ...leaf, times: leaf.times.with(-1, 1n << 60n) as BigInt64Array })),
  },
  {
    name: "a leaf out of order",
    run: setLeaf((leaf) => ({ ...leaf, times: leaf.times.toReversed() as BigInt64Array })),
  },
  {
    name: "a leaf with NaN",
    run: setLeaf((leaf) => ({ ...leaf, values: leaf.values.with(3, NaN) as Float64Array })),
  },
  {
    name: "a leaf with a point less",
    run: setLeaf((leaf) => ({
      ...leaf,
      times: leaf.times.subarray(1),
      values: leaf.values.subarray(1),
    })),
  },
  {
    name: "the leaf of another bucket",
    run: (tree) => {
      const { address, buckets: [a, b] } = parentOf(tree, LEAF);
      const { addresses } = tree.node(address);
      [addresses[a!], addresses[b!]] = [addresses[b!]!, addresses[a!]!];
      tree.writeInner(address);
    },
  },
  {
    name: "a block that is cut off",
    run: (tree) => {
      const { address, buckets } = parentOf(tree, LEAF);
      const child = tree.node(address).addresses[buckets[1]!]!;
      tree.writeBytes(child, new Uint8Array(7));
    },
  },
];

Deno.test("rawValues, windows, nearest, changes, verify: trees that lie are CORRUPT, whoever sealed them", async (t) => {
  const directory = await Deno.makeTempDir();
  try {
    const base = `${directory}/base.btrdb`;
    await writeHostileBase(base);
    const expected = await readHostile(base);
    assert(expected.every((answer) => typeof answer === "string"));
    assertEquals((await verify(base)).problems, []);
    const forms = Object.keys(INNER_FORMS) as (keyof typeof INNER_FORMS)[];
    const attacks = forms.flatMap((form) => ATTACKS.map((attack) => ({ form, ...attack })));
    for (const { form, name, run } of attacks) {
      await t.step(`${name}, ${form}`, async () => {
        const path = `${directory}/attack.btrdb`;
        await Deno.copyFile(base, path);
        const tree = new TreeSurgeon(path, form);
        run(tree);
        tree.close();
        const report = await verify(path);
        assert(!report.ok && report.problems.length > 0, "verify found nothing");
        const answers = await readHostile(path);
        for (const [i, answer] of answers.entries()) {
          if (typeof answer === "string") assertEquals(answer, expected[i], `read ${i}`);
          else {
            assert(answer instanceof BTrDBError, `read ${i}: ${answer}`);
            assert(answer.status === "CORRUPT", `read ${i}: ${answer}`);
          }
        }
        assert(answers[0] instanceof Error, "all points could be read");
        await Deno.remove(path);
      });
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
