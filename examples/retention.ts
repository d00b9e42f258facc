/**
 * Points that expire at an age, and a file that gets smaller.
 *
 *     deno run -A examples/retention.ts
 */

import { connect, currentTime, DAY, SECOND } from "@btrdb/btrdb";

const directory = await Deno.makeTempDir();
await using db = await connect(`file:${directory}/grid.btrdb`);
const now = currentTime();

// Ten days of a point every ten seconds, of a measurement and of a log of events.
for (const collection of ["pmu/substation-7", "pmu/events"]) {
  const stream = await db.create(crypto.randomUUID(), collection);
  const times = BigInt64Array.from({ length: 86_400 }, (_, i) => now - BigInt(i) * 10n * SECOND);
  await stream.insert({ times, values: Float64Array.from(times, (_, i) => i) });
}

// Everything below pmu is kept for three days, but events stay.
await db.setRetention("pmu", 3n * DAY);
await db.setRetention("pmu/events", Infinity);

// This happens in the background while the database is open; here it is requested.
const { points: expected } = await db.expire({ dryRun: true });
const { points, streams } = await db.expire();
console.log(
  `${points} points of ${streams} stream have expired, as expected: ${points === expected}`,
);

for await (const stream of db.lookupStreams("pmu", { isCollectionPrefix: true })) {
  console.log(`${await stream.collection()}: ${await stream.count()} points`);
}

// The space is reused, or returned to the file system.
const { before, after } = await db.compact();
console.log(`The file got smaller: ${after < before}`);
