import fc from "fast-check";
import { assert, assertEquals } from "@std/assert";
import { type RawColumns, sliceRaw } from "../../src/core/columns.ts";
import { mergeFirstRows, mergeTimes } from "../../src/kernel/merge_times.ts";
import { atOnce } from "../../src/core/pacer.ts";
import { mergeBatches } from "../../src/kernel/merge_batches.ts";
import { sortedPoints } from "../support/columns_arbitrary.ts";
import { CountedTurns } from "../support/counted_turns.ts";
import { referenceMerge } from "../support/csv_reference.ts";

/** The points in batches of the given sizes, some of them empty. */
async function* batches(columns: RawColumns, sizes: readonly number[]): AsyncGenerator<RawColumns> {
  let at = 0;
  for (const size of sizes) {
    await Promise.resolve();
    yield sliceRaw(columns, at, Math.min(at + size, columns.times.length));
    at = Math.min(at + size, columns.times.length);
  }
  yield sliceRaw(columns, at, columns.times.length);
}

Deno.test("mergeBatches: batches of rows are together the rows of the whole", async () => {
  const streams = fc.array(fc.tuple(sortedPoints, fc.array(fc.nat(20), { maxLength: 6 })), {
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(streams, async (all) => {
      const whole = referenceMerge(all.map(([{ times }]) => times));
      const taken = all.map(() => 0);
      const times: bigint[] = [];
      const rows: number[][] = all.map(() => []);
      for await (const batch of mergeBatches(all.map(([c, sizes]) => batches(c, sizes)))) {
        assert(batch.times.length > 0);
        times.push(...batch.times);
        batch.rows.forEach((row, s) => {
          rows[s]!.push(...Array.from(row, (i) => i < 0 ? -1 : i + taken[s]!));
          const part = batch.parts[s]?.times ?? new BigInt64Array(0);
          assertEquals(part, all[s]![0].times.slice(taken[s]!, taken[s]! + part.length));
          taken[s]! += part.length;
        });
      }
      assertEquals(BigInt64Array.from(times), whole.times);
      assertEquals(rows.map((row) => Int32Array.from(row)), whole.rows);
    }),
    { numRuns: Number(Deno.env.get("PROPERTY_RUNS") ?? 1000) },
  );
});

Deno.test("mergeBatches: whoever stops reading rows closes all streams", async () => {
  let open = 0;
  async function* endless(): AsyncGenerator<RawColumns> {
    open++;
    try {
      for (let t = 0n;; t++) {
        yield await Promise.resolve({
          times: BigInt64Array.of(t),
          values: Float64Array.of(1),
        });
      }
    } finally {
      open--;
    }
  }
  for await (const _ of mergeBatches([endless(), endless()])) {
    assertEquals(open, 2);
    break;
  }
  assertEquals(open, 0);
});

Deno.test("mergeFirstRows: the first rows, and then those of the rest, are the rows of the whole", () => {
  fc.assert(
    fc.property(
      fc.array(sortedPoints, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 9 }),
      (all, most) => {
        const streams = all.map(({ times }) => times);
        const whole = mergeTimes(streams);
        const taken = streams.map(() => 0);
        const times: bigint[] = [];
        const rows: number[][] = streams.map(() => []);
        for (;;) {
          const rest = streams.map((of, s) => of.subarray(taken[s]));
          const part = atOnce(mergeFirstRows(rest, most));
          assert(part.times.length <= most);
          if (part.times.length === 0) break;
          times.push(...part.times);
          part.rows.forEach((row, s) => {
            rows[s]!.push(...Array.from(row, (i) => i < 0 ? -1 : i + taken[s]!));
            taken[s]! += part.used[s]!;
          });
        }
        assertEquals(BigInt64Array.from(times), whole.times);
        assertEquals(rows.map((row) => Int32Array.from(row)), whole.rows);
      },
    ),
    { numRuns: Number(Deno.env.get("PROPERTY_RUNS") ?? 1000) },
  );
});

// The first batches of 10,000 streams, and their ends, came in one turn of the event loop.
Deno.test("mergeBatches: batches of thousands of streams give way", async () => {
  const streams = 3_000;
  using turns = new CountedTurns(0.05);
  const source = (): AsyncIterator<RawColumns> => {
    let asked = 0;
    return {
      next: () => {
        turns.add();
        const value = { times: BigInt64Array.of(1n), values: Float64Array.of(1) };
        const done = asked++ > 0;
        return Promise.resolve(done ? { done, value: undefined } : { done, value });
      },
    };
  };
  let rows = 0;
  for await (const { times } of mergeBatches(Array.from({ length: streams }, source))) {
    rows += times.length;
  }
  assertEquals(rows, 1);
  const all = turns.work.reduce((sum, n) => sum + n, 0);
  assert(all > streams, `${all} times`);
  // 4 ms, and what 64 at a time do before they look at the clock again.
  assert(Math.max(...turns.work) <= 150, `${turns.work}`);
});

Deno.test("mergeFirstRows: the indices of all streams are in one piece of memory", () => {
  const streams = Array.from({ length: 100 }, () => BigInt64Array.of(1n, 2n));
  const { rows } = atOnce(mergeFirstRows(streams, 1));
  assertEquals(new Set(rows.map(({ buffer }) => buffer)).size, 1);
});
