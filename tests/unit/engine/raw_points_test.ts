import { assert, assertEquals } from "@std/assert";
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
