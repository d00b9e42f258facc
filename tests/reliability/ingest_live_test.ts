/** `btrdb ingest` while the database, a PMU and the command itself are killed. */

import { assert } from "@std/assert";
import { runLivePlan } from "./support/live_plan.ts";

for (const mergePolicy of ["never", "replace"] as const) {
  Deno.test(`ingest: no acknowledged point is lost or doubled, --merge ${mergePolicy}`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "btrdb-live-" });
    try {
      const result = await runLivePlan({
        pmus: 4,
        rate: 60,
        phasors: 7,
        pointsPerPhase: 6_000,
        spooled: 4_000,
        mergePolicy,
      }, folder);
      assert(result.points >= result.acknowledged, JSON.stringify(result));
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
