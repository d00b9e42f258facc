import { assert, assertEquals } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
import { NodeCache } from "../../../src/engine/tree/node_cache.ts";
import { LEAF, type Leaf } from "../../../src/engine/tree/node.ts";
import { cpuMs } from "../../support/cpu_ms.ts";
import { createStream, pointsOf, regular } from "../../support/engine.ts";

const POINTS = 40_000;
/** All points decoded. */
const DECODED = 16 * POINTS;

async function filled(path: string): Promise<Uint8Array> {
  await using engine = await openEngine({ path });
  const uuid = await createStream(engine);
  await engine.insert({ uuid, columns: regular(POINTS, 0n, 1_000_000n) });
  await engine.flush(uuid);
  return uuid;
}

Deno.test("NodeCache: what is read once takes no memory, what is read again is remembered", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/grid.btrdb`;
    const uuid = await filled(path);
    await using engine = await openEngine({ path, readOnly: true });
    const first = await pointsOf(engine, uuid);
    assertEquals(first.length, POINTS);
    assert(engine.cachedBytes < DECODED / 4, `${engine.cachedBytes} bytes after one read`);
    assertEquals(await pointsOf(engine, uuid), first);
    assert(engine.cachedBytes > DECODED, `${engine.cachedBytes} bytes after two reads`);
    assertEquals(await pointsOf(engine, uuid), first);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("NodeCache: two reads that take turns get their own points", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const path = `${directory}/grid.btrdb`;
    const uuid = await filled(path);
    const all = regular(POINTS, 0n, 1_000_000n);
    await using engine = await openEngine({ path, readOnly: true });
    const from = [0, 500];
    const reads = from.map((at) =>
      engine.rawValues({ uuid, start: BigInt(at) * 1_000_000n, end: 2n ** 60n, version: 0n })
    );
    const at = [...from];
    for (let open = reads.length; open > 0;) {
      for (const [r, read] of reads.entries()) {
        if (at[r] === POINTS) continue;
        const { columns } = (await read.next()).value!;
        const to = at[r]! + columns.times.length;
        assertEquals(columns.times, all.times.slice(at[r], to));
        assertEquals(columns.values, all.values.slice(at[r], to));
        at[r] = to;
        if (to < POINTS) continue;
        open--;
        assertEquals((await read.next()).done, true);
      }
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

/** CPU time of putting so many leaves of a point into a cache that is full with `size` of them, ms. */
function putMs(size: number, count: number): number {
  const leaf: Leaf = { kind: LEAF, times: BigInt64Array.of(1n), values: Float64Array.of(1) };
  const cache = new NodeCache(size * 416);
  for (let i = 0; i < size; i++) cache.put(i, leaf);
  return cpuMs(() => {
    for (let i = size; i < size + count; i++) cache.put(i, leaf);
  });
}

// Where points were so dense that there were many small leaves, each that came took 0.1 ms to find the oldest
// one: an insert of 200,000 points took 23 s, and all other writes waited for it.
Deno.test("NodeCache: a node that comes takes as long whether thousands are in it or hundreds of thousands", () => {
  putMs(1_000, 50_000);
  const few = putMs(1_000, 50_000);
  const many = putMs(150_000, 50_000);
  assert(many < 8 * few + 100, `${many} ms, with few nodes ${few} ms`);
});
