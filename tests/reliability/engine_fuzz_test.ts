/**
 * Database files that were changed at random, bytes and nodes, the latter with checksums that fit:
 * reads give what was stored or an error of damage, `verify` reports and never throws, and nothing
 * takes long. For ten minutes, from any seed:
 *
 *     FUZZ_MINUTES=10 FUZZ_SEED=1 deno test -A tests/reliability/engine_fuzz_test.ts
 */

import { assert, assertEquals } from "@std/assert";
import { BTrDBError } from "../../src/core/errors.ts";
import { lowerBound } from "../../src/core/search.ts";
import { openEngine, verify } from "../../src/engine/mod.ts";
import { InnerNode } from "../../src/engine/tree/node.ts";
import {
  HOSTILE_UUID,
  readHostile,
  TreeSurgeon,
  writeHostileBase,
} from "../support/hostile_tree.ts";
import { columnsAt } from "../support/engine.ts";
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

/** First bytes of pages that are nodes of SQLite's trees; the others are mostly our blocks. */
const TREE_PAGES = [2, 5, 10, 13];

/**
 * Turns bits, half of the time near the head of a page that is a node of one of SQLite's trees, which
 * have no checksums.
 *
 * @returns True if those of trees were turned: rows may be out of sight, which only `verify` knows.
 */
async function flipBytes(path: string, random: Random): Promise<boolean> {
  const bytes = await Deno.readFile(path);
  const pageBytes = new DataView(bytes.buffer).getUint16(16) || 65_536;
  const trees = Array.from({ length: bytes.length / pageBytes }, (_, page) => page * pageBytes)
    .filter((at) => TREE_PAGES.includes(bytes[at]!));
  const isStructure = random.chance(0.5);
  for (let i = random.int(1, 4); i > 0; i--) {
    const at = isStructure
      ? random.pick(trees) + random.int(0, random.pick([11, 40, pageBytes - 1]))
      : random.int(0, bytes.length - 1);
    bytes[at]! ^= 1 << random.int(0, 7);
  }
  await Deno.writeFile(path, bytes);
  return isStructure;
}

/** Tells whether nothing is wrong with a file. */
async function isVerified(path: string): Promise<boolean> {
  try {
    return (await verify(path)).ok;
  } catch (error) {
    assert(error instanceof BTrDBError, `verify: ${error}`);
    return false;
  }
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
      let isSilent = sealed;
      if (sealed) changeNodes(path, random);
      else isSilent = await flipBytes(path, random);
      const isOk = await isVerified(path);
      const answers = await readHostile(path).catch((error) => {
        assert(error instanceof BTrDBError, `open: ${error}`);
        return [];
      });
      for (const [i, answer] of answers.entries()) {
        if (answer instanceof Error) assert(answer instanceof BTrDBError, `read ${i}: ${answer}`);
        // What was sealed may be other points; `verify` knows them by the statistics above them.
        else if (isOk || !isSilent) assertEquals(answer, expected[i], `read ${i}`);
      }
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** Times of points that are inserted into changed files, behind all those that are read, ns. */
const LATER = 1n << 51n;

/** Changes a file by every kind of write. Returns the number of points inserted for good. */
async function writeHostile(path: string, random: Random): Promise<number> {
  const engine = await openEngine({ path });
  const uuid = HOSTILE_UUID;
  let inserted = 0;
  const writes: (() => Promise<unknown>)[] = [
    async () => {
      const from = inserted;
      const n = random.int(1, 20_000);
      const times = BigInt64Array.from({ length: n }, (_, i) => LATER + BigInt(from + i));
      await engine.insert({ uuid, columns: { times, values: new Float64Array(n) } });
      inserted += n;
    },
    () => engine.flush(uuid),
    () => engine.deleteRange({ uuid, start: LATER - 10n, end: LATER }),
    async () => {
      const about = { uuid, omitVersion: false, omitDescriptor: true };
      const { version } = await engine.streamInfo(about);
      await engine.prune(uuid, version!.major);
    },
    () => engine.compact(),
  ];
  try {
    for (let i = random.int(1, 6); i > 0; i--) {
      // An insert that failed may be there or not: nothing more can be said of what is behind it.
      const failed = await random.pick(writes)().then(() => false, (error) => {
        assert(error instanceof BTrDBError, `write: ${error?.stack ?? error}`);
        return true;
      });
      if (failed) break;
    }
  } finally {
    await engine.close();
  }
  return inserted;
}

/** The points that were there before anything was inserted, as text, and the number of those after. */
async function readAll(path: string): Promise<{ old: string; later: number }> {
  await using engine = await openEngine({ path, readOnly: true });
  const { times, values } = await columnsAt(engine, HOSTILE_UUID);
  const end = lowerBound(times, LATER);
  const old = `${times.subarray(0, end).join()} ${values.subarray(0, end).join()}`;
  return { old, later: times.length - end };
}

Deno.test("openEngine: writes into files changed at random lose nothing of what can be read, or say so", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const base = `${directory}/base.btrdb`;
    await writeHostileBase(base);
    const stored = await readAll(base);
    const path = `${directory}/changed.btrdb`;
    for (const random of fuzzing("engine writes", 40, 3_000)) {
      for (const suffix of ["", "-wal", "-shm", "-lock"]) {
        await Deno.remove(path + suffix).catch(() => {});
      }
      await Deno.copyFile(base, path);
      let isSilent = random.chance(0.3);
      if (isSilent) changeNodes(path, random);
      else isSilent = await flipBytes(path, random);
      const isOk = await isVerified(path);
      try {
        const inserted = await writeHostile(path, random);
        const { old, later } = await readAll(path);
        if (isSilent && !isOk) continue;
        assert(old === stored.old, "points that were there are others or gone");
        assert(later >= inserted, `${later} of ${inserted} points`);
      } catch (error) {
        assert(error instanceof BTrDBError, `${(error as Error)?.stack ?? error}`);
      }
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
