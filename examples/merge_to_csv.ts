/**
 * Several streams merged by time into one CSV file, without losing a digit.
 *
 *     deno run --allow-read --allow-write examples/merge_to_csv.ts [FILE]
 *
 * Without FILE, the CSV goes to a temporary file, which is removed at the end.
 */

import { connect, SECOND, toNanoseconds } from "@btrdb/btrdb";

await using db = await connect("memory:");
const start = toNanoseconds("2026-03-01T00:00:00Z");

// Two devices that report at different rates: every second, and every three.
const fast = await db.create(crypto.randomUUID(), "csv", { tags: { name: "fast" } });
const slow = await db.create(crypto.randomUUID(), "csv", { tags: { name: "slow" } });
await fast.insert(Array.from({ length: 6 }, (_, i) => [start + BigInt(i) * SECOND, i / 10]));
await slow.insert(
  Array.from({ length: 2 }, (_, i) => [start + BigInt(3 * i) * SECOND, 1 / (i + 3)]),
);

const path = Deno.args[0] ?? await Deno.makeTempFile({ suffix: ".csv" });
const { rows, bytes } = await db.writeCSV(path, {
  queryType: "raw",
  start,
  end: start + 10n * SECOND,
  streams: [{ stream: fast, label: "fast" }, { stream: slow, label: "slow" }],
  numbers: "shortest",
});
console.log(`${rows} rows, ${bytes} bytes`);
console.log((await Deno.readTextFile(path)).trimEnd());
if (Deno.args.length === 0) await Deno.remove(path);
