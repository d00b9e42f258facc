import { assert, assertEquals } from "@std/assert";
import { concatStat } from "../../../src/core/columns.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { createStream } from "../../support/engine.ts";

Deno.test("Engine.windows: windows narrower than a leaf are those of a plain loop, from the file and from memory", async () => {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/grid.btrdb`;
  // Samples that are nearly regular, with gaps in which leaves and whole nodes are missing.
  const points: [bigint, number][] = [];
  let time = 1000n;
  for (let i = 0; i < 60_000; i++) {
    time += i % 9000 === 8999 ? 3_000_000_000_000n : 8_333_333n + BigInt((i * 7919) % 1000);
    points.push([time, ((i * 7919) % 1009) / 8 - 50]);
  }
  const columns = {
    times: BigInt64Array.from(points, ([time]) => time),
    values: Float64Array.from(points, ([, value]) => value),
  };
  try {
    const engine = await openEngine({ path });
    const uuid = await createStream(engine);
    await engine.insert({ uuid, columns });
    await engine.flush(uuid);
    await engine.close();
    await using again = await openEngine({ path });
    for (let turn = 0; turn < 3; turn++) {
      for (
        const [first, count, width] of [[10, 3000n, 900_000_000n], [
          8000,
          999n,
          77_777_777n,
        ]] as const
      ) {
        for (const chunk of [undefined, 2000, 100]) {
          const start = columns.times[first]! - 5n;
          const end = start + count * width;
          const request = { uuid, start, end, width, depth: 0, version: 0n, chunk };
          const windows = concatStat(
            (await Array.fromAsync(again.windows(request))).map(({ columns }) => columns),
          );
          assertEquals(windows.times.length, Number(count));
          const inside = points.filter(([time]) => time >= start && time < end);
          const groups = Map.groupBy(inside, ([time]) => Number((time - start) / width));
          for (let w = 0; w < windows.times.length; w++) {
            const values = (groups.get(w) ?? []).map(([, value]) => value);
            const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
            const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
            const deviation = Math.sqrt(squares / Math.max(1, values.length));
            const what = `window ${w} of ${width} ns from point ${first}, turn ${turn}`;
            assertEquals(windows.times[w], start + BigInt(w) * width, what);
            assertEquals(windows.count[w], BigInt(values.length), what);
            assertEquals(windows.min[w], values.length === 0 ? 0 : Math.min(...values), what);
            assertEquals(windows.max[w], values.length === 0 ? 0 : Math.max(...values), what);
            assert(Math.abs(windows.mean[w]! - mean) < 1e-9, what);
            assert(Math.abs(windows.stddev![w]! - deviation) < 1e-9, what);
          }
        }
      }
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
