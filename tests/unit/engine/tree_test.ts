import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { RawColumns } from "../../../src/core/columns.ts";
import { type Engine, openEngine } from "../../../src/engine/mod.ts";
import { insertIntoBucket, type NodeStore } from "../../../src/engine/tree/insert.ts";
import { mergeRuns } from "../../../src/engine/tree/merge_runs.ts";
import { InnerNode, LEAF } from "../../../src/engine/tree/node.ts";
import { columnsOf, createStream, regular, rejection } from "../../support/engine.ts";

async function changed(engine: Engine, uuid: Uint8Array, from: bigint, to: bigint) {
  const chunks = await Array.fromAsync(engine.changes({ uuid, from, to, resolution: 0 }));
  return chunks.flatMap(({ starts, ends }) => Array.from(starts, (start, i) => [start, ends[i]!]));
}

/** Commits runs of points 1 ns apart, each a version of its own; the extents the last one touched. */
async function extents(...runs: [base: bigint, n: number][]): Promise<bigint[][]> {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  for (const [base, n] of runs) {
    await engine.insert({ uuid, columns: regular(n, base, 1n) });
    await engine.flush(uuid);
  }
  const last = 10n + BigInt(runs.length);
  return await changed(engine, uuid, last - 1n, last);
}

Deno.test("insertIntoTree: a bucket begins as a leaf below 1024 points and as an inner node from there on", async () => {
  assertEquals(await extents([0n, 1023]), [[0n, 2n ** 56n]]);
  assertEquals(await extents([0n, 1024]), [[0n, 1024n]]);
});

Deno.test("insertIntoTree: a leaf holds 1024 points and is split by the next one", async () => {
  assertEquals(await extents([0n, 1000], [1000n, 24]), [[0n, 2n ** 56n]]);
  assertEquals(await extents([0n, 1000], [1000n, 25]), [[0n, 1280n]]);
});

Deno.test("insertIntoTree: leaves of four nanoseconds hold any number of points", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  const columns = columnsOf(Array.from({ length: 5000 }, (_, i) => [5, i]));
  await engine.insert({ uuid, columns });
  await engine.flush(uuid);
  assertEquals(await changed(engine, uuid, 10n, 11n), [[4n, 8n]]);
});

// The points of a leaf and all that came between them were merged in one step: an insert of a million
// points at one time kept every other caller waiting for 11 to 25 ms of CPU time.
Deno.test("insertIntoBucket: many points are merged with those of a leaf in steps", () => {
  const stored = columnsOf([[0, -1], [1, -2], [1, -3], [3, -4]]);
  const points = regular(1_000_000, 1n, 0n);
  for (const replaced of [[], [0n, 1n]]) {
    const written: RawColumns[] = [];
    const refused = () => {
      throw new Error("no inner node is there");
    };
    const store: NodeStore = {
      readInner: refused,
      writeInner: refused,
      readLeaf: () => ({ kind: LEAF, ...stored }),
      writeLeaf: ({ times, values }: RawColumns, from: number, to: number) => {
        written.push({ times: times.slice(from, to), values: values.slice(from, to) });
        return { address: 1, kind: LEAF, count: to - from, min: 0, mean: 0, max: 0, m2: 0 };
      },
    };
    const commit = { store, major: 1, replaced: BigInt64Array.from(replaced) };
    // Its buckets are of four nanoseconds: their leaves are not split.
    const parent = new InnerNode(2, 0n);
    parent.kinds[0] = LEAF;
    let pauses = 0;
    for (const _ of insertIntoBucket(commit, parent, 0, points, 0, 1_000_000)) pauses++;
    assertEquals(written.length, 1);
    const leaf = written[0]!;
    const expected = mergeRuns(stored, points, commit.replaced);
    assert(leaf.times.every((time, i) => time === expected.times[i]));
    assert(leaf.values.every((value, i) => value === expected.values[i]));
    assertEquals(leaf.times.length, expected.times.length);
    assert(pauses > 1_000_000 / 65_536, `${pauses} pauses`);
  }
});

