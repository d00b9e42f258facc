/**
 * The process that gets killed: `crash_writer.ts PATH KILL_AT START…` continues each stream from its
 * step and writes `stream step` to stdout after each one that was acknowledged. In front of call KILL_AT
 * of SQLite it kills itself.
 */

import { openEngine } from "../../src/engine/mod.ts";
import { CRASH_STREAMS, crashStep, crashUuid } from "./crash_plan.ts";
import { FaultPlan } from "./faulty_sqlite.ts";
import { EAGER_LATE } from "./late_limits.ts";
import { sayLine } from "./say_line.ts";

const [path, killAt, ...starts] = Deno.args;
const plan = new FaultPlan();
plan.killAt = Number(killAt);
const engine = await openEngine({
  path,
  cacheBytes: 4_000_000,
  openDatabase: plan.open,
  lateLimits: EAGER_LATE,
});

async function work(stream: number): Promise<never> {
  const uuid = crashUuid(stream);
  for (let index = Number(starts[stream]);; index++) {
    const step = crashStep(stream, index);
    if (step.op === "insert") {
      const columns = {
        times: BigInt64Array.from(step.points, ({ time }) => time),
        values: Float64Array.from(step.points, ({ value }) => value),
      };
      await engine.insert({ uuid, columns });
    } else if (step.op === "flush") await engine.flush(uuid);
    else await engine.deleteRange({ uuid, start: step.start, end: step.end });
    sayLine(`${stream} ${index}`);
  }
}

await Promise.all(Array.from({ length: CRASH_STREAMS }, (_, stream) => work(stream)));
