/**
 * Streams are found by collection, tags and annotations.
 *
 *     deno run examples/find_streams.ts
 */

import { connect } from "@btrdb/btrdb";

await using db = await connect("memory:");

for (const substation of ["north", "south"]) {
  for (const name of ["L1MAG", "L2MAG", "L3MAG"]) {
    await db.create(crypto.randomUUID(), `pmu/${substation}`, {
      tags: { name, unit: "volts" },
      annotations: name === "L1MAG"
        ? { phase: "1", calibrated: "2025-11-02" }
        : { phase: name[1]! },
    });
  }
}

for await (const collection of db.listCollections("pmu/")) console.log("collection", collection);

// All streams below a prefix that have this tag.
const found: string[] = [];
for await (
  const stream of db.lookupStreams("pmu/", { isCollectionPrefix: true, tags: { name: "L2MAG" } })
) {
  found.push(`${await stream.collection()}/${(await stream.tags()).name}`);
}
console.log("L2MAG:", found.join(", "));

// A null value matches any value of the key.
let calibrated = 0;
for await (
  const _ of db.lookupStreams("pmu/", {
    isCollectionPrefix: true,
    annotations: { calibrated: null },
  })
) calibrated++;
console.log(`${calibrated} streams say when they were calibrated`);

// Annotations change by compare-and-set: a change based on an old version is refused.
for await (const stream of db.lookupStreams("pmu/north", { tags: { name: "L1MAG" } })) {
  const [annotations, version] = await stream.annotations();
  await stream.setAnnotations({ calibrated: "2026-03-01" }, { expected: version });
  const [now] = await stream.annotations();
  console.log(annotations.calibrated, "is now", now.calibrated);
}
