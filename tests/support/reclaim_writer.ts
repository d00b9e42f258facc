/**
 * The process that gets killed while it gives back room: `reclaim_writer.ts PATH FIRST KILL_AT` makes
 * streams from number FIRST on, prunes each, obliterates every other one, and says so line by line. It
 * kills itself in front of call KILL_AT of SQLite from the first prune on: what was obliterated is given
 * back in the background.
 */

import { openEngine } from "../../src/engine/mod.ts";
import { FaultPlan } from "./faulty_sqlite.ts";
import { EAGER_LATE } from "./late_limits.ts";
import { RECLAIM_KEEP, writeReclaimStream } from "./reclaim_plan.ts";
import { sayLine } from "./say_line.ts";

const [path, first, killAt] = Deno.args;
const plan = new FaultPlan();
plan.killAt = Number(killAt);
plan.active = false;
const engine = await openEngine({ path, openDatabase: plan.open, lateLimits: EAGER_LATE });

for (let stream = Number(first);; stream++) {
  const uuid = await writeReclaimStream(engine, stream);
  plan.active = true;
  await engine.prune(uuid, RECLAIM_KEEP);
  sayLine(`pruned ${stream}`);
  if (stream % 2 === 1) continue;
  await engine.obliterate(uuid);
  sayLine(`gone ${stream}`);
}
