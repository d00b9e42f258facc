/**
 * Every version of a stream stays readable, and two versions can be compared.
 *
 *     deno run examples/versions.ts
 */

import { connect, formatTime, SECOND, toNanoseconds } from "@btrdb/btrdb";

await using db = await connect("memory:");
const stream = await db.create(crypto.randomUUID(), "lab/versions");

const start = toNanoseconds("2026-03-01T00:00:00Z");
const STEP = SECOND / 100n;

/** A hundred points a second with one value, between two seconds. */
function points(from: number, to: number, value: number): [bigint, number][] {
  const first = start + BigInt(from) * SECOND;
  return Array.from(
    { length: (to - from) * 100 },
    (_, i) => [first + BigInt(i) * STEP, value],
  );
}

await stream.insert(points(0, 600, 1));
const first = await stream.flush();

// A device corrects itself: the second minute was wrong.
await stream.deleteRange(start + 60n * SECOND, start + 120n * SECOND);
await stream.insert(points(60, 120, 2));
const second = await stream.flush();
console.log(`versions ${first} and ${second}`);

for (const version of [first, second]) {
  const { values } = await stream.rawValues(start, start + 600n * SECOND, { version }).collect();
  const sum = values.reduce((total, value) => total + value, 0);
  console.log(`version ${version}: ${values.length} points, sum ${sum}`);
}

// Where do they differ? Ranges are those of tree nodes, down to 2^30 ns, about a second.
for await (const range of stream.changes(first, second, 30)) {
  console.log("changed:", formatTime(range.start), "to", formatTime(range.end));
}
