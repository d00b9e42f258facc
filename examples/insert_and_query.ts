/**
 * Insert points, read them back, look at windows.
 *
 *     deno run examples/insert_and_query.ts
 */

import { connect, formatTime, MINUTE, SECOND, toNanoseconds } from "@btrdb/btrdb";

await using db = await connect("memory:");

const stream = await db.create(crypto.randomUUID(), "lab/bench-1", {
  tags: { name: "temperature", unit: "celsius" },
  annotations: { sensor: "PT100" },
});

// An hour at one point a second. Columns are the fastest form; [time, value] pairs work too.
const start = toNanoseconds("2026-03-01T12:00:00Z");
const n = 3600;
await stream.insert({
  times: BigInt64Array.from({ length: n }, (_, i) => start + BigInt(i) * SECOND),
  values: Float64Array.from({ length: n }, (_, i) => 21 + 0.5 * Math.sin(i / 300)),
});
await stream.insert([[start + SECOND / 2n, 21.25]]);

// Ten-minute windows, counted exactly from the start.
for await (const batch of stream.windows(start, start + 60n * MINUTE, 10n * MINUTE)) {
  for (const { time, min, mean, max, count } of batch) {
    const range = `${min.toFixed(2)} to ${max.toFixed(2)}, mean ${mean.toFixed(2)}`;
    console.log(formatTime(time).slice(11, 19), range, `${count} points`);
  }
}

// The neighbours of a time: at or after it, and strictly before it.
const after = await stream.nearest(start + SECOND / 4n);
const before = await stream.nearest(start + SECOND / 4n, { backward: true });
console.log("after:", after?.value, "before:", before?.value);

// A time before the first point has no predecessor.
console.log("before all:", await stream.nearest(start, { backward: true }));
