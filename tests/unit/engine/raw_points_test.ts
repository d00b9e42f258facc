import { assert, assertEquals } from "@std/assert";
import { connect } from "../../../mod.ts";
import { concatRaw } from "../../../src/core/columns.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { createStream, regular } from "../../support/engine.ts";

Deno.test("rawValues: a short answer takes the memory of its points, a long one grows to full chunks", async () => {
  // Every query once began with 512 KiB: rows of 5,000 streams took 1.9 GB.
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  const columns = regular(200_000);
  await engine.insert({ uuid, columns });
  await engine.insert({ uuid, columns: regular(50, 10n ** 15n) });
  for (const points of [0, 1, 120, 1023, 1024, 1025, 5000, 200_000]) {
    const range = { uuid, start: 0n, end: BigInt(points) * 1_000_000n || 1n, version: 0n };
    if (points === 0) range.start = range.end++ - 2n;
    const chunks = (await Array.fromAsync(engine.rawValues(range))).map((chunk) => chunk.columns);
    const lengths = chunks.map(({ times }) => times.length);
    const all = concatRaw(chunks);
    assertEquals(all.times, columns.times.subarray(0, all.times.length));
    assertEquals(all.values, columns.values.subarray(0, all.values.length));
    if (points > 0) assertEquals(all.times.length, points);
    for (const { times } of chunks) assertEquals(times.buffer.byteLength, 8 * times.length);
    assert(lengths[0]! <= 1024, `${lengths}`);
    assertEquals(
      lengths.slice(0, -1),
      lengths.slice(0, -1).map((_, i) => Math.min(1024 << i, 32_768)),
    );
  }
});

Deno.test("rawValues: chunks that are lent have the same memory, and all points in multiples of 5,000", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  const columns = regular(70_003);
  await engine.insert({ uuid, columns });
  const buffers = new Set<ArrayBufferLike>();
  const lengths: number[] = [];
  let at = 0;
  for await (
    const chunk of engine.rawValues({ uuid, start: 0n, end: 1n << 60n, version: 0n, isLent: true })
  ) {
    const { times, values } = chunk.columns;
    assertEquals(times, columns.times.slice(at, at += times.length));
    assertEquals(values, columns.values.slice(at - values.length, at));
    lengths.push(times.length);
    buffers.add(times.buffer);
  }
  assertEquals(lengths, [5_000, 10_000, 20_000, 20_000, 15_003]);
  assertEquals(buffers.size, 3);
  const few = { uuid, start: 0n, end: 100n * 1_000_000n, version: 0n, isLent: true };
  const [chunk] = await Array.fromAsync(engine.rawValues(few));
  assert(chunk!.columns.times.buffer.byteLength <= 1_600);
});

Deno.test("collect: points of the tree, late ones and buffered ones come in columns of their number, from memory or the file", async () => {
  const directory = await Deno.makeTempDir();
  const step = 1_000_000n;
  const { times, values } = regular(150_000);
  const late = [7n, 20_000n, 20_000n, 60_001n, 149_999n].map((i) => i * step + 1n);
  // One stands where a stored one does, and comes after it.
  const buffered = [...late, 90_000n * step, 160_000n * step];
  try {
    const uuid = crypto.randomUUID();
    {
      await using db = await connect(`file:${directory}/grid.btrdb`);
      const stream = await db.create(uuid, "demo");
      await stream.insert({ times, values });
      await stream.insert(late.map((time, i) => [time, -i] as const));
      await stream.flush();
      await stream.insert(buffered.map((time, i) => [time, 1000 + i] as const));
    }
    const all = [
      ...Array.from(times, (time, i) => [time, values[i]!] as const),
      ...late.map((time, i) => [time, -i] as const),
      ...buffered.map((time, i) => [time, 1000 + i] as const),
    ].sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0);
    await using db = await connect(`file:${directory}/grid.btrdb`);
    const stream = db.streamFromUUID(uuid);
    for (let turn = 0; turn < 3; turn++) {
      for (
        const [start, end] of [
          [0n, 200_000n * step],
          [3n * step + 5n, 150_000n * step],
          [19_999n * step, 60_001n * step + 1n],
          [60_001n * step + 1n, 160_000n * step],
          [5n * step, 6n * step],
          [170_000n * step, 180_000n * step],
        ] as const
      ) {
        const batch = await stream.rawValues(start, end).collect();
        const expected = all.filter(([time]) => time >= start && time < end);
        assertEquals(batch.times, BigInt64Array.from(expected, ([time]) => time));
        assertEquals(batch.values, Float64Array.from(expected, ([, value]) => value));
        assertEquals(batch.times.buffer.byteLength, 8 * expected.length);
        assertEquals(batch.values.buffer.byteLength, 8 * expected.length);
      }
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
