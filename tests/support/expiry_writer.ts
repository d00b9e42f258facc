/**
 * The process that gets killed while points expire: `expiry_writer.ts PATH FIRST KILL_AT` goes on with
 * round FIRST, and says what it has done line by line. It kills itself in front of call KILL_AT of
 * SQLite.
 */

import { openEngine } from "../../src/engine/mod.ts";
import {
  EXPIRY_AGE,
  EXPIRY_STREAMS,
  expiryColumns,
  expiryNowMs,
  expiryUuid,
} from "./expiry_plan.ts";
import { FaultPlan } from "./faulty_sqlite.ts";
import { EAGER_LATE } from "./late_limits.ts";
import { sayLine } from "./say_line.ts";

const [path, first, killAt] = Deno.args;
const plan = new FaultPlan();
plan.killAt = Number(killAt);
plan.active = false;
let nowMs = expiryNowMs(Number(first));
const engine = await openEngine({
  path,
  openDatabase: plan.open,
  lateLimits: EAGER_LATE,
  now: () => nowMs,
  expiryTickMs: 1,
});

if (Number(first) === 0) {
  for (let stream = 0; stream < EXPIRY_STREAMS; stream++) {
    const tags = new Map([["name", `s${stream}`]]);
    const uuid = expiryUuid(stream);
    await engine.create({ uuid, collection: "a/b", tags, annotations: new Map() });
  }
  await engine.setRetention("a", EXPIRY_AGE);
}
plan.active = true;
for (let round = Number(first);; round++) {
  sayLine(`expiring ${round}`);
  nowMs = expiryNowMs(round);
  await engine.expire();
  sayLine(`expired ${round}`);
  for (let stream = 0; stream < EXPIRY_STREAMS; stream++) {
    const uuid = expiryUuid(stream);
    sayLine(`inserting ${round} ${stream}`);
    await engine.insert({ uuid, columns: expiryColumns(stream, round) });
    sayLine(`inserted ${round} ${stream}`);
    if ((round + stream) % 3 > 0) await engine.flush(uuid);
  }
}
