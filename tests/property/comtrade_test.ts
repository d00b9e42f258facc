/** Points through records of COMTRADE and back, and bytes that are none. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ImportError, openComtrade, writeComtrade } from "@btrdb/btrdb/comtrade";
import { holdsAsync } from "../support/property.ts";
import { makeComtrade, makeSingleFile } from "../support/comtrade.ts";

const TYPES = ["ascii", "binary", "binary32", "float32"] as const;
const START = 1_700_000_000_123_456_789n;

/** Times from a rate, or from steps. */
const timesArbitrary = fc.oneof(
  fc.tuple(fc.constantFrom(1n, 30n, 50n, 60n, 120n, 4000n), fc.integer({ min: 1, max: 200 }))
    .map(([rate, n]) =>
      Array.from({ length: n }, (_, i) => (BigInt(i) * 2_000_000_000n + rate) / (2n * rate))
    ),
  fc.array(fc.bigInt({ min: 0n, max: 4_000_000n }), { minLength: 1, maxLength: 200 })
    .map((steps) => {
      let at = 0n;
      return steps.map((step, i) => i === 0 ? 0n : at += step);
    }),
  fc.array(fc.bigInt({ min: 1n, max: 1000n }), { minLength: 1, maxLength: 100 })
    .map((steps) => {
      let at = 0n;
      return steps.map((step, i) => i === 0 ? 0n : at += step * 1_000_000_000n);
    }),
);

const valueArbitrary = fc.oneof(
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
  fc.integer({ min: -30_000, max: 30_000 }),
  fc.constant(NaN),
);

Deno.test("writeComtrade: times come back exactly, values within the resolution of the type", async () => {
  const folder = await Deno.makeTempDir();
  const column = fc.infiniteStream(valueArbitrary);
  try {
    await holdsAsync(
      fc.asyncProperty(
        timesArbitrary,
        fc.array(column, { minLength: 1, maxLength: 4 }),
        fc.constantFrom(...TYPES),
        fc.constantFrom("cfg", "cff"),
        async (offsets, streams, type, ending) => {
          const times = BigInt64Array.from(offsets, (offset) => START + offset);
          // A value in each record, so that no record is left out.
          const columns = streams.map((stream, c) => {
            const values = Float64Array.from(times, () => Math.fround(stream.next().value!));
            const kept = [...values.keys()].filter((i) => c === 0 || !Number.isNaN(values[i]!));
            return {
              times: BigInt64Array.from(kept, (i) => times[i]!),
              values: Float64Array.from(kept, (i) => c === 0 ? values[i]! || 0 : values[i]!),
            };
          });
          const path = `${folder}/out.${ending}`;
          const channels = columns.map((points, i) => ({ id: `c${i}`, open: () => points }));
          const { rows, resolution } = await writeComtrade(path, channels, { type });
          assert(rows >= times.length);
          await using record = await openComtrade(path);
          const found = columns.map(() => ({ times: [] as bigint[], values: [] as number[] }));
          for await (const batch of record.batches()) {
            for (const [i, points] of batch.columns.entries()) {
              found[i]!.times.push(...points.times);
              found[i]!.values.push(...points.values);
            }
          }
          for (const [i, points] of columns.entries()) {
            assertEquals(found[i]!.times, [...points.times]);
            for (const [k, value] of points.values.entries()) {
              const back = found[i]!.values[k]!;
              if (type === "float32") assertEquals(back + 0, value + 0);
              const slack = 1e-9 * Math.abs(value) + 1e-9;
              assert(Math.abs(back - value) <= resolution[i]! + slack, `${back} and ${value}`);
            }
          }
        },
      ),
      150,
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("openComtrade: damaged bytes are errors or records, never a hang", async () => {
  const base = (["ASCII", "BINARY", "BINARY32", "FLOAT32"] as const).map((type) =>
    makeSingleFile({ type, samples: [[1, 2, 3], [4, 5, 6]], states: [[0, 1, 0]] })
  );
  const split = makeComtrade({ samples: [[1, 2, 3]] });
  const change = fc.tuple(
    fc.double({ min: 0, max: 0.999, noNaN: true }),
    fc.integer({ min: 0, max: 255 }),
  );
  await holdsAsync(
    fc.asyncProperty(
      fc.constantFrom(...base),
      fc.array(change, { minLength: 1, maxLength: 8 }),
      fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      async (good, changes, cut) => {
        const bytes = good.slice(0, Math.ceil(good.length * (cut ?? 1)));
        for (const [at, byte] of changes) bytes[Math.floor(at * bytes.length)] = byte;
        await take(bytes);
        await take({ configuration: bytes, samples: split.samples });
        await take({ configuration: split.configuration, samples: bytes });
      },
    ),
    600,
  );
});

/** Reads all of a record; an error must be one that names what is wrong. */
async function take(input: Parameters<typeof openComtrade>[0]): Promise<void> {
  try {
    await using record = await openComtrade(input);
    for await (const { columns } of record.batches()) {
      assertEquals(columns.length, record.columns.length);
      for (const { times, values } of columns) {
        assertEquals(times.length, values.length);
        assert(values.every((value) => Number.isFinite(value)));
      }
    }
  } catch (error) {
    assert(error instanceof ImportError, String((error as Error).stack));
  }
}
