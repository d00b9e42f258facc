/**
 * Database files that were changed at random, bytes and nodes, the latter with checksums that fit:
 * reads give what was stored or an error of damage, `verify` reports and never throws, and nothing
 * takes long. For ten minutes, from any seed:
 *
 *     FUZZ_MINUTES=10 FUZZ_SEED=1 deno test -A tests/reliability/engine_fuzz_test.ts
 */

import { assert, assertEquals } from "@std/assert";
import { BTrDBError } from "../../src/core/errors.ts";
import { verify } from "../../src/engine/mod.ts";
import { InnerNode } from "../../src/engine/tree/node.ts";
import { readHostile, TreeSurgeon, writeHostileBase } from "../support/hostile_tree.ts";
import type { Random } from "../support/random.ts";
import { fuzzing } from "../support/fuzzing.ts";

const NUMBERS = [NaN, -1, 0, 0.5, 1, 64, 1e300, Infinity, -Infinity, 2 ** 53, 5e-324];

/** Changes a node or two, and seals them. */
function changeNodes(path: string, random: Random): void {
  const tree = new TreeSurgeon(path, random.pick(["plain", "compressed"]));
  try {
    const addresses = [...tree.nodes.keys()];
    for (let i = random.int(1, 3); i > 0; i--) {
      const address = random.pick(addresses);
      const node = tree.nodes.get(address)!;
      if (node instanceof InnerNode) changeInner(tree, address, node, random, addresses);
      else if (random.chance(0.5)) {
        const times = node.times.slice();
        times[random.int(0, times.length - 1)] = BigInt(random.int(-(2 ** 31), 2 ** 31)) << 20n;
        tree.writeLeaf(address, { times, values: node.values });
      } else {
        const values = node.values.slice();
        values[random.int(0, values.length - 1)] = random.pick(NUMBERS);
        tree.writeLeaf(address, { times: node.times, values });
      }
    }
    if (random.chance(0.1)) tree.setRoot(random.pick(addresses));
  } finally {
    tree.close();
  }
}

function changeInner(
  tree: TreeSurgeon,
  address: number,
  node: InnerNode,
  random: Random,
  addresses: readonly number[],
): void {
  const b = random.int(0, 63);
  const column = random.pick(
    ["addresses", "generations", "counts", "mins", "means", "maxs", "m2s", "kinds"] as const,
  );
  if (column === "kinds") node.kinds[b] = random.int(0, 3);
  else node[column][b] = random.pick([...NUMBERS, random.pick(addresses)]);
  tree.writeInner(address);
}

async function flipBytes(path: string, random: Random): Promise<void> {
  const bytes = await Deno.readFile(path);
  for (let i = random.int(1, 4); i > 0; i--) {
    bytes[random.int(0, bytes.length - 1)]! ^= 1 << random.int(0, 7);
  }
  await Deno.writeFile(path, bytes);
}

Deno.test("openEngine, verify: files changed at random give what was stored or an error, soon", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const base = `${directory}/base.btrdb`;
    await writeHostileBase(base);
    const expected = await readHostile(base);
    const path = `${directory}/changed.btrdb`;
    for (const random of fuzzing("engine", 60)) {
      for (const suffix of ["", "-wal", "-shm", "-lock"]) {
        await Deno.remove(path + suffix).catch(() => {});
      }
      await Deno.copyFile(base, path);
      const sealed = random.chance(0.6);
      if (sealed) changeNodes(path, random);
      else await flipBytes(path, random);
      let isOk = false;
      try {
        isOk = (await verify(path)).ok;
      } catch (error) {
        assert(error instanceof BTrDBError, `verify: ${error}`);
      }
      const answers = await readHostile(path).catch((error) => {
        assert(error instanceof BTrDBError, `open: ${error}`);
        return [];
      });
      for (const [i, answer] of answers.entries()) {
        if (answer instanceof Error) assert(answer instanceof BTrDBError, `read ${i}: ${answer}`);
        // What was sealed may be other points; `verify` knows them by the statistics above them.
        else if (isOk || !sealed) assertEquals(answer, expected[i], `read ${i}`);
      }
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
