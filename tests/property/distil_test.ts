/**
 * After any history of inserts, deletes, kills and foreign writes the outputs of `distil` are those
 * of a full computation.
 *
 * @module
 */

import { type BTrDB, connect } from "@btrdb/btrdb";
import { serve } from "@btrdb/btrdb/server";
import { assert } from "@std/assert";
import { DistilHistory } from "../support/distil_history.ts";
import { withFolder } from "../support/run.ts";

const FIRST_SEED = Number(Deno.env.get("PROPERTY_SEED") ?? 1);

async function histories(db: BTrDB, count: number, steps: number): Promise<void> {
  const runs = Number(Deno.env.get("PROPERTY_RUNS") ?? count);
  let [kills, repaired, partial] = [0, 0, 0];
  for (let seed = FIRST_SEED; seed < FIRST_SEED + runs; seed++) {
    const history = new DistilHistory(db, seed);
    try {
      await history.play(steps);
    } catch (cause) {
      throw new Error(`PROPERTY_SEED=${seed} PROPERTY_RUNS=1 shows it`, { cause });
    }
    kills += history.kills;
    repaired += history.runs.filter((run) => run.repaired > 0).length;
    partial += history.runs.filter((run) => !run.full && !run.current).length;
  }
  if (runs >= 5) {
    assert(kills > 0 && repaired > 0 && partial > 0, `${kills} ${repaired} ${partial}`);
  }
}

Deno.test("distil: outputs are those of a full computation after any history, in memory", async () => {
  await using db = await connect("memory:");
  await histories(db, 60, 30);
});

Deno.test("distil: outputs are those of a full computation after any history, in a file", async () => {
  await withFolder(async (folder) => {
    await using db = await connect(`file:${folder}/history.btrdb`);
    await histories(db, 10, 30);
  });
});

for (const protocol of ["v4", "v5"] as const) {
  Deno.test(`distil: outputs are those of a full computation after any history, over gRPC ${protocol}`, async () => {
    await using served = await connect("memory:");
    await using server = await serve(served, { port: 0 });
    await using db = await connect(`127.0.0.1:${server.port}`, { protocol });
    await histories(db, 10, 30);
  });
}
