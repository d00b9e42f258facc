/** Windows and counts that the client computes, against plain arrays, for any data and any range. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { BTrDB, MAX_TIME, MIN_TIME, pointwidthOf, type Stream } from "@btrdb/btrdb";
import { openEngine } from "../../src/engine/mod.ts";
import { asV4 } from "../support/override_endpoint.ts";

type Pair = [time: bigint, value: number];

const LAST = MAX_TIME - 2n;
const time = fc.oneof(
  fc.bigInt(-200n, 200n),
  fc.bigInt(MIN_TIME, LAST),
  fc.constantFrom(MIN_TIME, MIN_TIME + 1n, -1n, 0n, 1n << 61n, LAST - 1n, LAST),
);
const points = fc.array(fc.tuple(time, fc.integer({ min: -50, max: 50 })), { maxLength: 40 });
const edge = fc.oneof(time, fc.constantFrom(MIN_TIME, MAX_TIME - 1n, MAX_TIME));
const range = fc.tuple(edge, edge).filter(([a, b]) => a !== b)
  .map(([a, b]) => a < b ? { start: a, end: b } : { start: b, end: a });

/** Runs a property against streams of an engine that passes for a v4 server. */
async function holds(
  runs: number,
  check: (
    stream: Stream,
    stored: Pair[],
    asked: { start: bigint; end: bigint; n: bigint; depth: number },
  ) => Promise<void>,
): Promise<void> {
  const engine = await openEngine();
  await using db = new BTrDB(asV4(engine));
  const n = fc.bigInt(1n, 20n);
  const depth = fc.nat(63);
  await fc.assert(
    fc.asyncProperty(
      points,
      range,
      n,
      depth,
      fc.boolean(),
      async (stored, { start, end }, n, depth, flush) => {
        const stream = await db.create(crypto.randomUUID(), crypto.randomUUID());
        await stream.insert(stored);
        if (flush) await stream.flush();
        await check(stream, stored, { start, end, n, depth });
      },
    ),
    { numRuns: runs },
  );
}

/** Number of points in a range of time. */
function within(stored: Pair[], start: bigint, end: bigint): bigint {
  return BigInt(stored.filter(([at]) => at >= start && at < end).length);
}

Deno.test("Stream.count: is exact for any range", async () => {
  await holds(300, async (stream, stored, { start, end }) => {
    assertEquals(await stream.count({ start, end }), within(stored, start, end));
  });
});

Deno.test("Stream.windows: windows are the grid's, wherever they are computed", async () => {
  await holds(300, async (stream, stored, { start, end, n }) => {
    const width = (end - start) / n || 1n;
    if ((end - start) / width > 100n) return;
    for (const compute of ["server", "client"] as const) {
      const windows = await stream.windows(start, end, width, { compute }).collect();
      assertEquals(BigInt(windows.length), (end - start) / width);
      let at = start;
      for (const { time, count, min, max } of windows) {
        assertEquals([time, count], [at, within(stored, at, at + width)]);
        const values = stored.filter(([when]) => when >= at && when < at + width).map(([, v]) => v);
        if (count > 0n) assertEquals([min, max], [Math.min(...values), Math.max(...values)]);
        at += width;
      }
    }
  });
});

Deno.test("Stream.windows: a depth loses no point and moves none further than 2^depth", async () => {
  await holds(300, async (stream, stored, { start, end, n, depth }) => {
    const width = (end - start) / n || 1n;
    if ((end - start) / width > 100n) return;
    const windows = await stream.windows(start, end, width, { depth }).collect();
    const whole = start + width * BigInt(windows.length);
    const total = windows.count.reduce((sum, count) => sum + count, 0n);
    assertEquals(total, within(stored, start, whole));
    const slack = 1n << BigInt(Math.min(depth, pointwidthOf(width)));
    for (const { time, count } of windows) {
      const end = time + width;
      assert(count <= within(stored, time - slack, end + slack), "too many");
      assert(count >= within(stored, time + slack, end - slack), "too few");
    }
  });
});
