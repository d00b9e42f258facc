/**
 * Means at the ends of what doubles can hold: whether a sum overflows depends on its order, and the
 * order is the real server's. The expected values come from a model of that server which answers
 * every recording to the last bit.
 */

import { assertEquals } from "@std/assert";
import { concatStat } from "../../../src/core/columns.ts";
import { type Engine, openEngine } from "../../../src/engine/mod.ts";
import { columnsOf, createStream } from "../../support/engine.ts";

const BIG = Number.MAX_VALUE;

async function insert(engine: Engine, points: [number, number][]): Promise<Uint8Array> {
  const uuid = await createStream(engine);
  await engine.insert({ uuid, columns: columnsOf(points) });
  return uuid;
}

/** Means of all windows of the latest version. */
async function means(
  engine: Engine,
  uuid: Uint8Array,
  [start, end]: [number, number],
  grid: { width: bigint } | { pointwidth: number },
): Promise<number[]> {
  const range = { uuid, start: BigInt(start), end: BigInt(end), version: 0n };
  const source = "width" in grid
    ? engine.windows({ ...range, ...grid, depth: 0 })
    : engine.alignedWindows({ ...range, ...grid });
  return [...concatStat((await Array.fromAsync(source)).map((chunk) => chunk.columns)).mean];
}

Deno.test("Engine.windows: a window of a leaf is the sum of its values, not of mean times count", async () => {
  await using engine = await openEngine();
  const uuid = await insert(engine, [[0, BIG], [1, -BIG], [2, BIG], [10, 1]]);
  await engine.flush(uuid);
  assertEquals(await means(engine, uuid, [0, 6], { width: 3n }), [BIG / 3, 0]);
});

Deno.test("Engine.windows: a window over two leaves goes on with the sum of the first", async () => {
  await using engine = await openEngine();
  const uuid = await insert(engine, [[-1, 1e308], [0, 1e308], [1, -1e308]]);
  await engine.flush(uuid);
  assertEquals(await means(engine, uuid, [-2, 6], { width: 4n }), [Infinity, 0]);
});

Deno.test("Engine.windows: buffered points make a running mean in the order of their arrival", async () => {
  await using engine = await openEngine();
  const sorted = await insert(engine, [[0, BIG], [1, -BIG], [2, BIG]]);
  assertEquals(await means(engine, sorted, [0, 8], { pointwidth: 2 }), [BIG / 3]);
  await using other = await openEngine();
  const mixed = await insert(other, [[2, BIG], [0, BIG], [1, -BIG]]);
  assertEquals(await means(other, mixed, [0, 8], { pointwidth: 2 }), [Infinity]);
});

Deno.test("Engine.windows: a window of the buffer overflows once more where it meets an empty one", async () => {
  await using engine = await openEngine();
  const uuid = await insert(engine, [[0, BIG], [1, -BIG], [2, BIG], [3, BIG], [4, -BIG], [5, BIG]]);
  // Without a tree there is no empty window to meet at the end.
  assertEquals(await means(engine, uuid, [0, 6], { width: 3n }), [Infinity, BIG / 3]);
});

Deno.test("Engine.windows: windows that only the tree has stay as they are beside a buffer", async () => {
  await using engine = await openEngine();
  const uuid = await insert(engine, [[0, BIG], [1, -BIG], [2, BIG], [20, 5]]);
  await engine.flush(uuid);
  await engine.insert({ uuid, columns: columnsOf([[9, 7]]) });
  assertEquals(await means(engine, uuid, [0, 12], { width: 3n }), [BIG / 3, 0, 0, 7]);
});

Deno.test("Engine.windows: the mean of buffered negative zeros is one, until it meets an empty window", async () => {
  await using engine = await openEngine();
  const uuid = await insert(engine, [[0, -0], [1, -0], [4, -0], [5, 0], [6, -0]]);
  assertEquals(await means(engine, uuid, [0, 8], { pointwidth: 1 }), [-0, 0, -0]);
  assertEquals(await means(engine, uuid, [0, 8], { width: 2n }), [0, 0, 0, -0]);
  await engine.flush(uuid);
  assertEquals(await means(engine, uuid, [0, 8], { pointwidth: 1 }), [0, 0, 0]);
});
