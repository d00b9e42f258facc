import { assert, assertEquals } from "@std/assert";
import { openEngine } from "../../../src/engine/mod.ts";
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
