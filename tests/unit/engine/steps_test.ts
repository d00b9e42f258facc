import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { concatRaw, concatStat } from "../../../src/core/columns.ts";
import { openEngine } from "../../../src/engine/mod.ts";
import { createStream } from "../../support/engine.ts";

/** Times that come close together, far apart, and several times. */
const times = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.constantFrom(1, 1000, 1e12)), {
  maxLength: 60,
});

Deno.test("Engine.rawValues, windows, alignedWindows: small chunks are together the whole", async () => {
  await fc.assert(
    fc.asyncProperty(
      times,
      times,
      fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(Infinity)),
      fc.constantFrom(0, 9, 20),
      async (inTree, inBuffer, chunk, pointwidth) => {
        await using engine = await openEngine();
        const uuid = await createStream(engine);
        for (const points of [inTree, inBuffer]) {
          if (points.length > 0) {
            await engine.insert({
              uuid,
              columns: {
                times: BigInt64Array.from(points, ([t, scale]) => BigInt(t * scale)),
                values: Float64Array.from(points, (_, i) => i),
              },
            });
          }
          if (points === inTree) await engine.flush(uuid);
        }
        const range = { uuid, start: 3n, end: 30_000_000_000_000n, version: 0n };
        const raw = await Array.fromAsync(engine.rawValues({ ...range, chunk }));
        assert(raw.every(({ columns }) => columns.times.length <= chunk));
        assertEquals(
          concatRaw(raw.map(({ columns }) => columns)),
          concatRaw((await Array.fromAsync(engine.rawValues(range))).map(({ columns }) => columns)),
        );
        const aligned = { ...range, pointwidth };
        const wide = { ...range, end: 3000n, width: 7n, depth: 0 };
        for (
          const [some, all] of [
            [engine.alignedWindows({ ...aligned, chunk }), engine.alignedWindows(aligned)],
            [engine.windows({ ...wide, chunk }), engine.windows(wide)],
          ] as const
        ) {
          const parts = (await Array.fromAsync(some)).map(({ columns }) => columns);
          assert(parts.every((columns) => columns.times.length <= chunk));
          assertEquals(
            concatStat(parts),
            concatStat((await Array.fromAsync(all)).map(({ columns }) => columns)),
          );
        }
      },
    ),
    { numRuns: Number(Deno.env.get("PROPERTY_RUNS") ?? 150) },
  );
});

Deno.test("Engine.rawValues: small chunks go through many leaves and thousands of equal times", async () => {
  await using engine = await openEngine();
  const uuid = await createStream(engine);
  const times = BigInt64Array.from(
    { length: 20_000 },
    (_, i) => BigInt(i < 6000 ? i : i < 9000 ? 6000 : i),
  );
  const values = Float64Array.from(times, (_, i) => i);
  await engine.insert({ uuid, columns: { times, values } });
  await engine.flush(uuid);
  const range = { uuid, start: 0n, end: 1n << 40n, version: 0n };
  const whole = concatRaw(
    (await Array.fromAsync(engine.rawValues(range))).map(({ columns }) => columns),
  );
  for (const chunk of [100, 1024, 1500]) {
    const parts = await Array.fromAsync(engine.rawValues({ ...range, chunk }));
    assertEquals(concatRaw(parts.map(({ columns }) => columns)), whole);
  }
});