Deno.test("deleteFromTree: a delete touches every bucket between its ends, and an emptied tree everything", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  const bucket = 2n ** 56n;
  await engine.insert({ uuid, columns: columnsOf([[0, 1], [5n * bucket, 2]]) });
  await engine.flush(uuid);
  await engine.deleteRange({ uuid, start: bucket, end: 3n * bucket + 1n });
  assertEquals(await changed(engine, uuid, 11n, 12n), [[bucket, 4n * bucket]]);
  await engine.deleteRange({ uuid, start: -1n, end: 1n });
  assertEquals(await changed(engine, uuid, 12n, 13n), [[-bucket, bucket]]);
  await engine.deleteRange({ uuid, start: 0n, end: 40n * bucket });
  assertEquals(await changed(engine, uuid, 13n, 14n), [[-16n * bucket, 48n * bucket]]);
  assertEquals(await changed(engine, uuid, 14n, 14n), [[-16n * bucket, 48n * bucket]]);
});

Deno.test("treeWindows: windows add up buckets and open only those that are cut", async () => {
  await using engine = await openEngine({ cacheBytes: 0 });
  const uuid = await createStream(engine);
  await engine.insert({ uuid, columns: regular(300_000, 0n, 2n ** 20n) });
  const start = 12_345n, width = 2n ** 37n;
  const request = { uuid, start, end: start + 2n * width, version: 0n, width, depth: 0 };
  const [chunk] = await Array.fromAsync(engine.windows(request));
  const { count, min, max, mean, stddev } = chunk!.columns;
  const expected = (from: bigint) => {
    const values: number[] = [];
    for (let i = 0n; i < 300_000n; i++) {
      const time = i << 20n;
      if (time >= from && time < from + width) values.push(Number(i % 1000n));
    }
    return values;
  };
  for (const k of [0, 1]) {
    const values = expected(start + BigInt(k) * width);
    const average = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((a, b) => a + (b - average) ** 2, 0) / values.length;
    assertEquals(count[k], BigInt(values.length));
    assertEquals([min[k], max[k]], [0, 999]);
    assertEquals(mean[k]!.toFixed(9), average.toFixed(9));
    assertEquals(stddev![k]!.toFixed(6), Math.sqrt(variance).toFixed(6));
  }
});

Deno.test("Engine.insert: more points at one nanosecond than a leaf may have are refused, and nothing is lost", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  const most = 262_144;
  const same = (n: number) => ({
    times: new BigInt64Array(n).fill(5n),
    values: new Float64Array(n),
  });
  const count = async () => {
    let points = 0;
    const range = { uuid, start: -10n, end: 10n, version: 0n };
    for await (const { columns } of engine.rawValues(range)) points += columns.times.length;
    return points;
  };
  const refused = await rejection(engine.insert({ uuid, columns: same(most + 1) }));
  assertEquals(refused.code, 403);
  assertStringIncludes(
    refused.message,
    "more than 262144 points at 1970-01-01T00:00:00.000000005Z",
  );
  assertEquals(await count(), 0);
  await engine.insert({ uuid, columns: same(most - 1) });
  await engine.insert({ uuid, columns: same(1) });
  await engine.insert({ uuid, columns: same(32_766) });
  assertEquals((await rejection(engine.insert({ uuid, columns: same(32_766) }))).code, 403);
  // What was acknowledged is committed all the same, and everything can be deleted.
  await engine.flush(uuid);
  assertEquals(await count(), most + 32_766);
  await engine.insert({ uuid, columns: columnsOf([[6, 1], [7, 1]]) });
  await engine.deleteRange({ uuid, start: 5n, end: 6n });
  assertEquals(await count(), 2);
  await engine.insert({ uuid, columns: same(most - 2) });
  assertEquals(await count(), most);
});

Deno.test("Engine.flush: buffers cannot make a leaf that is not split ever larger", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  const same = (n: number) => ({
    times: new BigInt64Array(n).fill(5n),
    values: new Float64Array(n),
  });
  await engine.insert({ uuid, columns: same(262_144) });
  let flushes = 0;
  for (; flushes < 20; flushes++) {
    await engine.insert({ uuid, columns: same(32_767) });
    const error = await engine.flush(uuid).then(() => undefined, (error) => error);
    if (error === undefined) continue;
    assertEquals(error.code, 403);
    break;
  }
  assertEquals(flushes, 8);
});
