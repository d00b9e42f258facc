/** Files of µPMUs whose bytes were changed or cut. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ImportError, openSource } from "../../src/ingest/mod.ts";
import { START } from "../../src/ingest/source.ts";
import { holdsAsync } from "../support/property.ts";
import { upmuFile } from "../support/upmu_file.ts";

const FILE = upmuFile([
  { date: [2016, 2, 29, 23, 59, 58] },
  { date: [2016, 2, 29, 23, 59, 59], isExpanded: true },
  { date: [2016, 3, 1, 0, 0, 0] },
]);

/** All points of each column by time; or the error. */
async function read(bytes: Uint8Array): Promise<Map<string, [bigint, number][]> | ImportError> {
  try {
    await using source = await openSource(bytes, { format: "upmu" });
    const points = new Map<string, [bigint, number][]>();
    for await (const { columns } of source.batches(START)) {
      for (const [i, { times, values }] of columns.entries()) {
        const all = points.get(source.columns[i]!.name) ?? [];
        for (const [k, time] of times.entries()) all.push([time, values[k]!]);
        points.set(source.columns[i]!.name, all);
      }
    }
    return points;
  } catch (error) {
    if (error instanceof ImportError) return error;
    throw error;
  }
}

Deno.test("import of a µPMU: a changed byte of a value changes that value alone, others are errors or dates", async () => {
  const whole = await read(FILE) as Map<string, [bigint, number][]>;
  const points = [...whole].flatMap(([name, all]) => all.map((point) => `${name} ${point}`));
  await holdsAsync(
    fc.asyncProperty(
      // Beyond the header of the first block and its status words, before the second block.
      fc.integer({ min: 508, max: 6311 }),
      fc.integer({ min: 1, max: 255 }),
      async (at, change) => {
        const bytes = FILE.slice();
        bytes[at]! ^= change;
        const found = await read(bytes);
        if (found instanceof ImportError) {
          assert(found.message.includes("Infinity"), found.message);
          return;
        }
        const now = new Set(
          [...found].flatMap(([name, all]) => all.map((point) => `${name} ${point}`)),
        );
        assert(points.filter((point) => !now.has(point)).length <= 1);
      },
    ),
    50,
  );
});

Deno.test("import of a µPMU: cut and random bytes end, with whole blocks or an error", async () => {
  const columns = (found: Map<string, [bigint, number][]>): number => found.get("L1MAG")!.length;
  await holdsAsync(
    fc.asyncProperty(fc.integer({ min: 0, max: FILE.length }), async (size) => {
      const found = await read(FILE.subarray(0, size));
      const blocks = [6312, 6312 + 9192, FILE.length].filter((end) => end <= size).length;
      if (found instanceof ImportError) assertEquals(blocks, 0);
      else assertEquals(columns(found), 120 * blocks);
    }),
    100,
  );
  await holdsAsync(
    fc.asyncProperty(fc.uint8Array({ maxLength: 20_000, size: "max" }), async (bytes) => {
      const found = await read(bytes);
      if (found instanceof ImportError) return;
      for (const all of found.values()) assert(all.every(([, value]) => Number.isFinite(value)));
    }),
    100,
  );
});
