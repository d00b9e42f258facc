/**
 * Ten minutes of `btrdb ingest` from four simulated PMUs, 60 frames/s and 20 streams each, while the
 * database, a PMU and the command are killed:
 *
 *     SOAK_POINTS=600000 deno run -A tests/reliability/live_soak.ts
 *
 * Prints what was found as JSON; fails if an acknowledged point is lost, doubled or wrong.
 */

import { runLivePlan } from "./support/live_plan.ts";

/** Points stored in each of four phases. */
const POINTS = Number(Deno.env.get("SOAK_POINTS") ?? 600_000);

const folder = await Deno.makeTempDir({ prefix: "btrdb-live-" });
try {
  const result = await runLivePlan({
    pmus: 4,
    rate: 60,
    phasors: 7,
    pointsPerPhase: POINTS,
    spooled: Math.ceil(POINTS / 3),
    mergePolicy: "replace",
  }, folder);
  if (result.points < result.acknowledged) throw new Error(JSON.stringify(result));
  console.log(JSON.stringify(result));
} finally {
  await Deno.remove(folder, { recursive: true });
}
